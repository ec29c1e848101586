package vip

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// TestCachesFollow has a third host talk to the address through two moves of it.
func TestCachesFollow(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		hosts := segmentOf(t, 3)
		a, b, c := hosts[0], hosts[1], hosts[2]
		// Opened before the hands, these hear last: what they have heard has reached the hand, too.
		heardA, heardB := ear(t, addr), func(time.Duration) bool { return false }
		b.Do(func() { heardB = ear(t, addr) })
		reached := func(heard func(time.Duration) bool) {
			t.Helper()
			for range burst {
				if !heard(testPatience) {
					t.Fatal("silence")
				}
			}
		}
		handA, eventsA := open(t, addr)
		var handB *Hand
		var eventsB <-chan Event
		b.Do(func() { handB, eventsB = open(t, addr) })
		ctx := t.Context()
		must(t, handA.Set(ctx, true, 3*time.Second))
		ping(c, addr)
		believe := func(want *host) {
			t.Helper()
			c.Do(func() {
				took := await(t, "the cache", func() bool { return cache(t, addr) == want.mac.String() })
				t.Logf("the cache was right after %v", took)
			})
		}
		believe(a)
		reached(heardB)
		must(t, handA.Set(ctx, false, 0))
		must(t, handB.Set(ctx, true, 3*time.Second))
		believe(b) // Within a second of the last change, which is the hard case.
		reached(heardA)
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
	h.Do(func() {
		d := dialer()
		if c, err := d.Dial("tcp", netip.AddrPortFrom(addr, 9).String()); err == nil {
			_ = c.Close()
		}
	})
}

// TestLifetimes reads what the kernel was told, and waits for it to end an address that nobody renews.
func TestLifetimes(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		segmentOf(t, 1)
		h, events := open(t, addr)
		for d, want := range map[time.Duration]uint32{
			100 * time.Millisecond: 1, time.Second - time.Millisecond: 1, 1001 * time.Millisecond: 2, 3 * time.Second: 3,
		} {
			must(t, h.Set(t.Context(), true, d))
			got := attributes(t, addr)
			flags := uint32(unix.IFA_F_NOPREFIXROUTE)
			if addr.Is6() {
				flags |= unix.IFA_F_NODAD
			}
			if got.bits != addr.BitLen() || got.valid > want || got.valid+1 < want || got.flags&flags != flags || got.proto != proto {
				t.Errorf("for %v: %+v, want %d s", d, got, want)
			}
		}
		must(t, h.Set(t.Context(), true, time.Second))
		begin := time.Now()
		next(t, events, Expired)
		took := time.Since(begin)
		if t.Logf("a second's life ended after %v", took); took > 2100*time.Millisecond || on(t, addr) != nil {
			t.Errorf("it ended after %v", took)
		}
		if s := h.State()[0]; s.Held || !strings.Contains(s.Trouble, "run out") {
			t.Errorf("state %+v", s)
		}
	})
}

// told is what the kernel has of an address, with the attributes that the library's lists leave out.
type told struct {
	bits         int
	valid, flags uint32
	proto        byte
}

func attributes(t *testing.T, addr netip.Addr) (got told) {
	t.Helper()
	req := nl.NewNetlinkRequest(unix.RTM_GETADDR, unix.NLM_F_DUMP)
	req.AddData(nl.NewIfAddrmsg(family(addr)))
	list, err := req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWADDR)
	must(t, err)
	for _, m := range list {
		n, ok := readNews(m)
		if !ok || n.addr != addr {
			continue
		}
		got.bits, got.valid = n.bits, n.valid
		attrs, err := nl.ParseRouteAttr(m[unix.SizeofIfAddrmsg:])
		must(t, err)
		for _, a := range attrs {
			switch a.Attr.Type {
			case unix.IFA_FLAGS:
				got.flags = binary.NativeEndian.Uint32(a.Value)
			case attrProto:
				got.proto = a.Value[0]
			}
		}
	}
	return got
}

// TestNotASource keeps the virtual address out of this host's own connections: fd77::103 is closer to fd77::100 than to
// fd77::1, and the kernel prefers the closest.
func TestNotASource(t *testing.T) {
	segmentOf(t, 1)
	h, _ := open(t, vip4, vip6)
	must(t, h.Set(t.Context(), true, time.Minute))
	for to, want := range map[string]string{"10.77.0.101": "10.77.0.1", "fd77::103": "fd77::1"} {
		routes, err := netlink.RouteGet(netip.MustParseAddr(to).AsSlice())
		must(t, err)
		if got := routes[0].Src.String(); got != want {
			t.Errorf("connections to %s come from %s", to, got)
		}
	}
}

// leave puts the address up as an agent does that is then killed.
func leave(t *testing.T, a Address) {
	t.Helper()
	h, err := Open(Config{Group: group, Addresses: []Address{a}})
	must(t, err)
	must(t, h.Set(t.Context(), true, time.Minute))
	must(t, h.Close())
	if on(t, a.Addr) == nil {
		t.Fatal("Close took it away")
	}
}

// TestLeftover finds the address of an agent that was killed, does not take it for a stranger's, takes it over, and takes
// it off.
func TestLeftover(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		hosts := segmentOf(t, 2)
		leave(t, Address{Addr: addr})
		h, events := open(t, addr)
		if s := h.State()[0]; s.Held || s.Trouble != "" {
			t.Errorf("state %+v", s)
		}
		if taken, by, err := h.Probe(t.Context()); taken || err != nil {
			t.Errorf("taken %v by %s, %v", taken, by, err)
		}
		hosts[1].Do(func() { poison(t, addr) })
		must(t, h.Set(t.Context(), true, 3*time.Second))
		if got := attributes(t, addr); got.valid > 3 {
			t.Errorf("taken over: %+v", got)
		}
		hosts[1].Do(func() {
			await(t, "the announcement", func() bool { return cache(t, addr) == hosts[0].mac.String() })
		})
		must(t, h.Set(t.Context(), false, 0))
		must(t, h.Set(t.Context(), false, 0)) // What is not there is off.
		quiet(t, events)
	})
}

