package group

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/decide/rank"
	"redkeep/internal/decide/takeover"
	"redkeep/internal/words"
)

// handover is the holder's side of a planned switchover.
type handover struct {
	walk     *takeover.Walk
	target   words.Node
	round    uint64
	offset   words.Offset
	links    []decide.Link
	began    words.Instant
	deadline words.Instant
	again    words.Instant
	then     func(err words.Reason)
}

// targetOf is the target's side.
type targetOf struct {
	from  words.Node
	round uint64
	asked words.Offset
}

// handoverBudget bounds a switchover up to its release; the pause of writes is bounded by the lease.
const handoverBudget = 2 * time.Second

// closed reports whether the gate has been shut to clients: no slot is activated from then on.
func (h *handover) closed() bool {
	return h != nil && (h.walk.Now() == takeover.CloseClients || h.walk.Past(takeover.CloseClients))
}

// beginHandover starts a switchover to the target.
func (m *Machine) beginHandover(target words.Node, then func(words.Reason)) {
	m.handover = &handover{
		walk: takeover.Over(m.setup.Off), target: target, round: m.setup.Random(),
		began: m.at, deadline: m.at.Add(handoverBudget), then: then,
	}
	m.walkOver()
}

// bestTarget returns the data node that would take over with nothing lost, and why there is none.
func (m *Machine) bestTarget() (words.Node, words.Reason) {
	why := words.Reason{Code: words.NotInSync, Node: m.setup.Self}
	level := m.level()
	for _, e := range rank.Order(m.setup.Data, m.claims(), m.voter.Register.Rows, m.setup.Off) {
		if e.Node == m.setup.Self {
			continue
		}
		if !e.Out.Zero() {
			why = e.Out
			continue
		}
		for _, n := range level {
			if n == e.Node {
				return n, words.Reason{}
			}
		}
		why = words.Reason{Code: words.NotInSync, Node: e.Node}
	}
	return "", why
}

// walkOver takes the next step.
func (m *Machine) walkOver() {
	h := m.handover
	next := func() {
		if m.handover == h {
			h.walk.Done()
			m.walkOver()
		}
	}
	switch h.walk.Now() {
	case takeover.Prepare:
		m.askTarget(decide.Prepare{Round: h.round, Epoch: m.holder.hold.Epoch})
	case takeover.Pause:
		m.instruct(decide.Pause{RunID: m.holder.run, For: m.setup.Lease}, func(d decide.Ordered) { m.took(h, d, true, next) })
	case takeover.Level, takeover.LevelAgain:
		m.askTarget(decide.Level{Round: h.round, Offset: h.offset})
	case takeover.CloseClients:
		m.setGate(decide.GateState{Mode: decide.GateReplication, Links: h.links}, func(err string) {
			if err != "" && m.handover == h {
				m.callOff(words.Reason{Code: words.GateFailed, Node: m.setup.Self, Text: err})
				return
			}
			next()
		})
	case takeover.Reread:
		m.instruct(decide.Look{}, func(d decide.Ordered) { m.took(h, d, false, next) })
	case takeover.KillClients:
		m.instruct(decide.KillClients{RunID: m.holder.run}, func(decide.Ordered) { next() })
	case takeover.End:
		m.letGo(words.Reason{Code: words.HandedOver, Node: m.setup.Self, Other: h.target, N: m.at.Sub(h.began).Microseconds()},
			takeoverEnd{successor: h.target, offset: h.offset, then: func() { h.then(words.Reason{}) }})
	}
}

// took takes the offset that an order of the switchover brought back.
func (m *Machine) took(h *handover, d decide.Ordered, links bool, next func()) {
	if m.handover != h {
		return
	}
	if d.Err != "" || d.Server.Role != words.RoleMaster || d.Server.RunID != m.holder.run {
		m.callOff(words.Reason{Code: words.SwitchCalled, Node: m.setup.Self, Other: h.target, Text: d.Err})
		return
	}
	h.offset = d.Server.Offset
	if links {
		h.links = d.Links
	}
	next()
}

func (m *Machine) askTarget(msg decide.Message) {
	m.handover.again = m.at.Add(15 * time.Millisecond)
	m.send(m.handover.target, msg)
}

func (m *Machine) onPrepared(from words.Node, p decide.Prepared) {
	h := m.handover
	if h == nil || from != h.target || p.Round != h.round || h.walk.Now() != takeover.Prepare {
		return
	}
	if !p.OK {
		m.callOff(p.Reason)
		return
	}
	if m.desk.busy {
		m.callOff(words.Reason{Code: words.ServerBusy, Node: m.setup.Self})
		return
	}
	h.walk.Done()
	m.walkOver()
}

