package vip

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"redkeep/internal/stage/need"
)

// within is how soon the design wants an address back.
const within = 10 * time.Millisecond

// cidr is an address with the prefix that it is put up with.
func cidr(a netip.Addr) string { return netip.PrefixFrom(a, a.BitLen()).String() }

// TestDeletedIsPutBack does it again and again. The kernel's routing lock is one for all namespaces of this machine, and
// who makes or ends one may hold it for long: a few repairs may be late for that.
func TestDeletedIsPutBack(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		segmentOf(t, 1)
		h, events := open(t, addr)
		must(t, h.Set(t.Context(), true, time.Minute))
		pause, late := time.Duration(0), 0
		for i := range 6 {
			ip(t, "address delete "+cidr(addr)+" dev eth0")
			e := next(t, events, Deleted)
			t.Logf("%d: back after %v (pause %v), deleted by %s", i, e.Took, pause, e.By)
			if e.Err != nil || on(t, addr) == nil || e.Took < pause {
				t.Errorf("%d: %+v", i, e)
			}
			if e.Took > pause+within {
				late++
			}
			if addr.Is4() && !strings.Contains(e.By, "pid ") || addr.Is6() && e.By != unknown {
				t.Errorf("deleted by %q", e.By)
			}
			pause = max(firstPause, 2*pause)
		}
		if late > 2 {
			t.Errorf("%d of 6 took longer than the pause and %v", late, within)
		}
		quiet(t, events)
		if !h.State()[0].Held {
			t.Error("not held")
		}
	})
}

// TestCulpritIsNamed has a program that lives on do it.
func TestCulpritIsNamed(t *testing.T) {
	segmentOf(t, 1)
	h, events := open(t, vip4)
	must(t, h.Set(t.Context(), true, time.Minute))
	// A process's first netlink connection has its number; this test has many, so the number is asked for.
	if got := culprit(h.kernel.port); h.kernel.port > 1<<31 && got != unknown {
		t.Errorf("named %q", got)
	}
	if got := culprit(1); !strings.HasSuffix(got, "(pid 1)") {
		t.Errorf("the first process is %q", got)
	}
	if got := culprit(1<<22 + 1); !strings.Contains(got, "has ended") {
		t.Errorf("no process is %q", got)
	}
	quiet(t, events)
}

func TestChangedLifeIsRestored(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		segmentOf(t, 1)
		h, events := open(t, addr)
		must(t, h.Set(t.Context(), true, time.Minute))
		ip(t, "address change "+cidr(addr)+" dev eth0 valid_lft forever preferred_lft forever")
		e := next(t, events, Changed)
		t.Logf("restored after %v, changed by %s", e.Took, e.By)
		if got := on(t, addr); got == nil || got.ValidLft > 60 || e.Err != nil {
			t.Errorf("%+v, %+v", got, e)
		}
	})
}

// TestStrayIsRemoved adds the address where it is set down; before anything was set, it is left alone.
func TestStrayIsRemoved(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		segmentOf(t, 1)
		h, events := open(t, addr)
		ip(t, "address add "+cidr(addr)+" dev eth0")
		await(t, "the notification", func() bool {
			h.mu.Lock()
			defer h.mu.Unlock()
			return len(h.addresses[0].places) == 1
		})
		quiet(t, events)
		if on(t, addr) == nil {
			t.Fatal("removed before anybody said that it should be")
		}
		must(t, h.Set(t.Context(), false, 0))
		if on(t, addr) != nil {
			t.Fatal("not removed")
		}
		ip(t, "address add "+cidr(addr)+" dev eth0")
		if e := next(t, events, Added); e.Err != nil || on(t, addr) != nil {
			t.Errorf("%+v", e)
		}
	})
}

// TestOldNewsIsNoStray reads that an address was put on only after it was taken off again. Of IPv6 the kernel does not say that it was us.
func TestOldNewsIsNoStray(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		segmentOf(t, 1)
		h, err := Open(Config{Group: group, Addresses: []Address{{Addr: addr}}})
		must(t, err)
		defer func() { must(t, h.Close()) }()
		must(t, h.kernel.news.SetReceiveTimeout(&unix.Timeval{Sec: 5}))
		must(t, h.Set(t.Context(), true, time.Minute))
		messages, _, err := h.kernel.news.Receive()
		must(t, err)
		must(t, h.Set(t.Context(), false, 0))
		for _, m := range messages {
			h.notice(m, time.Now())
		}
		if events, _ := h.tend(); len(events) != 0 {
			t.Errorf("%+v", events)
		}
	})
}

