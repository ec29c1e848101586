package vip

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/speak/neighbour"
	"redkeep/internal/stage/cell"
)

func TestProbe(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		hosts := segmentOf(t, 2)
		h, events := open(t, addr)
		begin := time.Now()
		taken, by, err := h.Probe(t.Context())
		t.Logf("free: silence for %v", time.Since(begin))
		if taken || err != nil || by != "" {
			t.Errorf("taken %v by %q, %v", taken, by, err)
		}
		hosts[1].Do(func() {
			cell.Address(t, "eth0", cidr(addr))
			await(t, "its address", func() bool { return addr.Is4() || listening(t, addr) })
		})
		begin = time.Now()
		taken, by, err = h.Probe(t.Context())
		t.Logf("taken: answered after %v: %s", time.Since(begin), by)
		if want := addr.String() + " is at " + hosts[1].mac.String(); !taken || by != want || err != nil {
			t.Errorf("taken %v by %q, %v", taken, by, err)
		}
		hosts[1].Do(func() {
			if got := cache(t, addr); got != "" {
				t.Errorf("the question told the holder that the address is at %s", got)
			}
		})
		// On this host too: the stranger is heard nevertheless.
		must(t, h.Set(t.Context(), true, time.Minute))
		if taken, by, err = h.Probe(t.Context()); !taken || err != nil {
			t.Errorf("taken %v by %q, %v", taken, by, err)
		}
		_ = events // The stranger's answers are claims.
	})
}

func TestProbeErrors(t *testing.T) {
	segmentOf(t, 1)
	h, _ := open(t, vip4, vip6)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := h.Probe(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	ip(t, "link set eth0 down")
	await(t, "the news", func() bool { return h.State()[0].Trouble != "" })
	if _, _, err := h.Probe(t.Context()); !errors.Is(err, ErrLinkDown) {
		t.Errorf("got %v", err)
	}
	still, err := Open(Config{Group: group, Addresses: []Address{{Addr: vip4}}})
	must(t, err)
	defer func() { must(t, still.Close()) }()
	if _, _, err := still.Probe(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("got %v", err)
	}
}

// ear hears the frames about an address in the present namespace.
func ear(t *testing.T, addr netip.Addr) (heard func(limit time.Duration) bool) {
	t.Helper()
	conn, err := hearFor(addr)
	must(t, err)
	t.Cleanup(func() { must(t, conn.Close()) })
	frame := make([]byte, frameSize)
	return func(limit time.Duration) bool {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		_, from, err := conn.Recvfrom(ctx, frame, 0)
		if err == nil && from.(*unix.SockaddrLinklayer).Pkttype == unix.PACKET_OUTGOING {
			t.Error("heard ourselves")
		}
		return err == nil
	}
}

// TestSchedule counts frames: a burst, then spaced ones, none for renewals, and none after the address went.
func TestSchedule(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		hosts := segmentOf(t, 2)
		h, events := open(t, addr)
		var heard func(time.Duration) bool
		hosts[1].Do(func() { heard = ear(t, addr) })
		begin := time.Now()
		must(t, h.Set(t.Context(), true, time.Minute))
		for range 200 {
			must(t, h.Set(t.Context(), true, time.Minute))
		}
		want := []time.Duration{0, 0, 0, 50 * time.Millisecond, 200 * time.Millisecond, time.Second}
		for i, at := range want {
			if !heard(testPatience) {
				t.Fatal("silence")
			}
			// A busy machine may be late, never early.
			if since := time.Since(begin); since < at {
				t.Errorf("frame %d after %v, want %v", i, since, at)
			}
		}
		t.Logf("%d frames within %v", len(want), time.Since(begin))
		h.Announce()
		for range burst {
			if !heard(testPatience) {
				t.Fatal("silence after Announce")
			}
		}
		must(t, h.Set(t.Context(), false, 0))
		h.Announce()
		for limit := 100 * time.Millisecond; heard(limit); { // What was on the way.
			t.Error("a frame followed the address's end")
		}
		quiet(t, events)
	})
}

