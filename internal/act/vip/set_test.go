package vip

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

// TestCachesFollow has a third host talk to the address through two moves of it.
func TestCachesFollow(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		hosts := segmentOf(t, 3)
		a, b, c := hosts[0], hosts[1], hosts[2]
		handA, eventsA := open(t, addr)
		var handB *Hand
		var eventsB <-chan Event
		b.at(func() { handB, eventsB = open(t, addr) })
		ctx := t.Context()
		must(t, handA.Set(ctx, true, 3*time.Second))
		ping(c, addr)
		believe := func(want *host) {
			t.Helper()
			c.at(func() {
				took := await(t, "the cache", func() bool { return cache(t, addr) == want.mac.String() })
				t.Logf("the cache was right after %v", took)
			})
		}
		believe(a)
		must(t, handA.Set(ctx, false, 0))
		must(t, handB.Set(ctx, true, 3*time.Second))
		believe(b) // Within a second of the last change, which is the hard case.
		must(t, handB.Set(ctx, false, 0))
		must(t, handA.Set(ctx, true, 3*time.Second))
		believe(a)
		quiet(t, eventsA)
		quiet(t, eventsB)
		must(t, handA.Set(ctx, false, 0))
		if got := on(t, addr); got != nil {
			t.Errorf("still there: %v", got)
		}
	})
}

// ping has a host look for an address, so that it is in its cache.
func ping(h *host, addr netip.Addr) {
	h.t.Helper()
	h.at(func() {
		d := dialer()
		if c, err := d.Dial("tcp", netip.AddrPortFrom(addr, 9).String()); err == nil {
			_ = c.Close()
		}
	})
}

func TestLifetimes(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		segmentOf(t, 1)
		h, events := open(t, addr)
		for d, want := range map[time.Duration]int{
			time.Millisecond: 1, time.Second - time.Millisecond: 1, 1001 * time.Millisecond: 2, 3 * time.Second: 3,
		} {
			must(t, h.Set(t.Context(), true, d))
			got := on(t, addr)
			if got == nil || got.ValidLft > want || got.ValidLft < want-1 {
				t.Fatalf("for %v: %+v, want %d s", d, got, want)
			}
			if ones(got.IPNet) != addr.BitLen() || got.Flags&unixNoDad(addr) != unixNoDad(addr) {
				t.Errorf("for %v: %v, flags %#x", d, got.IPNet, got.Flags)
			}
		}
		if text := ip(t, "-d address show dev eth0"); !strings.Contains(text, "proto 82") && !strings.Contains(text, "proto 0x52") {
			t.Logf("the ip program shows no protocol: %s", text)
		}
		must(t, h.Set(t.Context(), true, time.Second))
		begin := time.Now()
		e := next(t, events, Expired)
		if took := time.Since(begin); took > 2100*time.Millisecond {
			t.Errorf("it ran out after %v", took)
		}
		t.Logf("ran out after %v: %+v", time.Since(begin), e)
		if on(t, addr) != nil || h.State()[0].Held {
			t.Error("still there")
		}
		if s := h.State()[0]; !strings.Contains(s.Trouble, "run out") {
			t.Errorf("state %+v", s)
		}
	})
}

// TestNotASource keeps the virtual address out of this host's own connections.
func TestNotASource(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		hosts := segmentOf(t, 2)
		h, _ := open(t, addr)
		must(t, h.Set(t.Context(), true, 3*time.Second))
		to := netip.MustParseAddr("10.77.0.2")
		if addr.Is6() {
			to = netip.MustParseAddr("fd77::2") // Closer to fd77::100 than to fd77::1 by nothing; and so is fd77::103:
			hosts[1].at(func() { hosts[1].has("fd77::103/64") })
			to = netip.MustParseAddr("fd77::103")
		}
		routes, err := netlink.RouteGet(to.AsSlice())
		must(t, err)
		if src, _ := netip.AddrFromSlice(routes[0].Src); src.Unmap() == addr {
			t.Errorf("connections to %s come from %s", to, src)
		}
	})
}

// TestLeftover finds the address of an agent that was killed.
func TestLeftover(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		hosts := segmentOf(t, 2)
		left, err := Open(Config{Group: group, Addresses: []Address{{Addr: addr}}})
		must(t, err)
		must(t, left.Set(t.Context(), true, time.Minute))
		must(t, left.Close())
		if on(t, addr) == nil {
			t.Fatal("Close took it away")
		}
		h, events := open(t, addr)
		if s := h.State()[0]; s.Held || s.Trouble != "" {
			t.Errorf("state %+v", s)
		}
		if taken, by, err := h.Probe(t.Context()); taken || err != nil {
			t.Errorf("taken %v by %s, %v", taken, by, err)
		}
		ping(hosts[1], addr)
		must(t, h.Set(t.Context(), true, 3*time.Second))
		if got := on(t, addr); got == nil || got.ValidLft > 3 {
			t.Errorf("taken over: %+v", got)
		}
		must(t, h.Set(t.Context(), false, 0))
		must(t, h.Set(t.Context(), false, 0))
		if on(t, addr) != nil {
			t.Error("left behind")
		}
		must(t, left2(t, addr))
		must(t, h.Set(t.Context(), false, 0))
		if on(t, addr) != nil {
			t.Error("left behind")
		}
		_ = events
	})
}

// left2 puts the address up as another hand.
func left2(t *testing.T, addr netip.Addr) error {
	other, err := Open(Config{Group: group, Addresses: []Address{{Addr: addr}}})
	must(t, err)
	must(t, other.Set(t.Context(), true, time.Minute))
	return other.Close()
}

func BenchmarkRenew(b *testing.B) {
	segmentOf(b, 1)
	h, events := open(b, vip4, vip6)
	for b.Loop() {
		must(b, h.Set(b.Context(), true, 3*time.Second))
	}
	quiet(b, events)
}
