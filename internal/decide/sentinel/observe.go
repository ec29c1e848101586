package sentinel

import (
	"strconv"

	"redkeep/internal/words"
)

// In observe mode nothing is changed anywhere; what would have been is told, on channels of its own and in the log.

// wouldFailOver says once an outage that it would begin a failover now, and then which replica it would promote: after about the time that
// an election takes, in which the replicas say how far they are.
func (m *Machine) wouldFailOver(g *group) words.Instant {
	if !g.failover.wouldHaveRun {
		g.failover.wouldHaveRun, g.wouldAt, g.wouldBe, g.wouldChoose = true, m.now, "", true
		m.notice(Warning, "would-try-failover", g.master, "epoch", strconv.FormatUint(m.currentEpoch+1, 10), "down for", m.since(g.master.sDownSince).String())
	}
	if !g.wouldChoose {
		return words.Never
	}
	if at := max(g.wouldAt.Add(stagger), m.newsUntil(g, m.best(g), g.wouldAt)); m.now < at {
		return at
	}
	m.wouldPromote(g)
	return words.Never
}

func (m *Machine) wouldPromote(g *group) {
	g.wouldChoose = false
	r := m.best(g)
	if r == nil {
		m.notice(Warning, "would-abort-no-good-slave", g.master)
		return
	}
	g.wouldBe = m.joined(r.addr)
	m.notice(Warning, "would-promote", r, "offset", strconv.FormatInt(r.offset, 10), "priority", itoa(r.priority))
}

// wouldOrder says whom a server would have been told to follow.
func (m *Machine) wouldOrder(i *instance, to Address) {
	m.notice(Warning, "would-order", i, "to follow", m.spaced(to))
}

// wouldKillScript says that a script would have been ended.
func (m *Machine) wouldKillScript(i *instance) { m.notice(Warning, "would-kill-script", i) }

// compare says what the quorum has done, and when this one would have.
func (m *Machine) compare(g *group, to Address) {
	if !m.setup.Observe {
		return
	}
	if g.wouldChoose {
		m.wouldPromote(g)
	}
	text := "the quorum promoted " + m.joined(to) + " for " + g.name
	switch {
	case g.wouldAt == 0:
		text += ", whose master this one had not found down"
	case g.wouldBe == "":
		text += ", where this one would have found no replica fit, " + m.since(g.wouldAt).String() + " before"
	default:
		text += "; this one would have promoted " + g.wouldBe + ", " + m.since(g.wouldAt).String() + " before"
	}
	g.wouldAt = 0
	m.announce(Warning, "would-compare", text)
}
