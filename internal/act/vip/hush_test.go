package vip

import (
	"net/netip"
	"testing"
	"time"
)

// TestHushedStays lets go of an address at once after it was renewed: what the kernel still has to tell of that, or has lost of it,
// must not be taken for somebody who put the address there.
func TestHushedStays(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		segmentOf(t, 1)
		h, events := open(t, addr)
		for range 20 {
			must(t, h.Set(t.Context(), true, time.Minute))
			h.Hush()
			h.overrun()
		}
		settle(t, h)
		quiet(t, events)
		if on(t, addr) == nil || h.State()[0].Held {
			t.Errorf("hushed: %+v, and on this host %v", h.State()[0], on(t, addr))
		}
		if !h.addresses[0].next.IsZero() {
			t.Error("more is to be said of it")
		}
		must(t, h.Set(t.Context(), false, 0))
		if on(t, addr) != nil {
			t.Error("it is here after it was taken off")
		}
		// It is minded again: what others put up goes.
		ip(t, "address add "+cidr(addr)+" dev eth0 valid_lft 60 preferred_lft 60")
		next(t, events, Added)
		await(t, "its end", func() bool { return on(t, addr) == nil })
	})
}

// settle waits until the hand has read what the kernel had to tell, and has done what was due: it tells of one more change.
func settle(t *testing.T, h *Hand) {
	t.Helper()
	ip(t, "link add other0 type bridge")
	await(t, "news of a device", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, d := range h.devices {
			if d.name == "other0" {
				return h.addresses[0].due.IsZero()
			}
		}
		return false
	})
}
