package group

import (
	"reflect"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/decide/quorum"
	"redkeep/internal/words"
)

// gateDesk is the gate as it was last confirmed, and as it was last asked for.
type gateDesk struct {
	state decide.GateState
	// asked is the state on its way to the kernel, pending how many are.
	asked   decide.GateState
	pending int
	// retryAt holds repeats of a failing order back; renewAt is when an opening that ends by itself is asked for again.
	retryAt, renewAt words.Instant
	// failing is since when every order has failed; 0 where the last one did not.
	failing words.Instant
	fence   words.Fence
	why     string
	// bare says that the gate covers the server's ports, and not the answers for the group's address.
	bare bool
}

// setGate brings the gate into a state and then goes on, with the error if it failed.
func (m *Machine) setGate(want decide.GateState, then func(err string)) {
	m.gate.asked = want
	m.gate.pending++
	t := m.ticket(func(ev decide.Event) {
		m.gate.pending--
		err := failed(ev)
		if err == "" {
			m.gate.state, m.gate.renewAt, m.gate.failing = want, m.at.Add(want.For/2), 0
		} else {
			m.gate.retryAt = m.at.Add(gateRetry)
			if m.gate.failing == 0 {
				m.gate.failing = m.at
			}
			m.note(words.Reason{Code: words.GateFailed, Node: m.setup.Self, Text: err})
		}
		if then != nil {
			then(err)
		}
	})
	m.do(decide.SetGate{Ticket: t, Gate: want})
}

// freeSlot returns a slot to arm. What became of an order to the gate that failed is not known: the slot that it was last
// confirmed to point at is not armed either.
func (m *Machine) freeSlot(h *quorum.Hold) int {
	if g := m.gate.state; g.Mode == decide.GateSlot {
		return h.Slot(g.Slot)
	}
	return h.Slot(-1)
}

// gateRetry is how long an order to the gate that failed holds back the next.
const gateRetry = 20 * time.Millisecond

// wantGate brings the gate into a state unless it is there already, or something is on its way. An opening that ends by itself
// is renewed in time (rule reads-expire).
func (m *Machine) wantGate(want decide.GateState) {
	there := reflect.DeepEqual(m.gate.state, want) && (want.For == 0 || m.at < m.gate.renewAt)
	if m.gate.pending > 0 || there || m.at < m.gate.retryAt {
		return
	}
	m.setGate(want, nil)
}

// wakeGate is when an order to the gate that failed may go again.
func (m *Machine) wakeGate() words.Instant {
	if m.at < m.gate.retryAt {
		return m.gate.retryAt
	}
	return words.Never
}

// gateSeen takes the kernel's gate as the hand found it.
func (m *Machine) gateSeen(e decide.GateSeen) {
	m.gate.fence, m.gate.why, m.gate.bare = e.Fence, e.Why, e.Bare
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
	// promising says that a longer lease than any before is on its way to the disk.
	promising bool
	wrote     words.Instant
}

// persist writes the register and then goes on, unless the disk fails: what depended on it is then never told.
func (m *Machine) persist(then func()) {
	reg := m.copyRegister()
	m.disk.dirty = false
	m.disk.wrote = m.at
	if m.setup.Off.Off(decide.DurableVote) {
		m.do(decide.Persist{Ticket: m.ticket(func(decide.Event) {}), Register: reg})
		m.voter.Stored(reg.LMax)
		if then != nil {
			then()
		}
		return
	}
	t := m.ticket(func(ev decide.Event) {
		if err := failed(ev); err != "" {
			m.disk.broken = err
			m.note(words.Reason{Code: words.NotAdmitted, Node: m.setup.Self, Text: err})
			return
		}
		m.voter.Stored(reg.LMax)
		if then != nil {
			then()
		}
	})
	m.do(decide.Persist{Ticket: t, Register: reg})
}

// promise writes the longest lease that is asked for; grants of that length are given once it is there (rule l-max).
func (m *Machine) promise() {
	if m.disk.promising || m.disk.broken != "" {
		return
	}
	m.disk.promising = true
	m.persist(func() { m.disk.promising = false })
}

// copyRegister returns the register as it is now: actions are values.
func (m *Machine) copyRegister() words.Register {
	r := m.voter.Register
	r.Members = append([]words.Node(nil), r.Members...)
	r.Pending = append([]words.Node(nil), r.Pending...)
	r.Rows = append([]words.Row(nil), r.Rows...)
	r.Data = append([]words.Node(nil), r.Data...)
	r.InSync = append([]words.Node(nil), r.InSync...)
	r.Pause = m.pause()
	return r
}