// TestOneShot takes a leftover off as a command does, with nobody running.
func TestOneShot(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		segmentOf(t, 1)
		leave(t, Address{Addr: addr})
		once, err := Open(Config{Group: group, Addresses: []Address{{Addr: addr}}})
		must(t, err)
		must(t, once.Set(t.Context(), false, 0))
		must(t, once.Close())
		if on(t, addr) != nil {
			t.Error("left behind")
		}
	})
}

// TestLeftOnAnotherDevice finds what an agent with another configuration has left.
func TestLeftOnAnotherDevice(t *testing.T) {
	for _, up := range []bool{true, false} {
		both(t, func(t *testing.T, addr netip.Addr) {
			segmentOf(t, 1)
			ip(t, "link add old0 type bridge")
			ip(t, "link set old0 up")
			leave(t, Address{Addr: addr, Dev: "old0"})
			h, _ := open(t, addr)
			must(t, h.Set(t.Context(), up, time.Minute))
			if got := on(t, addr); (got != nil) != up || up && got.LinkIndex != indexOf(t, "eth0") {
				t.Errorf("up %v: it is at %+v", up, got)
			}
		})
	}
}

// TestSubnetOfScripts finds the address as scripts put it up before us, with the subnet's prefix.
func TestSubnetOfScripts(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		segmentOf(t, 1)
		bits := 24
		if addr.Is6() {
			bits = 64
		}
		ip(t, fmt.Sprintf("address add %s/%d dev eth0", addr, bits))
		h, events := open(t, addr)
		must(t, h.Set(t.Context(), true, time.Minute))
		if got := attributes(t, addr); got.bits != addr.BitLen() || got.valid > 60 {
			t.Errorf("taken over: %+v", got)
		}
		must(t, h.Set(t.Context(), false, 0))
		if on(t, addr) != nil {
			t.Error("left behind")
		}
		quiet(t, events)
	})
}

// TestFirstOfItsSubnet can't be taken away without the host's own address.
func TestFirstOfItsSubnet(t *testing.T) {
	segmentOf(t, 1)
	for _, line := range []string{
		"address add 10.79.0.100/24 dev eth0", "address add 10.79.0.1/24 dev eth0",
	} {
		ip(t, line)
	}
	addr := netip.MustParseAddr("10.79.0.100")
	h, events := openOn(t, Address{Addr: addr, Dev: "eth0"})
	must(t, h.Set(t.Context(), true, time.Minute))
	must(t, h.Set(t.Context(), false, 0))
	s := h.State()[0]
	t.Log(s.Trouble)
	if !strings.Contains(s.Trouble, "10.79.0.100/24 is on eth0") || on(t, netip.MustParseAddr("10.79.0.1")) == nil {
		t.Errorf("state %+v", s)
	}
	quiet(t, events)
}

// TestOverhearsOnlyOurs changes others' addresses: a hand is not woken by them.
func TestOverhearsOnlyOurs(t *testing.T) {
	segmentOf(t, 1)
	h, err := Open(Config{Group: group, Addresses: []Address{{Addr: vip4}, {Addr: vip6}}})
	must(t, err)
	defer func() { must(t, h.Close()) }()
	must(t, h.kernel.news.SetReceiveTimeout(&unix.Timeval{Sec: 5}))
	other4, other6 := netip.MustParseAddr("10.77.0.101"), netip.MustParseAddr("fd77::1:101")
	for _, a := range []netip.Addr{other4, other6, vip4, other4, vip6} {
		ip(t, "address add "+cidr(a)+" dev lo")
		ip(t, "address delete "+cidr(a)+" dev lo")
	}
	for _, want := range []netip.Addr{vip4, vip4, vip6, vip6} {
		messages, _, err := h.kernel.news.Receive()
		must(t, err)
		if n, ok := readNews(messages[0].Data); !ok || n.addr != want {
			t.Errorf("heard of %v, want %v", n.addr, want)
		}
	}
}

func BenchmarkRenew(b *testing.B) {
	segmentOf(b, 1)
	h, events := open(b, vip4)
	for b.Loop() {
		must(b, h.Set(b.Context(), true, 3*time.Second))
	}
	quiet(b, events)
}

// BenchmarkMove puts an address up, announces it, and takes it off.
func BenchmarkMove(b *testing.B) {
	segmentOf(b, 2)
	h, _ := open(b, vip4)
	for b.Loop() {
		must(b, h.Set(b.Context(), true, 3*time.Second))
		must(b, h.Set(b.Context(), false, 0))
	}
}

// TestGroundPutsBackWhatHasGone has an address that is gone put back for a moment. Of IPv6 nothing is missing.
func TestGroundPutsBackWhatHasGone(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		segmentOf(t, 2)
		hand, events := open(t, addr)
		must(t, hand.Set(t.Context(), true, 3*time.Second))
		if hand.Missing() {
			t.Error("an address that is up is missing")
		}
		must(t, hand.Set(t.Context(), false, 0))
		if hand.Missing() == addr.Is6() {
			t.Errorf("an address that is down: missing is %v", hand.Missing())
		}
		must(t, hand.Ground())
		if got := on(t, addr); (got == nil) != addr.Is6() || got != nil && got.ValidLft > 1 {
			t.Errorf("put back: %v", got)
		}
		must(t, hand.Lift())
		if got := on(t, addr); got != nil {
			t.Errorf("still there: %v", got)
		}
		quiet(t, events)
	})
}
