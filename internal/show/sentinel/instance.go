package sentinel

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// The maps that describe a master, a replica, a sentinel. Some clients read them by position, so their order is that of
// redis-sentinel, and what Redkeep does not have (pings, scripts) has the value of a healthy one.

// field is one entry of a map.
type field struct{ name, value string }

func (r *reply) fields(all ...[]field) {
	n := 0
	for _, some := range all {
		n += len(some)
	}
	r.dict(n)
	for _, some := range all {
		for _, f := range some {
			r.strings(f.name, f.value)
		}
	}
}

// instance is what the three kinds have in common.
type instance struct {
	name  string
	addr  netip.AddrPort
	runID string
	flags []string
	heard string // milliseconds since the last word
	// failover is the step of a failover that is under way; empty where none is.
	failover string
	// down is for how many milliseconds the instance has been down, as far as its flags say that it is.
	down string
}

func (f *Face) common(i instance) []field {
	ip, port := "", "0"
	if i.addr.IsValid() {
		ip, port = i.addr.Addr().String(), itoa(i.addr.Port())
	}
	out := []field{
		{"name", i.name},
		{"ip", ip},
		{"port", port},
		{"runid", i.runID},
		{"flags", strings.Join(i.flags, ",")},
		{"link-pending-commands", "0"},
		{"link-refcount", "1"},
	}
	if i.failover != "" {
		out = append(out, field{"failover-state", i.failover})
	}
	out = append(out, []field{{"last-ping-sent", "0"}, {"last-ok-ping-reply", i.heard}, {"last-ping-reply", i.heard}}...)
	if slices.Contains(i.flags, "s_down") {
		out = append(out, field{"s-down-time", word(i.down, i.heard)})
	}
	if slices.Contains(i.flags, "o_down") {
		out = append(out, field{"o-down-time", word(i.down, i.heard)})
	}
	return append(out, field{"down-after-milliseconds", itoa(f.config.DownAfter.Milliseconds())})
}

// writeMaster answers MASTER.
func (f *Face) writeMaster(n picture.Node, g picture.Group, r *reply) {
	known, ok := f.master(g)
	if !ok {
		r.error(noSuchMaster)
		return
	}
	m, _ := g.Member(known.node)
	heard := itoa(m.Heard.Milliseconds())
	r.fields(f.common(instance{
		name: string(g.Name), addr: address(n, g, known.node), runID: string(m.Server.RunID), flags: masterFlags(g), heard: heard,
		failover: failoverState(g), down: known.downFor(),
	}), []field{
		{"info-refresh", heard},
		{"role-reported", roleWord(m.Server.Role)},
		{"role-reported-time", heard},
		{"config-epoch", itoa(known.epoch)},
		{"num-slaves", itoa(len(replicasOf(g, known.node)))},
		{"num-other-sentinels", itoa(len(otherVoters(g)))},
		{"quorum", itoa(quorum(g))},
		{"failover-timeout", "180000"},
		{"parallel-syncs", "1"},
	})
}

// masterFlags says down where no master takes writes.
func masterFlags(g picture.Group) []string {
	flags := []string{"master"}
	if !g.Writable {
		flags = []string{"s_down", "o_down", "master"}
	}
	if failoverState(g) != "" {
		flags = append(flags, "failover_in_progress")
	}
	return flags
}

// failoverState is Sentinel's word for what this node does to become the master; empty where it does not.
func failoverState(g picture.Group) string {
	switch g.State {
	case picture.StateCandidate:
		return "wait_start"
	case picture.StateTakeover:
		return "wait_promotion"
	default:
		return ""
	}
}

// replicas answers REPLICAS.
func (f *Face) replicas(n picture.Node, g picture.Group, r *reply) {
	known, _ := f.master(g)
	members := replicasOf(g, known.node)
	r.array(len(members))
	for _, m := range members {
		f.writeReplica(n, g, m, r)
	}
}

func (f *Face) writeReplica(n picture.Node, g picture.Group, m picture.Member, r *reply) {
	addr := address(n, g, m.Node)
	heard := itoa(m.Heard.Milliseconds())
	link, host := "err", "?"
	if m.Server.LinkUp {
		link = "ok"
	}
	if m.Server.Master != "" {
		host = m.Server.Master
	}
	r.fields(f.common(instance{
		name: addr.String(), addr: addr, runID: string(m.Server.RunID), flags: f.replicaFlags(g, m), heard: heard,
	}), []field{
		{"info-refresh", heard},
		{"role-reported", roleWord(m.Server.Role)},
		{"role-reported-time", heard},
		{"master-link-down-time", "0"},
		{"master-link-status", link},
		{"master-host", host},
		{"master-port", itoa(m.Server.MasterPort)},
		{"slave-priority", itoa(m.Server.Priority)},
		{"slave-repl-offset", itoa(m.Server.Offset)},
		{"replica-announced", "1"},
	})
}

// replicaFlags says down where the server can't be read from, as far as is known.
func (f *Face) replicaFlags(g picture.Group, m picture.Member) []string {
	if f.serverDown(g, m) {
		return []string{"s_down", "slave", "disconnected"}
	}
	return []string{"slave"}
}

// serverDown reports whether the member's server can't be used, or nobody can tell.
func (f *Face) serverDown(g picture.Group, m picture.Member) bool {
	switch m.Unfit.Code {
	case words.NotSeen, words.ServerGone, words.ServerSilent, words.ServerStopped, words.ServerLoading, words.Unreachable:
		return true
	}
	return !m.Known || !f.heard(g, m)
}

// replicasOf returns the data nodes but the master's.
func replicasOf(g picture.Group, master words.Node) []picture.Member {
	var out []picture.Member
	for _, m := range g.Members {
		if m.Data && m.Node != master {
			out = append(out, m)
		}
	}
	return out
}

// sentinels answers SENTINELS: the other agents' faces.
func (f *Face) sentinels(n picture.Node, g picture.Group, r *reply) {
	voters := otherVoters(g)
	r.array(len(voters))
	for _, m := range voters {
		flags := []string{"sentinel"}
		if !f.heard(g, m) {
			flags = []string{"s_down", "sentinel", "disconnected"}
		}
		id, heard := identity(n, m.Node), itoa(m.Heard.Milliseconds())
		r.fields(f.common(instance{
			name: id, addr: netip.AddrPortFrom(n.Addrs[m.Node], n.ListenPort), runID: id, flags: flags, heard: heard,
		}), []field{
			{"last-hello-message", heard},
			{"voted-leader", "?"},
			{"voted-leader-epoch", "0"},
		})
	}
}

// otherVoters returns the voters but this node.
func otherVoters(g picture.Group) []picture.Member {
	var out []picture.Member
	for _, m := range g.Members {
		if m.Voter && m.Node != g.Self {
			out = append(out, m)
		}
	}
	return out
}

// identity is what a node's face calls itself with MYID. It follows from the node's name and address, so that every
// node can tell the identities of all.
func identity(n picture.Node, node words.Node) string {
	return digest(fmt.Sprintf("redkeep face %s %s", node, n.Addrs[node]))
}

// digest returns 40 hex characters, the length of the IDs of Redis.
func digest(of string) string {
	sum := sha256.Sum256([]byte(of))
	return hex.EncodeToString(sum[:20])
}

// roleWord is Sentinel's word for a role.
func roleWord(r words.Role) string {
	if r == words.RoleReplica {
		return "slave"
	}
	return "master"
}
