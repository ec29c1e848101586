package decide

import (
	"time"

	"redkeep/internal/words"
)

// Event is something that a machine can notice. The set is closed.
type Event interface{ event() }

// Tick says that the instant asked for by Wake has come. A tick that comes early or late is harmless.
type Tick struct{}

// Received is a message from another node's agent, authenticated, in the order of arrival. Its Instant was read after the
// packet was (rule stamp-after-receive).
type Received struct {
	From    words.Node
	Session words.Session
	Message Message
}

// Done says that the action with this ticket has been carried out, or that it failed with Err ("" is success). What a
// failed action has changed is not known.
type Done struct {
	Ticket Ticket
	Err    string
}

// Ordered is the Done of an Order. Server is what the server said of itself after the order on the same connection; it
// is only to be believed where Err is empty. Links are the source addresses of its replicas' links, where asked for.
type Ordered struct {
	Ticket Ticket
	Err    string
	Server words.Server
	Links  []Link
}

// Seen is a fresh look at the node's own server.
type Seen struct{ Server words.Server }

// Complained is an answer of the server that tells it alive but not well, such as LOADING or BUSY.
type Complained struct {
	Kind Complaint
	Text string
}

// Lost says that the server's process has ended or that its connections have: no silence, a fact.
type Lost struct{ Cause LossCause }

// Silent says that the server owes an answer, and what its process does meanwhile. Busy means that its CPU time grew by
// at least half of the wall time since its last answer.
type Silent struct {
	For     time.Duration
	Process ProcessState
	Busy    bool
}

// Slept says that the agent did not run for this long: it was frozen, starved, or its host was suspended.
type Slept struct{ For time.Duration }

// GateSeen is the kernel's gate as the hand found it: at the start, and whenever another program has changed it.
type GateSeen struct {
	Gate GateState
	// Broken says that another program removed or changed it; By names the culprit where known. The hand restores it.
	Broken bool
	By     string
	Fence  words.Fence
	Why    string
	// Bare says that nothing keeps this host from answering for the group's address, wherever the lease is.
	Bare bool
}

// Probed answers a ProbeVIP. Taken says that somebody else answers for one of the addresses, and By who: address and MAC.
// With an Err it is not known.
type Probed struct {
	Ticket Ticket
	Err    string
	Taken  bool
	By     string
}

// VIPSeen says that the group's addresses on this host, or on its segment, are not as they were set.
type VIPSeen struct {
	// Claimed is who else answers for one of them (address and MAC); empty where nobody was heard to. It has been answered.
	Claimed string
	// Broken says that another program took an address away or changed it; By names the culprit where known. The hand
	// restores it, and Err says why it could not.
	Broken bool
	By     string
	// RanOut is the life of one that the kernel ended before its time; it is back.
	RanOut time.Duration
	Err    string
}

// Advertised is an advertisement of another router for the group's address (VRRP), heard on the segment or by unicast, in a pair. Wrong says why
// it can't be accepted, "" if it can: then it is good for Down from now, unless its sender leaves (priority 0).
type Advertised struct {
	By      string
	Leaving bool
	Down    time.Duration
	Wrong   string
}

// Reached says whether one of a pair's tie-breakers answers, and when the last question left that one has answered: 0 for none.
type Reached struct {
	OK    bool
	Asked words.Instant
}

// FailBackWindow says that the hours have begun or ended in which the group may go back to its preferred node.
type FailBackWindow struct{ Open bool }

// Asked is a request of a person or of the agent's own shutdown. Its answer is a Reply with the same ID.
type Asked struct {
	ID      uint64
	Request Request
}

func (Tick) event()           {}
func (Received) event()       {}
func (Done) event()           {}
func (Ordered) event()        {}
func (Seen) event()           {}
func (Complained) event()     {}
func (Lost) event()           {}
func (Silent) event()         {}
func (Slept) event()          {}
func (GateSeen) event()       {}
func (Probed) event()         {}
func (VIPSeen) event()        {}
func (Advertised) event()     {}
func (Reached) event()        {}
func (FailBackWindow) event() {}
func (Asked) event()          {}

// Complaint classes the error replies of a server.
type Complaint uint8

// The complaints that decisions tell apart.
const (
	ComplaintOther Complaint = iota
	ComplaintLoading
	ComplaintBusy
	ComplaintAuth
)

// LossCause says how a server was lost.
type LossCause uint8

// The causes of a loss. LossClosed alone (a connection ended) is followed by LossRefused or a Seen within milliseconds.
const (
	LossClosed LossCause = iota
	LossRefused
	LossExited
)

// ProcessState is what the kernel says of the server's process.
type ProcessState uint8

// The states that decisions tell apart.
const (
	ProcessUnknown ProcessState = iota
	ProcessRunning
	ProcessStopped
	ProcessGone
)