// TestForeignClaim has a stranger claim the address again and again: ours is the last word.
func TestForeignClaim(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		hosts := segmentOf(t, 3)
		h, events := open(t, addr)
		must(t, h.Set(t.Context(), true, time.Minute))
		ping(hosts[2], addr)
		stranger := neighbour.MAC(hosts[1].mac)
		var air *segment
		var index int
		hosts[1].Do(func() {
			air = hear([]Address{{Addr: addr}})
			index = indexOf(t, "eth0")
		})
		defer func() { must(t, air.close()) }()
		for range 50 {
			must(t, air.send(addr, index, neighbour.Announcement(addr, stranger)))
		}
		said := time.Now()
		e := next(t, events, Claimed)
		if !strings.Contains(e.By, addr.String()+" is at "+stranger.String()) {
			t.Errorf("%+v", e)
		}
		hosts[2].Do(func() {
			await(t, "the cache", func() bool { return cache(t, addr) == hosts[0].mac.String() })
			took := time.Since(said)
			if t.Logf("the cache was right %v after the last of 50 claims", took); took > answerPause+50*time.Millisecond {
				t.Errorf("after %v", took)
			}
		})
		quiet(t, events) // One event for one stranger.

		// Our own words, and those of a host that only asks, are none.
		must(t, air.send(addr, index, neighbour.Probe(addr, stranger)))
		must(t, air.send(addr, index, neighbour.Announcement(addr, neighbour.MAC(hosts[0].mac))))
		must(t, h.Set(t.Context(), false, 0))
		must(t, air.send(addr, index, neighbour.Announcement(addr, stranger)))
		// Only ARP tells an answer from what was on the way; of IPv6, an old holder's last word may be taken for one.
		if taken, by, err := h.Probe(t.Context()); taken && addr.Is4() || err != nil {
			t.Errorf("taken %v by %q, %v", taken, by, err)
		}
		quiet(t, events)
	})
}

// TestSaidBefore has the last holder's words read only after the address came here: they are no claim, and what is said then is one.
func TestSaidBefore(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		hosts := segmentOf(t, 2)
		heard := ear(t, addr) // Before the hand's, so that the hand has what this has heard.
		h, err := Open(Config{Group: group, Addresses: []Address{{Addr: addr}}})
		must(t, err)
		defer func() { must(t, h.Close()) }()
		var air *segment
		var index int
		hosts[1].Do(func() {
			air = hear([]Address{{Addr: addr}})
			index = indexOf(t, "eth0")
		})
		defer func() { must(t, air.close()) }()
		said := func() {
			t.Helper()
			must(t, air.send(addr, index, neighbour.Announcement(addr, neighbour.MAC(hosts[1].mac))))
			if !heard(testPatience) {
				t.Fatal("silence")
			}
		}
		events := func() []Event {
			h.mu.Lock()
			h.catchUp(h.segment.conns[addr.Is6()])
			h.mu.Unlock()
			events, _ := h.tend()
			return events
		}
		said()
		must(t, h.Set(t.Context(), true, time.Minute))
		if got := events(); len(got) != 0 {
			t.Errorf("the last holder's words are %+v", got)
		}
		said()
		if got := events(); len(got) != 1 || got[0].Kind != Claimed {
			t.Errorf("a claim is %+v", got)
		}
		// One that is still to be answered when the address goes is nobody's when it comes back.
		said()
		h.mu.Lock()
		h.catchUp(h.segment.conns[addr.Is6()])
		h.mu.Unlock()
		must(t, h.Set(t.Context(), false, 0))
		must(t, h.Set(t.Context(), true, time.Minute))
		if at := h.addresses[0].answerAt; !at.IsZero() {
			t.Errorf("an old claim is to be answered at %v", at)
		}
	})
}

// TestLapsed is an agent that was frozen: the lease has gone, the address lives on for whole seconds.
func TestLapsed(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		hosts := segmentOf(t, 2)
		var holds atomic.Bool
		holds.Store(true)
		h, events := openWith(t, Config{Addresses: []Address{{Addr: addr}}, Holds: holds.Load})
		must(t, h.Set(t.Context(), true, time.Minute))
		var heard func(time.Duration) bool
		hosts[1].Do(func() { heard = ear(t, addr) })
		holds.Store(false)
		h.Announce()
		for limit := 300 * time.Millisecond; heard(limit); {
			t.Error("announced without a lease")
		}
		ip(t, "address delete "+cidr(addr)+" dev eth0")
		if e := next(t, events, Deleted); !errors.Is(e.Err, ErrLapsed) || on(t, addr) != nil {
			t.Errorf("%+v", e)
		}
		holds.Store(true)
		must(t, h.Set(t.Context(), true, time.Minute))
		if on(t, addr) == nil || !heard(testPatience) {
			t.Error("not put up again, or not announced")
		}
		quiet(t, events)
	})
}
