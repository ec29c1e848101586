package vip

import (
	"net/netip"
	"testing"
)

// TestTakeOff has an address that an agent left, and one that the host has for good: only the first goes.
func TestTakeOff(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		segmentOf(t, 1)
		leave(t, Address{Addr: addr})
		own := addr.Next()
		ip(t, "address add "+cidr(own)+" dev eth0")
		gone, err := TakeOff([]netip.Addr{addr, own, own.Next()})
		if err != nil || len(gone) != 1 || gone[0] != addr {
			t.Errorf("gone %v, %v", gone, err)
		}
		if on(t, addr) != nil || on(t, own) == nil {
			t.Errorf("%s: %v; %s: %v", addr, on(t, addr), own, on(t, own))
		}
		if gone, err := TakeOff(nil); gone != nil || err != nil {
			t.Errorf("of none: %v, %v", gone, err)
		}
	})
}
