package vip

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// The kernel acknowledges an IPv6 address, and from a queue of its own then joins the group in which it is asked for (RFC 4291, section
// 2.7.1) and makes its local route: some tens of microseconds later, a millisecond at times. Until then a question for it is not heard and a connection to it is lost,
// either of which its client repeats after a second. The limit is what Probe takes; it bounds what a busy kernel can delay an election by.
const (
	liveLimit = 5 * time.Millisecond
	livePause = 50 * time.Microsecond
)

// errNotLive says that the kernel has an address, and takes no packets to it yet.
var errNotLive = errors.New("the kernel takes no packets to it yet")

// awaitLive waits until the kernel takes packets to an address that it was just given, for liveLimit at most.
func (k *kernel) awaitLive(addr netip.Addr) error {
	limit := time.NewTimer(liveLimit)
	defer limit.Stop()
	pause := time.NewTicker(livePause)
	defer pause.Stop()
	for {
		live, err := k.live(addr)
		if live || err != nil {
			return err
		}
		select {
		case <-pause.C:
		case <-limit.C:
			return fmt.Errorf("wait for %s: %w", addr, errNotLive)
		}
	}
}

// live reports whether an address has its local route, which the kernel makes last.
func (k *kernel) live(addr netip.Addr) (bool, error) {
	routes, err := k.lists.RouteGet(addr.AsSlice())
	switch {
	case errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.EHOSTUNREACH):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("find route to %s: %w", addr, err)
	default:
		return len(routes) > 0 && routes[0].Type == unix.RTN_LOCAL, nil
	}
}
