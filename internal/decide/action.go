package decide

import (
	"time"

	"redkeep/internal/words"
)

// Action is something that a machine wants done. The set is closed. The order of a slice of actions is the order of
// their effects, within each hand; across hands only a ticket orders.
type Action interface{ action() }

// Send gives a message to another node's agent. It may be lost, copied or late.
type Send struct {
	To      words.Node
	Message Message
}

// Persist writes the register to disk, synced, and answers with Done. Later Persists of a group contain the earlier ones.
type Persist struct {
	Ticket   Ticket
	Register words.Register
}

// Arm sets the element of a slot that the gate does not point at, so that it ends For from now, and answers with Done
// after the kernel has acknowledged it (rule arm-before-send).
type Arm struct {
	Ticket Ticket
	Slot   int
	For    time.Duration
}

// SetGate brings the gate in front of the group's ports into a state, in one transaction, and answers with Done. Setting
// the state that is in force is harmless.
type SetGate struct {
	Ticket Ticket
	Gate   GateState
}

// ResetClients ends the connections of the server's clients in the kernel, and answers with Done. Links of replicas in
// Keep survive.
type ResetClients struct {
	Ticket Ticket
	Keep   []Link
}

// Instruct gives the node's own server an order, and answers with Ordered.
type Instruct struct {
	Ticket Ticket
	Order  Order
}

// ProbeVIP asks the segment whether somebody else answers for the group's addresses, and answers with Probed. It changes
// nothing, here or elsewhere.
type ProbeVIP struct{ Ticket Ticket }

// SetVIP puts the group's addresses on this host or takes them off, and answers with Done when the kernel has said so.
//
// Up: the kernel removes them after For unless this is repeated (a second line behind the gate, in whole seconds); where they
// were not there before, they are announced. Fresh says that this master has just taken over: connections that are left over on
// them are reset first. Those of a master that goes on under a restarted agent are its clients'. Down: connections on them are
// reset before they go, or blocked clients would wait for ever; also on addresses that an agent before this one has left.
// Down and Linger: the same, but for that they do not go yet; nothing is said of them any more, and the gate is shut.
type SetVIP struct {
	Ticket Ticket
	Up     bool
	Fresh  bool
	For    time.Duration
	Linger bool
}

// AnnounceVIP says once more on the segment where the group's addresses are: after a heal. A claim of another's the hand
// answers by itself, and it repeats what it said now and then.
type AnnounceVIP struct{}

// Advertise tells the segment, or the peer, that this node has the group's address, and answers with Done when that has really
// been sent; Leaving tells that it has no more (VRRP's priority 0). A pair's only.
type Advertise struct {
	Ticket  Ticket
	Leaving bool
}

// Reach has a pair's tie-breakers asked now: the answer comes as Reached, and says when the question left.
type Reach struct{}

// Announce tells clients of the Sentinel face that the master's address has changed (+switch-master), once per epoch.
type Announce struct {
	Epoch    words.Epoch
	Old, New words.Node
}

// Note records a decision or a refusal: history, log and explain print it.
type Note struct{ Reason words.Reason }

// Reply answers a request. Final is false for progress. Err is empty on success; Why is its reason, where the core has one.
type Reply struct {
	ID    uint64
	Final bool
	Err   string
	Why   words.Reason
	Text  string
}

// Halt stops the agent, after the gate has been shut: an invariant is broken.
type Halt struct{ Reason words.Reason }

func (Send) action()         {}
func (Persist) action()      {}
func (Arm) action()          {}
func (SetGate) action()      {}
func (ResetClients) action() {}
func (Instruct) action()     {}
func (ProbeVIP) action()     {}
func (SetVIP) action()       {}
func (AnnounceVIP) action()  {}
func (Advertise) action()    {}
func (Reach) action()        {}
func (Announce) action()     {}
func (Note) action()         {}
func (Reply) action()        {}
func (Halt) action()         {}
