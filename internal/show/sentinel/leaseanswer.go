package sentinel

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// What a lease tells, in the terms of Sentinel. What Redkeep does not have (pings, scripts) has the value of a healthy one.

// Self is the agent.
func (l *Lease) Self() Self {
	n := l.look()
	since := tilted(n)
	return Self{
		ID:    identity(n, n.Node),
		RunID: digest(fmt.Sprintf("redkeep run %s %d %d", n.Node, n.Session, n.Started.UnixNano())),
		Port:  int(n.ListenPort), Version: n.Version, Started: n.Started, Hz: 10, Supervised: no,
		Tilt: since >= 0, TiltFor: max(0, since),
	}
}

// tilted is for how long a group has been paused, negative where none is: Sentinel's word for watching on without acting.
func tilted(n *picture.Node) time.Duration {
	since := time.Duration(-1)
	for i := range n.Groups {
		if p := &n.Groups[i].Pause; p.Left > 0 {
			since = max(since, p.For-p.Left)
		}
	}
	return since
}

// Names are the groups'.
func (l *Lease) Names() []string {
	l.look()
	return l.names
}

// Addr is not told until a master has been opened: to name one that takes no writes would be worse.
func (l *Lease) Addr(name []byte) (host string, port int, ok bool) {
	l.look()
	a, ok := l.addrs[string(name)]
	return a.host, a.port, ok
}

// Master tells of the last that was opened.
func (l *Lease) Master(name string) (w picture.Watched, ok bool) {
	n, g := l.group(name)
	if g == nil {
		return w, false
	}
	known, ok := l.master(g)
	m, _ := g.Member(known.node)
	w = l.watched(name, address(n, g, known.node), m.Heard, picture.WatchedMaster)
	if !g.Writable {
		w.Flags |= picture.WatchedSDown | picture.WatchedODown
		w.SDown = known.downFor()
		w.ODown = w.SDown
	}
	if w.FailoverState = failoverState(g); w.FailoverState != "" {
		w.Flags |= picture.WatchedFailover
	}
	w.RunID, w.RoleReported = string(m.Server.RunID), roleWord(m.Server.Role)
	w.ConfigEpoch, w.Quorum = uint64(known.epoch), quorum(g)
	w.Replicas, w.Sentinels = len(replicasOf(g, known.node)), len(otherVoters(g))
	w.FailoverTimeout, w.ParallelSyncs = periods[DefaultFailoverTimeout], 1
	return w, ok
}

// watched is what the three kinds have in common.
func (l *Lease) watched(name string, at netip.AddrPort, heard time.Duration, kind picture.WatchedFlags) picture.Watched {
	heard = max(0, heard)
	w := picture.Watched{
		Name: name, Flags: kind, Refcount: 1, LastOKPing: heard, LastPing: heard, SDown: heard, DownAfter: l.config.DownAfter,
		InfoRefresh: heard, RoleReportedTime: heard, LastHello: heard,
	}
	if at.IsValid() {
		w.Host, w.Port = at.Addr().String(), int(at.Port())
	}
	return w
}

// downFor is for how long nobody has taken writes.
func (m master) downFor() time.Duration {
	if m.down.IsZero() {
		return 0
	}
	return time.Since(m.down)
}

// failoverState is Sentinel's word for what this node does to become the master; empty where it does not.
func failoverState(g *picture.Group) string {
	switch g.State {
	case picture.StateCandidate:
		return "wait_start"
	case picture.StateTakeover:
		return "wait_promotion"
	default:
		return ""
	}
}

// AppendReplicas tells of the data nodes but the master's.
func (l *Lease) AppendReplicas(to []picture.Watched, name string) (all []picture.Watched, ok bool) {
	n, g := l.group(name)
	if g == nil {
		return to, false
	}
	known, _ := l.master(g)
	for _, m := range replicasOf(g, known.node) {
		at := address(n, g, m.Node)
		w := l.watched(at.String(), at, m.Heard, picture.WatchedReplica)
		if l.serverDown(g, m) {
			w.Flags |= picture.WatchedSDown | picture.WatchedDisconnected
		}
		w.RunID, w.RoleReported = string(m.Server.RunID), roleWord(m.Server.Role)
		w.MasterLinkUp, w.MasterHost, w.MasterPort = m.Server.LinkUp, m.Server.Master, int(m.Server.MasterPort)
		w.Priority, w.Offset, w.ReplicaAnnounced = int(m.Server.Priority), int64(m.Server.Offset), true
		to = append(to, w)
	}
	return to, true
}

