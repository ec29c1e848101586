package neighbours

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"redkeep/internal/stage/cell"
)

// testPatience bounds each wait for something that happens within milliseconds on an idle machine.
const testPatience = 5 * time.Second

// segment is a cable: eth0 is the host's, and what leaves it is read from eth1, which has no address and answers nothing.
type segment struct {
	t    *testing.T
	wire int
}

// family is a network on that cable.
type family struct {
	own, absent, router, beyond netip.Addr
	bits                        int
}

var families = map[string]family{
	"IPv4": {addr("10.77.0.1"), addr("10.77.0.2"), addr("10.77.0.254"), addr("192.0.2.1"), 24},
	"IPv6": {addr("fd77::1"), addr("fd77::2"), addr("fd77::ff"), addr("2001:db8::1"), 64},
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// alone makes a namespace with that cable, for as long as the test takes.
func alone(t *testing.T, f family) *segment {
	t.Helper()
	cell.Open(t)
	if _, err := os.Stat("/proc/sys/net/ipv6"); err != nil && f.own.Is6() {
		t.Skip("this kernel has no IPv6")
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "eth0"
	must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "eth1"}))
	cell.Raise(t, "eth0", "eth1")
	cell.Address(t, "eth0", netip.PrefixFrom(f.own, f.bits).String())
	must(t, netlink.RouteAdd(&netlink.Route{Gw: f.router.AsSlice()}))
	return &segment{t: t, wire: listen(t)}
}

// listen opens a socket that reads all frames that come out of eth1.
func listen(t *testing.T) int {
	t.Helper()
	const everything = unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8 // in the network's order
	wire, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, everything)
	must(t, err)
	t.Cleanup(func() { must(t, unix.Close(wire)) })
	must(t, unix.Bind(wire, &unix.SockaddrLinklayer{Protocol: everything, Ifindex: cell.Device(t, "eth1").Attrs().Index}))
	return wire
}

// question waits for the next one for an address, and fails where none comes within the time.
func (s *segment) question(target netip.Addr, within time.Duration) {
	s.t.Helper()
	frame := make([]byte, 2048)
	for end := time.Now().Add(within); ; {
		left := time.Until(end)
		if left <= 0 {
			s.t.Fatalf("%s was not asked for within %v", target, within)
		}
		timeout := unix.NsecToTimeval(int64(left))
		must(s.t, unix.SetsockoptTimeval(s.wire, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout))
		n, _, err := unix.Recvfrom(s.wire, frame, 0)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
			continue
		}
		must(s.t, err)
		if asks(frame[:n]) == target {
			return
		}
	}
}

// asks returns whom a frame asks for, if it does.
func asks(frame []byte) netip.Addr {
	const arp, ipv6, icmp, solicitation = 0x0806, 0x86dd, 58, 135
	switch {
	case len(frame) >= 42 && binary.BigEndian.Uint16(frame[12:]) == arp:
		return netip.AddrFrom4([4]byte(frame[38:]))
	case len(frame) >= 78 && binary.BigEndian.Uint16(frame[12:]) == ipv6 && frame[20] == icmp && frame[54] == solicitation:
		return netip.AddrFrom16([16]byte(frame[62:]))
	default:
		return netip.Addr{}
	}
}

// say sends one datagram from a socket of its own.
func say(t *testing.T, to netip.Addr, text string) {
	t.Helper()
	c, err := net.Dial("udp", netip.AddrPortFrom(to, 9).String())
	must(t, err)
	defer c.Close()
	_, err = c.Write([]byte(text))
	must(t, err)
}

// state is what the kernel knows of a neighbour, and -1 if it knows none.
func state(t *testing.T, of netip.Addr) int {
	t.Helper()
	list, err := netlink.NeighList(cell.Device(t, "eth0").Attrs().Index, netlink.FAMILY_ALL)
	must(t, err)
	for _, n := range list {
		if n.IP.Equal(of.AsSlice()) {
			return n.State
		}
	}
	return -1
}

// put gives the kernel an entry of a state.
func put(t *testing.T, of netip.Addr, state int) {
	t.Helper()
	must(t, netlink.NeighSet(&netlink.Neigh{
		LinkIndex: cell.Device(t, "eth0").Attrs().Index, IP: of.AsSlice(), State: state, HardwareAddr: cell.Device(t, "eth1").Attrs().HardwareAddr,
	}))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// hand opens one in the present namespace.
func hand(t *testing.T, log *slog.Logger) *Hand {
	t.Helper()
	h, err := Open(log)
	must(t, err)
	t.Cleanup(h.Close)
	return h
}

// run runs a hand in a goroutine of its own, on whatever thread, until the test ends.
func run(t *testing.T, h *Hand) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }() // Ends with the context.
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			must(t, err)
		case <-time.After(testPatience):
			t.Error("Run did not end")
		}
	})
}

// each runs a test for each family.
func each(t *testing.T, f func(t *testing.T, f family)) {
	for name, fam := range families {
		t.Run(name, func(t *testing.T) { f(t, fam) })
	}
}

