package gate

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"redkeep/internal/words"
)

// Slots is the number of slots that a group has, numbered from 0. The protocol needs ceil(RTT/beat)+2 of them.
const Slots = 12

// nameLimit is the longest group name, in bytes, that fits twice into a comment, whose length is one byte.
const nameLimit = 90

// Mode is what the gate does with the ports of one group.
type Mode uint8

// The modes of a group's ports.
const (
	// Absent lets everything through: there is no rule for the ports. They are known, so that a slot can be armed.
	Absent Mode = iota
	// Shut refuses everything but the agent's own connections and resets.
	Shut
	// Leased is open while the element of one slot lives, and shut when it has run out.
	Leased
	// Opened is open without a lease, for a confirmed replica's readers; for ever, or for a time.
	Opened
	// ReplicationOnly is shut but for the connections of the given peers.
	ReplicationOnly
)

// String returns the mode's word as status prints it.
func (m Mode) String() string {
	switch m {
	case Absent:
		return "absent"
	case Shut:
		return "shut"
	case Leased:
		return "leased"
	case Opened:
		return "open"
	case ReplicationOnly:
		return "replication only"
	default:
		return fmt.Sprintf("mode %d", uint8(m))
	}
}

// Want is the desired state of one group's gate.
type Want struct {
	// Ports are the TCP ports of the group's server on this host: the plain one, and the TLS one if there is one.
	Ports []uint16
	// Mode is what to do with them.
	Mode Mode
	// Slot is the slot to point at; read only in mode Leased.
	Slot int
	// For ends mode Opened by itself after that time, counted from the call and at least a millisecond; 0 is for ever.
	For time.Duration
	// Peers are the remote ends of the connections that mode ReplicationOnly lets through. The next port does not pass.
	Peers []netip.AddrPort
	// Addresses are the group's virtual addresses: none, one, or one of each family. What this host sends to claim one, by ARP
	// or by neighbour discovery, passes only in mode Leased while the slot lives, and in mode Absent.
	Addresses []netip.Addr
	// Watch counts and logs what would be refused, and refuses nothing.
	Watch bool

	// lentElsewhere says that the element of a timed opening is not to be written.
	lentElsewhere bool
}

// errPorts is the cause for a Want that names no port.
var errPorts = errors.New("no port given")

// check returns why the kernel could not be told this.
func (w Want) check(group words.Group) error {
	switch {
	case group == "" || len(group) > nameLimit:
		return fmt.Errorf("group name of %d bytes: 1 to %d are possible", len(group), nameLimit)
	case len(w.Ports) == 0 || slices.Contains(w.Ports, 0):
		return errPorts
	case !validAddresses(w.Addresses):
		return fmt.Errorf("virtual addresses %v: one of each family is possible", w.Addresses)
	case w.Mode > ReplicationOnly:
		return fmt.Errorf("unknown %s", w.Mode)
	case w.Mode == Leased:
		return checkSlot(w.Slot)
	case w.For < 0 || w.For > 0 && w.For < time.Millisecond:
		return fmt.Errorf("opening for %s: less than a millisecond", w.For)
	}
	return nil
}

// validAddresses allows one address of each family, of the kind that a host can have.
func validAddresses(addresses []netip.Addr) bool {
	var four, six int
	for _, a := range addresses {
		if !a.IsValid() || a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() {
			return false
		}
		if a.Unmap().Is4() {
			four++
		} else {
			six++
		}
	}
	return four <= 1 && six <= 1
}

func checkSlot(slot int) error {
	if slot < 0 || slot >= Slots {
		return fmt.Errorf("slot %d: slots are 0 to %d", slot, Slots-1)
	}
	return nil
}

// tidy returns a copy that shares nothing with the caller, with fields that the mode does not read left out.
func (w Want) tidy() Want {
	out := Want{Ports: slices.Clone(w.Ports), Mode: w.Mode, Watch: w.Watch}
	slices.Sort(out.Ports)
	out.Ports = slices.Compact(out.Ports)
	for _, a := range w.Addresses {
		out.Addresses = append(out.Addresses, a.Unmap().WithZone(""))
	}
	slices.SortFunc(out.Addresses, netip.Addr.Compare)
	switch w.Mode {
	case Leased:
		out.Slot = w.Slot
	case Opened:
		out.For = w.For
	case ReplicationOnly:
		for _, p := range w.Peers {
			out.Peers = append(out.Peers, netip.AddrPortFrom(p.Addr().Unmap().WithZone(""), p.Port()))
		}
		slices.SortFunc(out.Peers, netip.AddrPort.Compare)
		out.Peers = slices.Compact(out.Peers)
	}
	return out
}

// same reports whether the kernel need not be told b when it was told a. A timed opening is always told anew.
func (w Want) same(b Want) bool {
	return w.Mode == b.Mode && w.Slot == b.Slot && w.For == 0 && b.For == 0 && w.Watch == b.Watch &&
		slices.Equal(w.Ports, b.Ports) && slices.Equal(w.Peers, b.Peers) && slices.Equal(w.Addresses, b.Addresses)
}
