package vip

import (
	"fmt"
	"time"

	"redkeep/internal/words"
)

// Kind is what happened to an address.
type Kind uint8

// The kinds of events. All but Claimed mean that the address was not as it was set.
const (
	// Deleted: another program, or the kernel with its device, took the address away.
	Deleted Kind = iota + 1
	// Changed: another program gave it a longer life than we did.
	Changed
	// Added: another program put it on this host, where it is set down.
	Added
	// LinkDown: its device was set down, lost its carrier, or is gone.
	LinkDown
	// Expired: its time ran out, and nobody renewed it; or only what the kernel had been given of it, after which it is put back.
	Expired
	// Claimed: somebody else on the segment says to have it.
	Claimed
)

// String says it in a word or two.
func (k Kind) String() string {
	switch k {
	case Deleted:
		return "deleted"
	case Changed:
		return "changed"
	case Added:
		return "added"
	case LinkDown:
		return "link down"
	case Expired:
		return "expired"
	case Claimed:
		return "claimed"
	default:
		return fmt.Sprintf("kind %d", uint8(k))
	}
}

// Event says that an address on this host, or on its segment, is not as it was set.
type Event struct {
	Group words.Group
	Kind  Kind
	Address
	// By is who did it, "ip (pid 4711)"; "unknown" where the kernel does not say, as for IPv6 addresses. Of a claim, it is
	// who claims: "10.77.0.100 is at 02:42:0a:4d:00:0c".
	By string
	// Life is what the kernel had been given of an Expired address that it took off before its time; 0 of one whose time is over.
	Life time.Duration
	// Took is the time from the kernel's notification to its acknowledgement of the repair, pause included; of LinkDown,
	// until the device was up again.
	Took time.Duration
	// Err is why it is not mended, or not yet; another event follows when it is.
	Err error
}
