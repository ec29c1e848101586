package sentinel

import (
	"net/netip"
	"strconv"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// What a Machine answers to questions: as it is, at once, on the goroutine that steps it.

// Self is what the machine tells of itself.
type Self struct {
	ID                                  string
	CurrentEpoch                        uint64
	Tilt                                bool
	TiltFor                             time.Duration
	Simulate                            Simulate
	AnnounceIP                          string
	AnnouncePort                        int
	PeerUser, PeerPassword              string
	ResolveHostnames, AnnounceHostnames bool
}

// Self returns it.
func (m *Machine) Self() Self {
	s := Self{
		ID: m.myID, CurrentEpoch: m.currentEpoch, Tilt: m.tilt, Simulate: m.simulate, AnnounceIP: m.announceIP, AnnouncePort: m.announcePort,
		PeerUser: m.peerUser, PeerPassword: m.peerPassword, ResolveHostnames: m.resolveHostnames, AnnounceHostnames: m.announceHostnames,
	}
	if m.tilt {
		s.TiltFor = m.since(m.tiltSince)
	}
	return s
}

// Periods returns them as they are now.
func (m *Machine) Periods() Periods { return m.periods }

// Groups calls do with the names of the groups, in their order.
func (m *Machine) Groups(do func(name string)) {
	for _, g := range m.groups {
		do(g.name)
	}
}

// Address returns where a group's master is, as clients are told.
func (m *Machine) Address(name []byte) (host string, port int, ok bool) {
	g := m.byName[string(name)]
	if g == nil {
		return "", 0, false
	}
	a := g.address()
	return m.show(a), a.Port, true
}

// Master returns what is known of a group's master.
func (m *Machine) Master(at words.Instant, name string) (picture.Watched, bool) {
	g := m.byName[name]
	if g == nil {
		return picture.Watched{}, false
	}
	return m.watched(at, g.master), true
}

// Replicas appends what is known of a group's replicas, in the order in which they were found.
func (m *Machine) Replicas(at words.Instant, name string, to []picture.Watched) ([]picture.Watched, bool) {
	g := m.byName[name]
	if g == nil {
		return to, false
	}
	for _, i := range g.replicas {
		to = append(to, m.watched(at, i))
	}
	return to, true
}

// Sentinels appends what is known of the other Sentinels of a group.
func (m *Machine) Sentinels(at words.Instant, name string, to []picture.Watched) ([]picture.Watched, bool) {
	g := m.byName[name]
	if g == nil {
		return to, false
	}
	for _, i := range g.sentinels {
		to = append(to, m.watched(at, i))
	}
	return to, true
}

// OtherAt reports whether another Sentinel is known at a host's address.
func (m *Machine) OtherAt(ip netip.Addr) bool {
	for _, same := range m.peers {
		if same[0].addr.IP.Unmap() == ip {
			return true
		}
	}
	return false
}

// Cached calls do for the last INFO of a group's master and of each replica; text is "" where there was none.
func (m *Machine) Cached(at words.Instant, name string, do func(age time.Duration, text string)) bool {
	g := m.byName[name]
	if g == nil {
		return false
	}
	for _, i := range append([]*instance{g.master}, g.replicas...) {
		do(age(at, i.infoAt), i.infoText)
	}
	return true
}

// watched is one instance as it is told.
func (m *Machine) watched(at words.Instant, i *instance) picture.Watched {
	g, l := i.group, i.link
	w := picture.Watched{
		Name: m.nameOf(i), Host: m.show(i.addr), Port: i.addr.Port, RunID: i.runID, Flags: i.flags(),
		PendingCommands: l.pending + l.unanswered, Refcount: len(l.users),
		LastPingSent: age(at, l.pinged), LastOKPing: age(at, l.alive), LastPing: age(at, l.ponged),
		DownAfter: g.downAfter, InfoRefresh: age(at, i.infoAt), RoleReported: "slave", RoleReportedTime: age(at, i.roleSince),
	}
	if i.saysMaster {
		w.RoleReported = "master"
	}
	if i.sDown {
		w.SDown = age(at, i.sDownSince)
	}
	if i.oDown {
		w.ODown = age(at, i.oDownSince)
	}
	switch i.kind {
	case master:
		g.describe(&w)
	case replica:
		w.MasterLinkDown, w.MasterLinkUp, w.Priority, w.Offset, w.ReplicaAnnounced = i.linkDown, i.linkUp, i.priority, i.offset, !i.unannounced
		w.MasterHost, w.MasterPort = i.follows.Host, i.follows.Port
	case sentinel:
		w.LastHello, w.VotedLeader, w.VotedLeaderEpoch = age(at, i.heardAt), i.leader, i.leaderTerm
	}
	return w
}

// describe fills in what only a master has.
func (g *group) describe(w *picture.Watched) {
	if g.failover.under() {
		w.FailoverState = g.failover.state.String()
	}
	w.ConfigEpoch, w.Replicas, w.Sentinels, w.Quorum = g.configEpoch, len(g.replicas), len(g.sentinels), g.quorum
	w.FailoverTimeout, w.ParallelSyncs = g.failoverTimeout, g.parallelSyncs
	w.NotificationScript, w.ReconfigScript = g.notify, g.reconfigure
}

// age is how long ago an instant was, 0 for none.
func age(now, then words.Instant) time.Duration {
	if then == 0 {
		return 0
	}
	return max(0, now.Sub(then))
}

func itoa(n int) string { return strconv.Itoa(n) }

func millis(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// Quorum counts the Sentinels of a group: all that are known, those that are not down, both with this one, and the quorum.
func (m *Machine) Quorum(name string) (voters, usable, needed int, ok bool) {
	g := m.byName[name]
	if g == nil {
		return 0, 0, 0, false
	}
	usable = 1
	for _, s := range g.sentinels {
		if !s.sDown {
			usable++
		}
	}
	return g.voters(), usable, g.quorum, true
}
