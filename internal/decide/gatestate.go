package decide

import (
	"fmt"
	"net/netip"
	"time"
)

// Slots is how many slots a group's gate has. A beat's slot is armed again Slots beats later at the earliest; with
// beats at a tenth of the lease, a grant that takes longer than that has run out anyway.
const Slots = 12

// GateMode is the state of the gate in front of a group's ports.
type GateMode uint8

// The modes. GateAbsent judges nothing: a group that was never leased. GateOpen serves a confirmed replica's readers;
// GateSlot is open while the slot's element lives; GateReplication admits the group's replication and nobody else.
const (
	GateAbsent GateMode = iota
	GateShut
	GateSlot
	GateOpen
	GateReplication
)

// Link is one replication connection: the replica's source address as the master sees it.
type Link = netip.AddrPort

// GateState is a gate's mode with what belongs to it.
type GateState struct {
	Mode GateMode
	Slot int
	// For bounds GateOpen; 0 is without bound (a born-fenced server only, rule reads-expire).
	For time.Duration
	// Links are the replication connections that GateReplication admits.
	Links []Link
}

// String prints the state as scenario files and status show it.
func (g GateState) String() string {
	switch g.Mode {
	case GateShut:
		return "shut"
	case GateSlot:
		return fmt.Sprintf("slot %d", g.Slot)
	case GateOpen:
		if g.For > 0 {
			return fmt.Sprintf("open for %v", g.For)
		}
		return "open"
	case GateReplication:
		return fmt.Sprintf("replication only (%d links)", len(g.Links))
	default:
		return "absent"
	}
}