// TestLateIsNotPutBack deletes an address of which the kernel, which counts whole seconds, has more left than the agent.
func TestLateIsNotPutBack(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		segmentOf(t, 1)
		h, events := open(t, addr)
		must(t, h.Set(t.Context(), true, 50*time.Millisecond))
		await(t, "its end", func() bool { return !h.State()[0].Held })
		ip(t, "address delete "+cidr(addr)+" dev eth0")
		if e := next(t, events, Expired); !errors.Is(e.Err, ErrExpired) {
			t.Errorf("%+v", e)
		}
		if on(t, addr) != nil {
			t.Error("put back")
		}
		// The same during a pause before the repair.
		must(t, h.Set(t.Context(), true, 300*time.Millisecond))
		h.mu.Lock()
		h.addresses[0].pause = 600 * time.Millisecond
		h.addresses[0].last = time.Now()
		h.mu.Unlock()
		ip(t, "address delete "+cidr(addr)+" dev eth0")
		if e := next(t, events, Deleted); !errors.Is(e.Err, ErrExpired) {
			t.Errorf("%+v", e)
		}
		if on(t, addr) != nil {
			t.Error("put back after a pause")
		}
		must(t, h.Set(t.Context(), true, time.Minute))
		if on(t, addr) == nil {
			t.Error("not put up again")
		}
	})
}

// TestALifeThatEndedNamesNobody has the kernel end an address that has time left by the agent's clock: others gave it a shorter life.
func TestALifeThatEndedNamesNobody(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		segmentOf(t, 1)
		h, events := open(t, addr)
		must(t, h.Set(t.Context(), true, time.Minute))
		ip(t, "address change "+cidr(addr)+" dev eth0 valid_lft 1 preferred_lft 0")
		if e := next(t, events, Expired); e.Err != nil || e.Life != time.Second || e.By != unknown {
			t.Errorf("%+v", e)
		}
		if on(t, addr) == nil || !h.State()[0].Held {
			t.Errorf("not put back: %+v", h.State()[0])
		}
		ip(t, "address delete "+cidr(addr)+" dev eth0")
		if e := next(t, events, Deleted); e.Err != nil || e.Life != 0 {
			t.Errorf("%+v", e)
		}
	})
}

// TestALateRenewalIsNoDeletion renews an address after the kernel has ended it, and only then hears of that, as an agent that was frozen.
func TestALateRenewalIsNoDeletion(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		segmentOf(t, 1)
		h, err := Open(Config{Group: group, Addresses: []Address{{Addr: addr}}})
		must(t, err)
		defer func() { must(t, h.Close()) }()
		must(t, h.kernel.news.SetReceiveTimeout(&unix.Timeval{Sec: 5}))
		must(t, h.Set(t.Context(), true, 2*time.Second))
		await(t, "its end", func() bool { return on(t, addr) == nil })
		must(t, h.Set(t.Context(), true, time.Minute))
		var told []Event
		for len(told) == 0 {
			messages, _, err := h.kernel.news.Receive()
			must(t, err) // No news for five seconds.
			for _, m := range messages {
				h.notice(m, time.Now())
			}
			events, _ := h.tend()
			told = append(told, events...)
		}
		if e := told[0]; len(told) != 1 || e.Kind != Expired || e.Err != nil || e.Life != 2*time.Second {
			t.Errorf("%+v", told)
		}
		if on(t, addr) == nil {
			t.Error("it is gone")
		}
	})
}

// poison has the present host believe that an address is at a wrong place, as after an hour on the wrong side of a cut.
func poison(t testing.TB, addr netip.Addr) {
	t.Helper()
	ip(t, fmt.Sprintf("neighbour replace %s lladdr 02:00:00:00:00:99 dev eth0 nud reachable", addr))
}

// TestLink takes the device down and up, and then pulls its cable.
func TestLink(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		hosts := segmentOf(t, 2)
		h, events := open(t, addr)
		must(t, h.Set(t.Context(), true, time.Minute))
		for what, change := range map[string]func(to string){
			"device": func(to string) { ip(t, "link set eth0 "+to) },
			"cable":  func(to string) { hosts[0].wire.Do(func() { ip(t, "link set port1 "+to) }) },
		} {
			change("down")
			if e := next(t, events, LinkDown); !errors.Is(e.Err, ErrLinkDown) {
				t.Errorf("%s: %+v", what, e)
			}
			if s := h.State()[0]; !strings.Contains(s.Trouble, "down") {
				t.Errorf("%s: state %+v", what, s)
			}
			must(t, h.Set(t.Context(), true, time.Minute)) // Renewed as every second.
			hosts[1].Do(func() { poison(t, addr) })
			change("up")
			up := time.Now()
			if e := next(t, events, LinkDown); e.Err != nil || on(t, addr) == nil {
				t.Errorf("%s: %+v", what, e)
			}
			hosts[1].Do(func() {
				await(t, "the cache", func() bool { return cache(t, addr) == hosts[0].mac.String() })
			})
			t.Logf("%s: announced, and believed, within %v", what, time.Since(up))
			if s := h.State()[0]; !s.Held || s.Trouble != "" {
				t.Errorf("%s: state %+v", what, s)
			}
		}
		quiet(t, events)
	})
}

