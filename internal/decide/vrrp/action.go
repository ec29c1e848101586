package vrrp

import (
	"net/netip"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// Action is something that the machine wants done. The set is closed, and the order of a Step's actions is the order of their
// effects. Actions of one router are carried out one after another; each that has a Ticket other than 0 is answered by a Done.
type Action interface{ action() }

type (
	// Advertise sends an advertisement to each of To. It has failed where none of them was really sent one.
	Advertise struct {
		ID     ID
		Ticket decide.Ticket
		Link   string
		From   netip.Addr
		// To and Advert.Addresses must not be written to. Hops is what is left to what goes to a peer; 255 where it is 0.
		To     []netip.Addr
		Hops   uint8
		Advert Advert
	}
	// Ask asks whoever knows more than VRRP does. For Claim, whether this host may become master; for Yield, whether Peer, which outranks it, is
	// to be believed.
	Ask struct {
		ID       ID
		Ticket   decide.Ticket
		Question Question
		Peer     netip.Addr
	}
	// Probe asks the segment who has the addresses. It has failed where somebody answered.
	Probe struct {
		ID     ID
		Ticket decide.Ticket
	}
	// Promote makes this host's server the master, and returns when it has proved to be one.
	Promote struct {
		ID     ID
		Ticket decide.Ticket
	}
	// Demote ends that: writes are refused, and connections are reset, when it returns.
	Demote struct {
		ID     ID
		Ticket decide.Ticket
	}
	// SetAddress puts the addresses on, or renews them, until then; then the kernel takes them off. A renewal has the Ticket 0.
	SetAddress struct {
		ID     ID
		Ticket decide.Ticket
		Until  words.Instant
	}
	// DropAddress takes the addresses off.
	DropAddress struct {
		ID     ID
		Ticket decide.Ticket
	}
	// Announce tells the segment where the addresses are, that many times.
	Announce struct {
		ID     ID
		Repeat int
	}
	// Turned tells that a router is in another state, when all is done that belongs to it: the address is on in Master, and away in
	// all others.
	Turned struct {
		ID       ID
		To       State
		Priority uint8
	}
	// Contended tells that a master of less right was heard beside this one, and answered.
	Contended struct {
		ID   ID
		Peer netip.Addr
	}
	// Report tells of a trouble that began, changed, or with Over ended.
	Report struct {
		ID      ID
		Trouble Trouble
		Over    bool
	}
)

// Question is what is asked.
type Question uint8

// The questions.
const (
	Claim Question = iota + 1
	Yield
)

func (Advertise) action()   {}
func (Ask) action()         {}
func (Probe) action()       {}
func (Promote) action()     {}
func (Demote) action()      {}
func (SetAddress) action()  {}
func (DropAddress) action() {}
func (Announce) action()    {}
func (Turned) action()      {}
func (Contended) action()   {}
func (Report) action()      {}