// AppendSentinels tells of the other agents' faces.
func (l *Lease) AppendSentinels(to []picture.Watched, name string) (all []picture.Watched, ok bool) {
	n, g := l.group(name)
	if g == nil {
		return to, false
	}
	for _, m := range otherVoters(g) {
		id := identity(n, m.Node)
		w := l.watched(id, netip.AddrPortFrom(n.Addrs[m.Node], n.ListenPort), m.Heard, picture.WatchedSentinel)
		if w.RunID = id; !l.heard(g, m) {
			w.Flags |= picture.WatchedSDown | picture.WatchedDisconnected
		}
		to = append(to, w)
	}
	return to, true
}

// Quorum counts the voters: a majority of them is needed, Redkeep has no other quorum.
func (l *Lease) Quorum(name string) (q Quorum, ok bool) {
	_, g := l.group(name)
	if g == nil {
		return q, false
	}
	if g.Pair {
		return Quorum{Voters: 1, Usable: l.usable(g), Needed: 1}, true // either may be elected without the other
	}
	return Quorum{Voters: voters(g), Usable: l.usable(g), Needed: quorum(g)}, true
}

// AppendCached tells how old what is known of each server is; the texts of INFO themselves are not kept.
func (l *Lease) AppendCached(to []Cached, name string) (all []Cached, ok bool) {
	_, g := l.group(name)
	if g == nil {
		return to, false
	}
	known, _ := l.master(g)
	m, _ := g.Member(known.node)
	to = append(to, Cached{Age: m.Heard})
	for _, m := range replicasOf(g, known.node) {
		to = append(to, Cached{Age: m.Heard})
	}
	return to, true
}

// Scripts are none.
func (l *Lease) Scripts() []Script { return nil }

// usable counts the voters that are heard, this node's among them.
func (l *Lease) usable(g *picture.Group) (n int) {
	for _, m := range g.Members {
		if m.Voter && l.heard(g, m) {
			n++
		}
	}
	return n
}

func voters(g *picture.Group) (n int) {
	for _, m := range g.Members {
		if m.Voter {
			n++
		}
	}
	return n
}

// quorum is how many voters an election needs. Of a pair either node may be elected without the other.
func quorum(g *picture.Group) int {
	if g.Pair {
		return 1
	}
	return voters(g)/2 + 1
}

// heard reports whether the member's agent has been heard lately.
func (l *Lease) heard(g *picture.Group, m picture.Member) bool {
	return m.Node == g.Self || m.Heard >= 0 && m.Heard <= l.config.DownAfter
}

// serverDown reports whether the member's server can't be used, or nobody can tell.
func (l *Lease) serverDown(g *picture.Group, m picture.Member) bool {
	switch m.Unfit.Code {
	case words.NotSeen, words.ServerGone, words.ServerSilent, words.ServerStopped, words.ServerLoading, words.Unreachable:
		return true
	}
	return !m.Known || !l.heard(g, m)
}

// replicasOf returns the data nodes but the master's.
func replicasOf(g *picture.Group, master words.Node) []picture.Member {
	var out []picture.Member
	for _, m := range g.Members {
		if m.Data && m.Node != master {
			out = append(out, m)
		}
	}
	return out
}

// otherVoters returns the voters but this node.
func otherVoters(g *picture.Group) []picture.Member {
	var out []picture.Member
	for _, m := range g.Members {
		if m.Voter && m.Node != g.Self {
			out = append(out, m)
		}
	}
	return out
}

// address is where clients reach the node's server of the group.
func address(n *picture.Node, g *picture.Group, node words.Node) netip.AddrPort {
	a, ok := n.Addrs[node]
	if !ok || g.RedisPort == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a, g.RedisPort)
}

// identity is what a node's face calls itself with MYID. It follows from the node's name and address, so that every
// node can tell the identities of all.
func identity(n *picture.Node, node words.Node) string {
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