// TestDownTakesSixAlong is without a renewal between: then a device that goes down has taken its IPv6 address along.
func TestDownTakesSixAlong(t *testing.T) {
	segmentOf(t, 1)
	h, events := open(t, vip6)
	must(t, h.Set(t.Context(), true, time.Minute))
	ip(t, "link set eth0 down")
	next(t, events, LinkDown)
	await(t, "its end", func() bool { return on(t, vip6) == nil && !h.State()[0].Held })
	ip(t, "link set eth0 up")
	if e := next(t, events, LinkDown); e.Err != nil || on(t, vip6) == nil || !h.State()[0].Held {
		t.Errorf("%+v", e)
	}
	quiet(t, events)
}

// TestDeviceMadeAnew deletes the device, and makes another one of its name.
func TestDeviceMadeAnew(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		segmentOf(t, 1)
		ip(t, "link add eth1 type veth peer name eth2")
		ip(t, "link set eth2 up")
		ip(t, "link set eth1 up")
		h, events := openOn(t, Address{Addr: addr, Dev: "eth1"})
		must(t, h.Set(t.Context(), true, time.Minute))
		ip(t, "link delete eth1")
		if e := next(t, events, LinkDown); e.Err == nil {
			t.Errorf("%+v", e)
		}
		if err := h.Set(t.Context(), true, time.Minute); !errors.As(err, new(*NoDeviceError)) {
			t.Errorf("without its device: %v", err)
		}
		ip(t, "link add eth1 type veth peer name eth2")
		ip(t, "link set eth2 up")
		ip(t, "link set eth1 up")
		if e := next(t, events, LinkDown); e.Err != nil || on(t, addr) == nil {
			t.Errorf("%+v", e)
		}
		must(t, h.Set(t.Context(), false, 0))
		if on(t, addr) != nil {
			t.Error("left behind")
		}
		quiet(t, events)
	})
}

// TestSetEndsTheWaitForADevice has a repair that waited for its device, and a Set that found it before the kernel's news came: the
// repair is told as made, and the next damage is mended at once again.
func TestSetEndsTheWaitForADevice(t *testing.T) {
	segmentOf(t, 1)
	h, events := open(t, vip4)
	must(t, h.Set(t.Context(), true, time.Minute))
	h.mu.Lock()
	a := h.addresses[0]
	a.hurt(Deleted, unknown, time.Now())
	a.damage.Err, a.due, a.on = &NoDeviceError{a.Dev}, time.Time{}, false
	h.mu.Unlock()
	must(t, h.Set(t.Context(), true, time.Minute))
	if e := next(t, events, Deleted); e.Err != nil {
		t.Errorf("%+v", e)
	}
	ip(t, "address delete "+cidr(vip4)+" dev eth0")
	if e := next(t, events, Deleted); e.Err != nil || on(t, vip4) == nil {
		t.Errorf("%+v", e)
	}
}

// TestOverrun damages an address unheard: then everything is looked at.
func TestOverrun(t *testing.T) {
	both(t, func(t *testing.T, addr netip.Addr) {
		segmentOf(t, 1)
		h, err := Open(Config{Group: group, Addresses: []Address{{Addr: addr}}})
		must(t, err)
		defer func() { must(t, h.Close()) }()
		must(t, h.Set(t.Context(), true, time.Minute))
		ip(t, "address delete "+cidr(addr)+" dev eth0")
		h.overrun()
		if events, _ := h.tend(); len(events) != 1 || events[0].Kind != Deleted || on(t, addr) == nil {
			t.Errorf("%+v", events)
		}
		must(t, h.Set(t.Context(), false, 0))
		ip(t, "address add "+cidr(addr)+" dev eth0")
		h.overrun()
		var events []Event
		await(t, "the pause", func() bool {
			events, _ = h.tend()
			return len(events) > 0
		})
		if len(events) != 1 || events[0].Kind != Added || on(t, addr) != nil {
			t.Errorf("%+v", events)
		}
	})
}

