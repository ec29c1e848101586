package sentinel

import (
	"net/netip"
	"time"
)

// Event is something that the machine is told. The set is closed: to read this file is to read all that can happen to it.
type Event interface{ event() }

// LinkID names the connections to one process, for as long as the machine keeps them.
type LinkID int

// InstanceID names one master, replica or Sentinel of one group, for as long as it is known. It is never used again.
type InstanceID int

// Channel is one of the two connections of a link.
type Channel uint8

// The channels: orders and questions go by one, hellos come by the other, which only servers of a group have.
const (
	Commands Channel = iota
	PubSub
)

// String returns Sentinel's word, with which connections name themselves.
func (c Channel) String() string {
	if c == PubSub {
		return "pubsub"
	}
	return "cmd"
}

type (
	// Linked says that a connection stands. Local is this end's address, Peer the one that was connected to.
	Linked struct {
		Link        LinkID
		Channel     Channel
		Local, Peer netip.Addr
	}
	// Lost says that a connection has ended, or could not be made.
	Lost struct {
		Link    LinkID
		Channel Channel
		Reason  string
	}
	// Ponged is the answer to a Ping, as an outcome.
	Ponged struct {
		Link LinkID
		Pong Pong
	}
	// Informed is the answer to an AskInfo. Info is nil if it was an error.
	Informed struct {
		Link     LinkID
		Instance InstanceID
		Info     *Info
	}
	// Greeted is the answer to a Greet.
	Greeted struct {
		Link     LinkID
		Instance InstanceID
		OK       bool
	}
	// Told is the answer to an AskDown; Valid is false where it had another shape.
	Told struct {
		Link     LinkID
		Instance InstanceID
		Valid    bool
		Down     bool
		// Leader is whom the other voted for in Epoch, or "*" where it was not asked for its vote.
		Leader string
		Epoch  uint64
	}
	// HandedOver is the answer to a HandOver: that it has begun, or why not.
	HandedOver struct {
		Link     LinkID
		Instance InstanceID
		Refused  string
	}
	// Done is the answer to one command of an Order.
	Done struct{ Link LinkID }
	// Heard is a message of the channel of hellos, on a PubSub connection. Hello is nil if it can't be read.
	Heard struct {
		Link  LinkID
		Hello *Hello
	}
	// Saved is the end of a Save, and of all before it.
	Saved struct {
		Ticket uint64
		Failed bool
	}
	// Began is the first event of all: what the file says is watched from now on.
	Began struct{}
	// Passed says nothing but that time has passed.
	Passed struct{}

	// Asked is a client's request. Answers to it are Reply actions with its ID, at once or later.
	Asked struct {
		ID      uint64
		Request Request
	}
)

// Pong is what the answer to a ping says of the other.
type Pong uint8

// The answers to a ping.
const (
	// PongOK is PONG itself.
	PongOK Pong = iota
	// PongLoading is alive and loads its data, PongMasterDown alive and has lost its master.
	PongLoading
	PongMasterDown
	// PongBusy runs a script that does not end.
	PongBusy
	// PongOther is any other answer: the process answers, and is not well.
	PongOther
)

// Info is what a server's INFO says, as far as Sentinel looks at it.
type Info struct {
	RunID string
	// Master is whether the role is master; a text without a role is Unclear.
	Master, Unclear bool
	// Replicas are those that a master lists.
	Replicas []Address
	// HandsOver says that the server knows the command FAILOVER.
	HandsOver bool
	// Of a replica. LinkDown is for how long it has been without its master.
	MasterHost string
	MasterPort int
	LinkUp     bool
	LinkDown   time.Duration
	Priority   int
	Offset     int64
	Announced  bool
	// Text is the whole, for SENTINEL INFO-CACHE.
	Text string
}

// Hello is one Sentinel's greeting: who it is, its epoch, and what it holds for the group's master.
type Hello struct {
	Addr         Address
	ID           string
	CurrentEpoch uint64
	Group        string
	Master       Address
	ConfigEpoch  uint64
}

func (Linked) event()     {}
func (Lost) event()       {}
func (Ponged) event()     {}
func (Informed) event()   {}
func (Greeted) event()    {}
func (Told) event()       {}
func (HandedOver) event() {}
func (Done) event()       {}
func (Heard) event()      {}
func (Saved) event()      {}
func (Began) event()      {}
func (Passed) event()     {}
func (Asked) event()      {}
