package decide

import (
	"net/netip"
	"time"

	"redkeep/internal/words"
)

// Setup is what a group's machine is born with: its node's file, checked.
type Setup struct {
	Group words.Group
	Self  words.Node
	// Voters are the file's nodes; the register's list outranks them once it is there (rule persisted-members).
	Voters []words.Node
	// Data are the nodes that have a server, in the file's order.
	Data []words.Node
	// Servers are the addresses under which the data nodes' servers find each other.
	Servers map[words.Node]netip.AddrPort
	// Lease is how long a grant lasts that this node asks for, 200 ms to 60 s.
	Lease time.Duration
	// Pace is the time between two heartbeats, of which two fit into what a grant lasts; 0 for a tenth of the lease. A pair's is that of its
	// advertisements: whoever is left over counts from the last of either.
	Pace time.Duration
	// DownAfter is the budget of a silent server, BusyAfter that of one that works.
	DownAfter, BusyAfter time.Duration
	// ColdStartWait is how long a cold group waits for a better server, Patience how long a warm one does.
	ColdStartWait, Patience time.Duration
	// Jiffy is the kernel timer's grain: 1/HZ.
	Jiffy time.Duration
	// Ungated says that the gate is only watched or off: leases are kept, and fence nothing.
	Ungated bool
	// VIP says that the group has a virtual address.
	VIP bool
	// Prefer is the node that the group goes back to, as soon as its server is in sync, while FailBack is set; "" for none.
	Prefer   words.Node
	FailBack bool
	// Turns and Turn give each node of a pair epochs of its own: those that leave Turn when divided by Turns. Zero Turns is any epoch.
	Turns, Turn words.Epoch
	// Digest stands for voters, data nodes, ports and addresses; agents compare it.
	Digest uint64
	// Settings stands for what agents need not agree on, such as the lease; 0 is that of an agent which does not say.
	Settings uint64
	// Random is the machine's own source, seeded at birth.
	Random func() uint64
	// Off are the rules that the simulator has switched off.
	Off     Rules
	Version string
}

// Boot is what a machine finds when its agent starts.
type Boot struct {
	Session  words.Session
	Register words.Register
	// Lost says that the store exists and can't be read: this voter must be readmitted.
	Lost bool
	// SameBoot says that the host has not been restarted since the register was last written.
	SameBoot bool
	// Gate is the kernel's gate as it was found. Running says that it points at a slot that had not run out.
	Gate    GateState
	Running bool
}

// Beat is the time between two heartbeats that are granted: Pace, or that of repetitions.
func (s Setup) Beat() time.Duration {
	if s.Pace > 0 {
		return s.Pace
	}
	return s.Again()
}

// Again is after how long what was not answered is tried once more: a tenth of the lease, at least 10 ms.
func (s Setup) Again() time.Duration { return max(s.Lease/10, 10*time.Millisecond) }

// Allowance is what a hold is shorter than its lease by, for clocks that slew and timers that are late: an eighth of the lease and three jiffies (rule drift-allowance).
func (s Setup) Allowance() time.Duration {
	if s.Off.Off(DriftAllowance) {
		return 0
	}
	return s.Lease/8 + 3*s.Jiffy
}

// After returns the first epoch above another that this node may ask votes in (rule own-epochs).
func (s Setup) After(e words.Epoch) words.Epoch {
	e++
	for s.Turns > 1 && !s.Off.Off(OwnEpochs) && e%s.Turns != s.Turn {
		e++
	}
	return e
}

// IsData reports whether the node has a server of the group.
func (s Setup) IsData(n words.Node) bool {
	for _, d := range s.Data {
		if d == n {
			return true
		}
	}
	return false
}
