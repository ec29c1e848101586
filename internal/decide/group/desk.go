package group

import (
	"reflect"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// gateDesk is the gate as it was last confirmed, and as it was last asked for.
type gateDesk struct {
	state decide.GateState
	// asked is the state on its way to the kernel, pending how many are.
	asked   decide.GateState
	pending int
	fence   words.Fence
	why     string
}

// setGate brings the gate into a state and then goes on, with the error if it failed.
func (m *Machine) setGate(want decide.GateState, then func(err string)) {
	m.gate.asked = want
	m.gate.pending++
	t := m.ticket(func(ev decide.Event) {
		m.gate.pending--
		err := failed(ev)
		if err == "" {
			m.gate.state = want
		} else {
			m.note(words.Reason{Code: words.GateFailed, Node: m.setup.Self, Text: err})
		}
		if then != nil {
			then(err)
		}
	})
	m.do(decide.SetGate{Ticket: t, Gate: want})
}

// wantGate brings the gate into a state unless it is there already, or something is on its way.
func (m *Machine) wantGate(want decide.GateState) {
	if m.gate.pending > 0 || reflect.DeepEqual(m.gate.state, want) {
		return
	}
	m.setGate(want, nil)
}

// gateSeen takes the kernel's gate as the hand found it.
func (m *Machine) gateSeen(e decide.GateSeen) {
	m.gate.fence, m.gate.why = e.Fence, e.Why
	if !e.Broken {
		return
	}
	m.note(words.Reason{Code: words.GateBroken, Node: m.setup.Self, Text: e.By})
}

// orderDesk lets one order at a time go to the server: the newest intent waits until the one before it has been answered.
type orderDesk struct {
	busy bool
	// failedAt holds repeats of a failing order back.
	retryAt words.Instant
}

// order gives the server an order and then goes on with what came of it. The server as it was seen after the order is
// taken note of first.
func (m *Machine) instruct(o decide.Order, then func(decide.Ordered)) {
	m.desk.busy = true
	t := m.ticket(func(ev decide.Event) {
		m.desk.busy = false
		done, _ := ev.(decide.Ordered)
		done.Err = failed(ev)
		if done.Err == "" && done.Server.RunID != "" {
			m.seen(done.Server)
		}
		then(done)
	})
	m.do(decide.Instruct{Ticket: t, Order: o})
}

// diskDesk counts what is on its way to the disk.
type diskDesk struct {
	// broken is the error of a failed write: this voter votes no more until it is restarted, and goes on granting.
	broken string
	dirty  bool
	wrote  words.Instant
}

// persist writes the register and then goes on, unless the disk fails: what depended on it is then never told.
func (m *Machine) persist(then func()) {
	if m.setup.Off.Off(decide.DurableVote) {
		m.do(decide.Persist{Ticket: m.ticket(func(decide.Event) {}), Register: m.copyRegister()})
		if then != nil {
			then()
		}
		return
	}
	m.disk.dirty = false
	m.disk.wrote = m.at
	t := m.ticket(func(ev decide.Event) {
		if err := failed(ev); err != "" {
			m.disk.broken = err
			m.note(words.Reason{Code: words.NotAdmitted, Node: m.setup.Self, Text: err})
			return
		}
		if then != nil {
			then()
		}
	})
	m.do(decide.Persist{Ticket: t, Register: m.copyRegister()})
}

// copyRegister returns the register as it is now: actions are values.
func (m *Machine) copyRegister() words.Register {
	r := m.voter.Register
	r.Members = append([]words.Node(nil), r.Members...)
	r.Pending = append([]words.Node(nil), r.Pending...)
	r.Rows = append([]words.Row(nil), r.Rows...)
	r.InSync = append([]words.Node(nil), r.InSync...)
	return r
}
