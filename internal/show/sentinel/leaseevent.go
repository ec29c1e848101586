package sentinel

import (
	"net/netip"
	"strings"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// event is one message to subscribers.
type event struct{ channel, payload string }

const switchMaster = "+switch-master"

// These channels of Sentinel have no counterpart under a lease, and nothing is published on them: +set, +reset-master,
// +sentinel-address-switch, +sentinel-address-update, +sentinel-invalid-addr, +failover-end-for-timeout, -failover-abort-*,
// +slave-reconf-*, +convert-to-slave, +fix-slave-config, -script-*. What they tell is in redkeep history.

// switched are the events of a switch, in Sentinel's order: this node's view as the winner's or as another's. All that is
// told comes from the one word that the master has moved, so it is told once, and whole.
func switched(n *picture.Node, g *picture.Group, epoch words.Epoch, from, to words.Node) []event {
	before, after := address(n, g, from), address(n, g, to)
	old := masterInstance(g, before)
	slave := slaveInstance(g, after, before)
	all := []event{{"+new-epoch", itoa(epoch)}}
	vote := event{"+vote-for-leader", identity(n, to) + " " + itoa(epoch)}
	if to == n.Node {
		all = append(all, event{"+try-failover", old}, vote, event{"+elected-leader", old},
			event{"+failover-state-select-slave", old}, event{"+selected-slave", slave},
			event{"+failover-state-send-slaveof-noone", slave}, event{"+failover-state-wait-promotion", slave},
			event{"+promoted-slave", slave}, event{"+failover-state-reconf-slaves", old}, event{"+failover-end", old})
	} else {
		all = append(all, vote, event{"+config-update-from", sentinelInstance(n, g, to, before)})
	}
	all = append(all, event{switchMaster, strings.Join([]string{
		string(g.Name), before.Addr().String(), itoa(before.Port()), after.Addr().String(), itoa(after.Port()),
	}, " ")})
	for _, m := range replicasOf(g, to) {
		all = append(all, event{"+slave", slaveInstance(g, address(n, g, m.Node), after)})
	}
	return all
}

// The three forms of an instance in payloads.

func masterInstance(g *picture.Group, at netip.AddrPort) string {
	return "master " + string(g.Name) + " " + spaced(at)
}

func slaveInstance(g *picture.Group, at, master netip.AddrPort) string {
	return "slave " + at.String() + " " + spaced(at) + " @ " + string(g.Name) + " " + spaced(master)
}

func sentinelInstance(n *picture.Node, g *picture.Group, node words.Node, master netip.AddrPort) string {
	return "sentinel " + identity(n, node) + " " + spaced(netip.AddrPortFrom(n.Addrs[node], n.ListenPort)) +
		" @ " + string(g.Name) + " " + spaced(master)
}

func spaced(a netip.AddrPort) string { return a.Addr().String() + " " + itoa(a.Port()) }

// sight is what the publisher saw of all groups when it looked last; its zero value has seen nothing.
type sight struct {
	groups map[words.Group]view
	tilt   bool
}

// view is what events tell of one group.
type view struct {
	group *picture.Group
	// told is the master as clients are told.
	told    words.Node
	down    bool
	members map[words.Node]memberView
}

// memberView is what events tell of one node.
type memberView struct {
	run                      words.RunID
	role                     words.Role
	serverDown, sentinelDown bool
}

// compare looks at the newest picture, and returns what has changed since last. Who has seen nothing yet is told nothing.
func (l *Lease) compare(last sight) (now sight, news []event) {
	n := l.look()
	now = sight{groups: make(map[words.Group]view, len(n.Groups)), tilt: tilted(n) >= 0}
	for i := range n.Groups {
		g := &n.Groups[i]
		v := l.view(g)
		now.groups[g.Name] = v
		if last.groups == nil {
			continue
		}
		if before, ok := last.groups[g.Name]; ok {
			news = append(news, l.changes(n, before, v)...)
		} else if at := address(n, g, v.told); at.IsValid() {
			news = append(news, event{"+monitor", masterInstance(g, at) + " quorum " + itoa(quorum(g))})
		}
	}
	for name, v := range last.groups {
		if _, ok := now.groups[name]; !ok {
			news = append(news, event{"-monitor", masterInstance(v.group, address(n, v.group, v.told))})
		}
	}
	switch {
	case last.groups == nil || now.tilt == last.tilt:
	case now.tilt:
		news = append(news, event{"+tilt", "#tilt mode entered"})
	default:
		news = append(news, event{"-tilt", "#tilt mode exited"})
	}
	return now, news
}

func (l *Lease) view(g *picture.Group) view {
	known, _ := l.master(g)
	v := view{group: g, told: known.node, down: !g.Writable, members: make(map[words.Node]memberView, len(g.Members))}
	for _, m := range g.Members {
		v.members[m.Node] = memberView{
			run: m.Server.RunID, role: m.Server.Role,
			serverDown: m.Data && l.serverDown(g, m), sentinelDown: m.Voter && !l.heard(g, m),
		}
	}
	return v
}

// changes are the events between two views of one group.
func (l *Lease) changes(n *picture.Node, before, now view) (news []event) {
	g := now.group
	at := address(n, g, now.told)
	if !at.IsValid() {
		return nil
	}
	master := masterInstance(g, at)
	switch {
	case now.down && !before.down:
		news = append(news, event{"+sdown", master},
			event{"+odown", master + " #quorum " + itoa(l.usable(g)) + "/" + itoa(quorum(g))})
	case !now.down && before.down && before.told == now.told:
		news = append(news, event{"-sdown", master}, event{"-odown", master})
	}
	for _, m := range g.Members {
		was, ok := before.members[m.Node]
		news = append(news, memberChanges(n, now, m, was, ok)...)
	}
	return news
}

// memberChanges are the events about one node: its server, unless that is the master's, and its agent.
func memberChanges(n *picture.Node, v view, m picture.Member, was memberView, known bool) (news []event) {
	g, is := v.group, v.members[m.Node]
	master := address(n, g, v.told)
	server := slaveInstance(g, address(n, g, m.Node), master)
	if m.Node == v.told {
		server = masterInstance(g, master)
	}
	if m.Data && known {
		if m.Node != v.told && is.serverDown != was.serverDown {
			news = append(news, event{sign(is.serverDown) + "sdown", server})
		}
		if is.run != was.run && is.run != "" && was.run != "" {
			news = append(news, event{"+reboot", server})
		}
		if is.role != was.role && is.role != words.RoleUnknown && was.role != words.RoleUnknown {
			fits := (is.role == words.RoleMaster) == (m.Node == v.told)
			news = append(news, event{sign(fits) + "role-change", server + " new reported role is " + roleWord(is.role)})
		}
	} else if m.Data && m.Node != v.told {
		news = append(news, event{"+slave", server})
	}
	if !m.Voter || m.Node == g.Self {
		return news
	}
	agent := sentinelInstance(n, g, m.Node, master)
	switch {
	case !known:
		news = append(news, event{"+sentinel", agent})
	case is.sentinelDown != was.sentinelDown:
		news = append(news, event{sign(is.sentinelDown) + "sdown", agent})
	}
	return news
}

func sign(b bool) string {
	if b {
		return "+"
	}
	return "-"
}