// TestToldOnce can't mend for a while: it says so once, and once that it could.
func TestToldOnce(t *testing.T) {
	segmentOf(t, 1)
	h, err := Open(Config{Group: group, Addresses: []Address{{Addr: vip4}}})
	must(t, err)
	defer func() { must(t, h.Close()) }()
	must(t, h.Set(t.Context(), true, time.Minute))
	ip(t, "address delete "+cidr(vip4)+" dev eth0")
	h.overrun()
	orders := h.kernel.orders.Socket
	if h.kernel.orders.Socket, err = nl.Subscribe(unix.NETLINK_ROUTE); err != nil {
		t.Fatal(err)
	}
	h.kernel.orders.Socket.Close() // Whatever is asked for fails.
	begin := time.Now()
	var events []Event
	for at := begin; at.Before(begin.Add(5 * time.Second)); at = at.Add(100 * time.Millisecond) {
		h.mu.Lock()
		events = append(events, h.mend(h.addresses[0], at)...)
		h.mu.Unlock()
	}
	if len(events) != 1 || events[0].Err == nil {
		t.Errorf("%+v", events)
	}
	h.kernel.orders.Socket = orders
	await(t, "the pause", func() bool {
		events, _ = h.tend()
		return len(events) > 0
	})
	if len(events) != 1 || events[0].Err != nil || on(t, vip4) == nil {
		t.Errorf("%+v", events)
	}
}

// TestIPv6Off has one family of two switched off: the other is served, and what is wrong is said.
func TestIPv6Off(t *testing.T) {
	segmentOf(t, 1)
	h, _ := open(t, vip4, vip6)
	if err := os.WriteFile("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", []byte("1"), 0); err != nil {
		need.Right(t, err)
	}
	err := h.Set(t.Context(), true, time.Minute)
	if err == nil || !strings.Contains(err.Error(), "disable_ipv6") {
		t.Errorf("%v", err)
	}
	if s := h.State(); !s[0].Held || s[1].Held || on(t, vip4) == nil {
		t.Errorf("%+v", s)
	}
}

// TestWithoutRights drops what the kernel asks for, and wants to be told what to do.
func TestWithoutRights(t *testing.T) {
	segmentOf(t, 1)
	without := func(capability uint) {
		head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var data [2]unix.CapUserData
		must(t, unix.Capget(&head, &data[0]))
		all := data
		data[0].Effective &^= 1 << capability
		must(t, unix.Capset(&head, &data[0]))
		t.Cleanup(func() { must(t, unix.Capset(&head, &all[0])) })
	}
	without(unix.CAP_NET_RAW)
	h, _ := open(t, vip4)
	must(t, h.Set(t.Context(), true, time.Minute))
	if s := h.State()[0]; !s.Held || !strings.Contains(s.Trouble, "CAP_NET_RAW") {
		t.Errorf("state %+v", s)
	}
	if _, _, err := h.Probe(t.Context()); !errors.Is(err, ErrMute) {
		t.Errorf("probed: %v", err)
	}
	without(unix.CAP_NET_ADMIN)
	for _, up := range []bool{true, false} {
		if err := h.Set(t.Context(), up, time.Minute); !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
			t.Errorf("up %v: %v", up, err)
		}
	}
}

// TestLoopback puts an address where there is nobody to tell.
func TestLoopback(t *testing.T) {
	segmentOf(t, 1)
	h, _ := openOn(t, Address{Addr: vip4, Dev: "lo"})
	must(t, h.Set(t.Context(), true, time.Minute))
	if s := h.State()[0]; !s.Held || !strings.Contains(s.Trouble, "lo") {
		t.Errorf("state %+v", s)
	}
	if _, _, err := h.Probe(t.Context()); !errors.Is(err, ErrNoSegment) {
		t.Errorf("probed: %v", err)
	}
	if _, err := netlink.LinkByName("lo"); err != nil {
		t.Error(err)
	}
}

// TestAllAtOnce calls everything at the same time, from threads that are in no particular namespace, while somebody
// deletes the address; at its end nothing is left.
func TestAllAtOnce(t *testing.T) {
	segmentOf(t, 2)
	h, events := open(t, vip4, vip6)
	must(t, h.Set(t.Context(), true, time.Minute))
	var g errgroup.Group
	for _, call := range []func() error{
		func() error { return h.Set(t.Context(), true, time.Minute) },
		func() error { h.Announce(); return nil },
		func() error { h.State(); return nil },
		func() error { h.overrun(); return nil },
	} {
		g.Go(func() error {
			for range 50 {
				if err := call(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		taken, by, err := h.Probe(t.Context())
		if taken {
			err = errors.Join(err, fmt.Errorf("taken by %s", by))
		}
		return err
	})
	_ = exec.Command("ip", "address", "delete", cidr(vip4), "dev", "eth0").Run()
	must(t, g.Wait())
	await(t, "repairs", func() bool {
		return on(t, vip4) != nil && on(t, vip6) != nil && h.State()[0].Held && h.State()[1].Held
	})
	must(t, h.Set(t.Context(), false, 0))
	if on(t, vip4) != nil || on(t, vip6) != nil {
		t.Error("left behind")
	}
	_ = events // Who was first, the deletion or the renewal, is open.
}