func (m *Machine) onLeveled(from words.Node, l decide.Leveled) {
	h := m.handover
	if h == nil || from != h.target || l.Round != h.round || l.Offset < h.offset {
		return
	}
	if s := h.walk.Now(); s == takeover.Level || s == takeover.LevelAgain {
		h.walk.Done()
		m.walkOver()
	}
}

// callOff puts everything back as it was: before the release, any failure means that.
func (m *Machine) callOff(why words.Reason) {
	h := m.handover
	m.handover = nil
	m.note(words.Reason{Code: words.SwitchCalled, Node: h.target, Text: why.String()})
	if h.walk.Past(takeover.Prepare) {
		m.unpause = true
	}
	if h.closed() {
		if until, seq := m.holdUntil(); m.at < until {
			m.point(until, seq, nil)
		}
	}
	h.then(why)
}

func (m *Machine) tendHandover() {
	h := m.handover
	if h == nil {
		return
	}
	if m.holder == nil {
		m.handover = nil
		return
	}
	if m.at >= h.deadline || h.walk.Past(takeover.Prepare) && m.at >= h.began.Add(m.setup.Lease) {
		m.callOff(words.Reason{Code: words.SwitchCalled, Node: h.target, N: m.at.Sub(h.began).Milliseconds()})
		return
	}
	if h.again == 0 || m.at < h.again {
		return
	}
	switch h.walk.Now() {
	case takeover.Prepare, takeover.Level, takeover.LevelAgain:
		m.walkOver()
	}
}

func (m *Machine) wakeHandover() words.Instant {
	h := m.handover
	if h == nil {
		return words.Never
	}
	at := h.deadline
	if h.walk.Past(takeover.Prepare) {
		at = min(at, h.began.Add(m.setup.Lease))
	}
	switch h.walk.Now() {
	case takeover.Prepare, takeover.Level, takeover.LevelAgain:
		at = min(at, h.again)
	}
	return at
}

// onPrepare asks the others, as the target, whether they would vote if the holder released: nothing is paused before.
func (m *Machine) onPrepare(from words.Node, p decide.Prepare) {
	if m.target != nil && m.target.round == p.Round && m.candidate != nil {
		return // asked again while the answer is on its way
	}
	no := func(why words.Reason) { m.send(from, decide.Prepared{Round: p.Round, Reason: why}) }
	why := m.unfit()
	switch {
	case !m.data():
		no(words.Reason{Code: words.Witness, Node: m.setup.Self})
	case !why.Zero():
		no(why)
	case m.candidate != nil || m.holder != nil || m.admission != nil:
		no(words.Reason{Code: words.Elections, Node: m.setup.Self})
	case m.at < m.voter.Settled():
		// It could not stand yet, though the others would vote for it.
		no(words.Reason{Code: words.RestartWaiting, Node: m.setup.Self, N: m.voter.Settled().Sub(m.at).Milliseconds()})
	case m.voter.Grant.Holder == from && m.voter.Grant.Epoch < p.Epoch:
		// The holder's epoch is new, and its first beat is not here yet; it asks again in a moment.
	case m.voter.Grant.Holder != from || m.voter.Grant.Epoch != p.Epoch:
		no(words.Reason{Code: words.HolderHeard, Node: m.voter.Grant.Holder})
	default:
		m.target = &targetOf{from: from, round: p.Round}
		m.stand(decide.BasisLineage, true, false, func(ok bool, why words.Reason) {
			m.send(from, decide.Prepared{Round: p.Round, OK: ok, Reason: why})
		})
	}
}

// onLevel answers when the own server has applied the offset, in the holder's history: offsets of another say nothing (rule
// same-history).
func (m *Machine) onLevel(from words.Node, l decide.Level) {
	t := m.target
	if t == nil || t.from != from || t.round != l.Round || m.desk.busy {
		return
	}
	t.asked = l.Offset
	m.instruct(decide.AwaitOffset{Offset: l.Offset, For: m.setup.Lease / 2}, func(d decide.Ordered) {
		row := m.voter.Register.Newest()
		same := row.Holder == from && rank.Contains(d.Server.Position, row) || m.setup.Off.Off(decide.SameHistory)
		if d.Err == "" && !d.Server.Syncing && same {
			m.send(from, decide.Leveled{Round: l.Round, Offset: d.Server.Offset})
		}
	})
}
