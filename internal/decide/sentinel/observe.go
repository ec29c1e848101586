package sentinel

import "strconv"

// In observe mode nothing is changed anywhere; what would have been is told, on channels of its own and in the log.

// wouldFailOver says once an outage what a failover would do now.
func (m *Machine) wouldFailOver(g *group) {
	if g.failover.wouldHaveRun {
		return
	}
	g.failover.wouldHaveRun = true
	m.notice(Warning, "would-try-failover", g.master, "epoch", strconv.FormatUint(m.currentEpoch+1, 10), "down for", m.since(g.master.sDownSince).String())
	if r := m.best(g); r != nil {
		m.notice(Warning, "would-promote", r, "offset", strconv.FormatInt(r.offset, 10), "priority", itoa(r.priority))
		return
	}
	m.notice(Warning, "would-abort-no-good-slave", g.master)
}

// wouldOrder says whom a server would have been told to follow.
func (m *Machine) wouldOrder(i *instance, to Address) {
	m.notice(Warning, "would-order", i, "to follow", m.spaced(to))
}
