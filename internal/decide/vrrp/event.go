package vrrp

import (
	"net/netip"

	"redkeep/internal/decide"
)

// Event is something that the machine is told. The set is closed: to read this file is to read all that can happen to it.
type Event interface{ event() }

type (
	// Began is the first event of all.
	Began struct{}
	// Passed says nothing but that time has passed.
	Passed struct{}
	// Heard is an advertisement that came in. Whose it is, the machine finds out.
	Heard struct {
		Link     string
		From, To netip.Addr
		// Hops is the TTL or hop limit that was left.
		Hops   int
		Advert Advert
		// Broken is why it can't be read, or ""; Advert then has what could be read.
		Broken string
	}
	// Done is the end of the action with that ticket. Failed is why it failed, or "": for a Probe, who answered; for an Ask, why not; for
	// an Advertise, why nobody was sent anything.
	Done struct {
		Ticket decide.Ticket
		Failed string
	}
	// Tracked is a check's first result, or another one than before.
	Tracked struct {
		Name   string
		Passed bool
	}
	// Sourced is this host's own address on a router's link, invalid where there is none: then the router is faulty.
	Sourced struct {
		ID   ID
		Addr netip.Addr
	}
	// Configured is another configuration, read while the machine runs.
	Configured struct{ Setup Setup }
	// Stop is RFC 5798's Shutdown, of all routers. They come to rest in the state Stopped.
	Stop struct{}
)

func (Began) event()      {}
func (Passed) event()     {}
func (Heard) event()      {}
func (Done) event()       {}
func (Tracked) event()    {}
func (Sourced) event()    {}
func (Configured) event() {}
func (Stop) event()       {}
