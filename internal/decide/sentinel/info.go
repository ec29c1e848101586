package sentinel

import (
	"net/netip"
	"slices"
)

// onInformed takes what a server says of itself.
func (m *Machine) onInformed(i *instance, n *Info) {
	i.infoAsked = false
	if n == nil {
		m.rouse(&i.timer, m.now.Add(m.periods.Ping))
		return
	}
	first := i.infoAt == 0
	i.infoAt, i.infoText, i.handsOver = m.now, n.Text, n.HandsOver
	m.noteRunID(i, n.RunID)
	if i.kind == master && n.Master {
		m.noteReplicas(i.group, n.Replicas)
	}
	if i.kind == replica {
		m.noteReplica(i, n)
	}
	m.noteRole(i, n)
	if !m.tilt {
		m.answerInfo(i, n)
	}
	// The next is due from now on: sooner than thought, where something is happening.
	m.rouse(&i.timer, m.unhurried(i, m.now.Add(m.infoPeriod(i))+m.patience(i)))
	g := i.group
	if first || i == g.failover.promoted || g.master.oDown || g.failover.state == selectReplica || i == g.master && g.failover.demoted {
		m.prompt(g)
	}
}

// noteRunID tells a restarted server by its new run ID.
func (m *Machine) noteRunID(i *instance, id string) {
	if id == "" || id == i.runID {
		return
	}
	if i.runID != "" {
		m.notice(Normal, "+reboot", i)
		if i.kind == master && i.group.rebootDownAfter > 0 {
			i.rebooted, i.rebootedSince = true, m.now
			m.rouse(&i.timer, m.now)
		}
	}
	i.runID = id
}

// noteReplicas takes in the replicas that were not known.
func (m *Machine) noteReplicas(g *group, all []Address) {
	for _, a := range all {
		if !m.mayKnow(a) || g.replicaAt(a) != nil {
			continue
		}
		m.notice(Normal, "+slave", m.addReplica(g, a))
		m.save()
	}
}

func (m *Machine) noteReplica(i *instance, n *Info) {
	if !n.Master {
		follows := At(n.MasterHost, n.MasterPort)
		if follows != i.follows {
			i.follows, i.followsSince = follows, m.now
		}
	}
	i.linkUp, i.linkDown = n.LinkUp, n.LinkDown
	i.priority, i.offset, i.unannounced = n.Priority, n.Offset, !n.Announced
}

// noteRole tells a change of the role that a server reports: + where it is what the server should be.
func (m *Machine) noteRole(i *instance, n *Info) {
	if n.Unclear || n.Master == i.saysMaster {
		return
	}
	i.saysMaster, i.roleSince = n.Master, m.now
	if i.kind == replica {
		i.followsSince = m.now
	}
	channel, role := "-role-change", "slave"
	if n.Master == (i.kind == master) {
		channel = "+role-change"
	}
	if n.Master {
		role = "master"
	}
	m.notice(Verbose, channel, i, "new reported role is "+role)
}

// answerInfo does what a server's role asks for. A master that calls itself a replica is left to checkSubjectively.
func (m *Machine) answerInfo(i *instance, n *Info) {
	if i.kind != replica {
		return
	}
	if n.Master {
		if i == i.group.failover.promoted && i.group.failover.state == waitPromotion {
			m.onPromoted(i.group)
			return
		}
		m.convert(i)
		return
	}
	m.repoint(i)
	m.noteReconf(i)
}

// convert makes a replica of what calls itself a master beside the group's own, which is what an old master does that comes back.
// It is given time first: another Sentinel may be promoting it.
func (m *Machine) convert(i *instance) {
	wait := 4 * m.periods.Publish
	if i.promotedInThis || m.justOrdered(i) || !m.masterIsSane(i.group) || !i.noDownFor(m.now, wait) || m.since(i.roleSince) <= wait {
		return
	}
	if m.order(i, i.group.master.addr) {
		m.notice(Normal, "+convert-to-slave", i)
	}
}

// repoint has a replica follow the group's master that follows somebody else.
func (m *Machine) repoint(i *instance) {
	g := i.group
	if i.follows.same(g.master.addr) || i.reconf != notReconfigured && g.failover.under() {
		return
	}
	if m.justOrdered(i) || !m.masterIsSane(g) || !i.noDownFor(m.now, g.failoverTimeout) || m.since(i.followsSince) <= g.failoverTimeout {
		return
	}
	if m.order(i, g.master.addr) {
		m.notice(Normal, "+fix-slave-config", i)
	}
}

// justOrdered reports whether the server's answer may be that to the question behind an order. One that refuses the order, by its users'
// rules or because the command has another name, would be given the next one at once, and that without an end.
func (m *Machine) justOrdered(i *instance) bool {
	return i.orderedAt != 0 && m.since(i.orderedAt) < min(busyInfo, m.periods.Info)
}

// noteReconf follows a replica on its way to the promoted one.
func (m *Machine) noteReconf(i *instance) {
	p := i.group.failover.promoted
	if p == nil {
		return
	}
	if i.reconf == reconfSent && i.follows.same(p.addr) {
		i.reconf = reconfInProgress
		m.notice(Normal, "+slave-reconf-inprog", i)
	}
	if i.reconf == reconfInProgress && i.linkUp {
		i.reconf = reconfDone
		m.notice(Normal, "+slave-reconf-done", i)
	}
	m.prompt(i.group)
}

// order makes a server follow another, or none where to is zero, and asks it at once how that went.
func (m *Machine) order(i *instance, to Address) bool {
	l := i.link
	if !l.open() {
		return false
	}
	g := i.group
	if m.setup.Observe {
		m.wouldOrder(i, to)
		return false
	}
	if !to.zero() {
		to = m.told(to)
	}
	m.do(Order{l.id, to, OrderNames{g.word("MULTI"), g.word("SLAVEOF"), g.word("CONFIG"), g.word("CLIENT"), g.word("EXEC")}})
	l.pending += OrderCommands
	m.do(AskInfo{l.id, i.id, g.word("INFO")})
	l.pending++
	i.infoAsked, i.orderedAt = true, m.now
	return true
}

// resolved notes what a name was found to be.
func (m *Machine) resolved(l *link, ip netip.Addr) {
	l.addr.IP = ip
	for _, i := range slices.Clone(l.users) {
		i.addr.IP = ip
		if i.kind == replica {
			m.merge(i)
		}
	}
}

// merge ends a replica whose name has turned out to be that of one which is known: the other goes on by that name.
func (m *Machine) merge(i *instance) {
	g := i.group
	for _, other := range g.replicas {
		if other != i && other.addr.same(i.addr) {
			other.addr, other.link.addr = i.addr, i.addr
			g.replicas = slices.DeleteFunc(g.replicas, func(r *instance) bool { return r == i })
			m.forget(i)
			m.save()
			return
		}
	}
}
