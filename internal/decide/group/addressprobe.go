package group

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// addressProbe is the question whether a stranger has the group's address. It leaves when this node stands, beside the
// pre-vote and the vote, and is answered by the time that the server is promoted.
//
// Nobody is waited for longer than the budget: a lease is proof enough, and the holder before this one is silent behind its
// gate. Who does answer has no lease, and is no node that keeps to the rules: the group gets its master and not its address,
// since two hosts that answer for it would be worse than none.
type addressProbe struct {
	under decide.Ticket
	asked words.Instant
	// by is who answered; empty for nobody, or not known.
	by string
	// again is when the stranger is asked for once more, after a pause that grows.
	again words.Instant
	pause time.Duration
}

const (
	// probeBudget is how long a takeover waits for the answer: a kernel gives it within a millisecond, whatever has become of
	// its programs, and silence is told by nothing but time. probeFresh is how long a silence counts for the next attempt.
	probeBudget, probeFresh = 8 * time.Millisecond, 250 * time.Millisecond
	// probeAgain and probeMost are the first and the longest time between two questions to somebody who answers.
	probeAgain, probeMost = 50 * time.Millisecond, 30 * time.Second
)

// probeVIP asks, at the beginning of an attempt to be elected.
func (m *Machine) probeVIP() {
	p, fresh := &m.vip.probe, probeFresh
	if p.by != "" {
		fresh = probeAgain // whoever answered then may be gone
	}
	if !m.setup.VIP || p.asked != 0 && m.at < p.asked.Add(fresh) {
		return
	}
	p.by, p.pause = "", 0
	m.askProbe()
}

func (m *Machine) askProbe() {
	p := &m.vip.probe
	p.asked = m.at
	if p.under != 0 {
		return // a hand that is slow: its answer will do
	}
	p.under = m.ticket(func(ev decide.Event) {
		p.under = 0
		if e, ok := ev.(decide.Probed); ok {
			m.probed(e)
		}
	})
	m.do(decide.ProbeVIP{Ticket: p.under})
}

// probed takes the answer. Whoever was heard once is asked for again soon, before an alarm is raised: it may be a host that was
// just letting go. An answer that comes when the address is here already is another's claim like any other.
func (m *Machine) probed(e decide.Probed) {
	p := &m.vip.probe
	switch {
	case e.Taken && m.vip.wanted:
		m.claimed(e.By)
		return
	case e.Err == "" && !e.Taken:
		p.by, p.pause = "", 0
		return
	case e.Taken:
		if p.by != "" {
			m.troubleVIP(words.Reason{Code: words.VIPTaken, Node: m.setup.Self, Text: e.By})
		}
		p.by = e.By
	case p.by == "":
		return // not known, and nothing speaks against it
	}
	p.pause = nextProbe(p.pause)
	p.again = m.at.Add(p.pause)
}

// nextProbe is how long a stranger is left alone before it is asked for again.
func nextProbe(pause time.Duration) time.Duration {
	switch {
	case pause == 0:
		return probeAgain
	case pause < 200*time.Millisecond:
		return 200 * time.Millisecond
	case pause < time.Second:
		return time.Second
	}
	return min(2*pause, probeMost)
}

// vipFree reports whether the address may be taken: nobody has answered for it, or nobody has in time.
func (m *Machine) vipFree() bool {
	p := &m.vip.probe
	if m.setup.Off.Off(decide.ProbeFirst) {
		return true
	}
	if p.by != "" {
		if p.under == 0 && m.at >= p.again {
			m.askProbe()
		}
		return false
	}
	return p.under == 0 || m.at >= p.asked.Add(probeBudget)
}

// wakeProbe is when the answer has been waited for long enough, or the next question is due.
func (m *Machine) wakeProbe() words.Instant {
	p := &m.vip.probe
	switch {
	case p.by == "" && p.under != 0:
		return p.asked.Add(probeBudget)
	case p.by != "" && p.under == 0:
		return p.again
	}
	return 0
}