// sooner is well below the second after which the kernel asks by itself.
const sooner = 500 * time.Millisecond

func TestAsksAgainAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f family) {
		s := alone(t, f)
		h := hand(t, nil)
		run(t, h)
		say(t, f.absent, "held back")
		s.question(f.absent, testPatience)
		for range 5 {
			h.Again(f.absent)
			s.question(f.absent, sooner)
		}
		if got := state(t, f.absent); got != netlink.NUD_INCOMPLETE {
			t.Errorf("the entry is %#x, want an incomplete one", got)
		}
	})
}

// What waits in the entry is sent when the answer comes, though the questions were begun anew.
func TestKeepsWhatIsHeldBack(t *testing.T) {
	each(t, func(t *testing.T, f family) {
		s := alone(t, f)
		h := hand(t, nil)
		const text = "said before the answer"
		say(t, f.absent, text)
		s.question(f.absent, testPatience)
		must(t, h.again(f.absent))
		s.question(f.absent, sooner)
		put(t, f.absent, netlink.NUD_REACHABLE)
		frame := make([]byte, 2048)
		for {
			timeout := unix.NsecToTimeval(int64(sooner))
			must(t, unix.SetsockoptTimeval(s.wire, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout))
			n, _, err := unix.Recvfrom(s.wire, frame, 0)
			if errors.Is(err, unix.EINTR) {
				continue
			}
			if err != nil {
				t.Fatalf("the datagram was lost: %v", err)
			}
			if bytes.Contains(frame[:n], []byte(text)) {
				return
			}
		}
	})
}

func TestAsksForTheRouter(t *testing.T) {
	each(t, func(t *testing.T, f family) {
		s := alone(t, f)
		h := hand(t, nil)
		say(t, f.beyond, "far")
		s.question(f.router, testPatience)
		must(t, h.again(f.beyond))
		s.question(f.router, sooner)
	})
}

// TestLeavesOtherEntries looks at what an entry is afterwards, and that none is made.
func TestLeavesOtherEntries(t *testing.T) {
	each(t, func(t *testing.T, f family) {
		alone(t, f)
		h := hand(t, nil)
		states := []int{netlink.NUD_REACHABLE, netlink.NUD_STALE, netlink.NUD_PERMANENT, netlink.NUD_NOARP, netlink.NUD_FAILED}
		for _, want := range states {
			put(t, f.absent, want)
			must(t, h.again(f.absent))
			if got := state(t, f.absent); got != want {
				t.Errorf("an entry in state %#x is now %#x", want, got)
			}
		}
		must(t, h.again(f.router))
		if got := state(t, f.router); got != -1 {
			t.Errorf("an entry was made: %#x", got)
		}
	})
}

func TestNobodyToAsk(t *testing.T) {
	each(t, func(t *testing.T, f family) {
		alone(t, f)
		h := hand(t, nil)
		must(t, h.again(f.own))
		say(t, f.absent, "held back")
		must(t, netlink.LinkSetDown(cell.Device(t, "eth0")))
		must(t, h.again(f.absent))
		must(t, netlink.LinkDel(cell.Device(t, "eth0")))
		must(t, h.again(f.absent))
		must(t, h.again(f.absent.WithZone("eth0")))
	})
}

// TestWithoutTheRight has the kernel refuse: that is told of once, however often it happens.
func TestWithoutTheRight(t *testing.T) {
	f := families["IPv4"]
	s := alone(t, f)
	var log bytes.Buffer
	h := hand(t, slog.New(slog.NewTextHandler(&log, nil)))
	say(t, f.absent, "held back")
	s.question(f.absent, testPatience)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for range 5 {
		h.Again(f.absent)
	}
	done := make(chan error, 1)
	go func() { // Ends with the context, and its thread with it: that is never unlocked, so that nobody else lacks the right.
		runtime.LockOSThread()
		if err := giveUpRight(); err != nil {
			done <- err
			return
		}
		done <- h.Run(ctx)
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for bound := time.After(testPatience); len(h.hosts) > 0; {
		select {
		case <-tick.C:
		case err := <-done:
			t.Fatal(err)
		case <-bound:
			t.Fatal("they were not done")
		}
	}
	cancel()
	must(t, <-done)
	if text := log.String(); strings.Count(text, "neighbour not asked for again") != 1 || !strings.Contains(text, "CAP_NET_ADMIN") {
		t.Errorf("log:\n%s", text)
	}
}

// giveUpRight takes CAP_NET_ADMIN from the present thread.
func giveUpRight() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return err
	}
	data[0].Effective &^= 1 << unix.CAP_NET_ADMIN
	return unix.Capset(&header, &data[0])
}

// Again waits for nobody, whether or not anybody runs.
func TestAgainDoesNotWait(t *testing.T) {
	h := hand(t, nil)
	var some []netip.Addr
	for i := range 2 * waiting {
		some = append(some, addr(fmt.Sprintf("192.0.2.%d", i)))
		h.Again(some[i])
	}
	if n := len(h.hosts); n != waiting || !slices.Contains(some, <-h.hosts) {
		t.Errorf("%d wait, want %d", n, waiting)
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
