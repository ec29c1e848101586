package group

import (
	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// check is the machine's own judge, after every step, in production too: a breach shuts the gate and stops the agent.
func (m *Machine) check() {
	if what := m.breach(); what != "" {
		m.setGate(decide.GateState{Mode: decide.GateShut}, nil)
		m.do(decide.Halt{Reason: words.Reason{Code: words.InvariantBroken, Node: m.setup.Self, Text: what}})
		m.asleep = true
	}
}

func (m *Machine) breach() string {
	r, h := m.voter.Register, m.holder
	if h == nil {
		if m.gate.asked.Mode == decide.GateSlot && m.leaving == nil && m.gate.pending > 0 {
			return "a slot is being opened without a lease"
		}
		if m.vip.wanted && !m.leaving.shutting() {
			return "the group's address is kept without a lease"
		}
		return ""
	}
	switch {
	case h.hold.Epoch > m.voter.Seen():
		return "a lease of an epoch that was never seen"
	case r.Vote.Epoch == h.hold.Epoch && r.Vote.Holder != m.setup.Self && r.Vote.Holder != "":
		return "a lease in an epoch in which this node voted for another"
	case h.open && m.gate.asked.Mode == decide.GateOpen:
		return "a writable master behind a gate without a deadline"
	case len(h.row.ReplID) == 0 && h.open:
		return "a writable master without a row"
	}
	return ""
}
