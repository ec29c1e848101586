package sentinel

import (
	"strings"
	"time"

	"redkeep/internal/words"
)

// group is one master with its replicas, and the other Sentinels that watch it.
type group struct {
	machine *Machine
	name    string
	master  *instance
	// replicas and sentinels are in the order in which they were found; replicaAt and find look one up.
	replicas, sentinels []*instance

	quorum                     int
	downAfter, failoverTimeout time.Duration
	rebootDownAfter            time.Duration
	parallelSyncs              int
	authUser, authPass         string
	renames                    map[string]string // by the command in capitals
	notify, reconfigure        string            // the scripts

	configEpoch uint64
	// leader is whom this Sentinel voted for in leaderEpoch; voteTicket is the save after which that is on disk.
	leader      string
	leaderEpoch uint64
	voteTicket  uint64
	failover    failover
	// wouldAt is when observe mode would have failed over, to wouldBe, which it has yet to choose where wouldChoose is set.
	wouldAt     words.Instant
	wouldBe     string
	wouldChoose bool
}

// word is what the group's servers call a command.
func (g *group) word(command string) string {
	if w, renamed := g.renames[command]; renamed {
		return w
	}
	return command
}

// all calls do for every instance of the group.
func (g *group) all(do func(*instance)) {
	do(g.master)
	for _, i := range g.replicas {
		do(i)
	}
	for _, i := range g.sentinels {
		do(i)
	}
}

// replicaAt returns the group's replica at an address, or nil.
func (g *group) replicaAt(a Address) *instance {
	for _, i := range g.replicas {
		if i.addr.same(a) {
			return i
		}
	}
	return nil
}

// address is where the group's master is, as it is told to everybody: from the promotion on, the promoted replica's.
func (g *group) address() Address {
	if g.failover.promoted != nil && g.failover.state >= reconfReplicas {
		return g.failover.promoted.addr
	}
	return g.master.addr
}

// addReplica takes in a replica that the master's INFO lists.
func (m *Machine) addReplica(g *group, at Address) *instance {
	i := m.newInstance(g, replica, at, nil)
	g.replicas = append(g.replicas, i)
	return i
}

// newGroup makes a group with its master.
func (m *Machine) newGroup(name string, at Address, quorum int) *group {
	g := &group{
		machine: m, name: name, quorum: quorum, downAfter: m.periods.DefaultDownAfter,
		failoverTimeout: m.periods.DefaultFailoverTimeout, parallelSyncs: 1,
	}
	g.master = m.newInstance(g, master, at, nil)
	m.groups = append(m.groups, g)
	m.byName[name] = g
	return g
}

// dissolve forgets a group with all that belongs to it.
func (m *Machine) dissolve(g *group) {
	g.all(m.forget)
	delete(m.byName, g.name)
	for i, other := range m.groups {
		if other == g {
			m.groups = append(m.groups[:i], m.groups[i+1:]...)
			return
		}
	}
}

// reset forgets what was found out about the group's servers and of a failover, and where all is set of the other
// Sentinels, too. Epochs and votes stay.
func (m *Machine) reset(g *group, all bool) {
	for _, i := range g.replicas {
		m.forget(i)
	}
	g.replicas = nil
	if all {
		for _, i := range g.sentinels {
			m.forget(i)
		}
		g.sentinels = nil
	}
	g.failover = failover{}
	m.renew(g.master)
}

// renew has a master begin anew, with a link of its own and nothing known.
func (m *Machine) renew(i *instance) {
	m.leave(i)
	at, id, g := i.addr, i.id, i.group
	l := m.newLink(at, true)
	t := i.timer
	*i = instance{id: id, kind: master, group: g, addr: at, saysMaster: true, roleSince: m.now, link: l, timer: t}
	l.join(i)
	m.rouse(&i.timer, m.now)
}

// moveMaster has the group's master be at another address; the one before becomes a replica.
func (m *Machine) moveMaster(g *group, to Address) {
	from := g.master.addr
	var others []Address
	for _, r := range g.replicas {
		if !r.addr.same(to) {
			others = append(others, r.addr)
		}
	}
	if !from.same(to) {
		others = append(others, from)
	}
	g.master.addr = to
	m.reset(g, false)
	for _, a := range others {
		m.notice(Normal, "+slave", m.addReplica(g, a))
	}
	m.save()
}

// masterIsSane says whether nothing is known to be wrong with the master, and it has said so lately: what replicas are told to
// follow must be that.
func (m *Machine) masterIsSane(g *group) bool {
	i := g.master
	return i.saysMaster && !i.sDown && !i.oDown && i.infoAt != 0 && m.since(i.infoAt) < 2*m.periods.Info
}

// find returns the other Sentinel with that ID, or nil.
func (g *group) find(id string) *instance {
	for _, s := range g.sentinels {
		if strings.EqualFold(s.runID, id) {
			return s
		}
	}
	return nil
}

// voters is how many Sentinels the group has, down ones and this one included.
func (g *group) voters() int { return len(g.sentinels) + 1 }

// failoverBarred is until when this Sentinel begins no failover of its own: twice the timeout after its last, or after its vote
// for another's.
func (g *group) failoverBarred() words.Instant {
	if g.failover.began == 0 {
		return 0
	}
	return g.failover.began.Add(2 * g.failoverTimeout)
}
