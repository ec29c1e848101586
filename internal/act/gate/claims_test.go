package gate

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage/cell"
)

var (
	vip4 = netip.MustParseAddr("10.52.0.100")
	vip6 = netip.MustParseAddr("fd52::100")
)

// segment is a host with virtual addresses left on its device, and another one that asks for them.
type segment struct {
	t     *testing.T
	there func(func())
}

func newSegment(t *testing.T) *segment {
	t.Helper()
	here := cell.Open(t)
	s := &segment{t: t, there: neighbour(t, here)}
	address(t, "here0", vip4.String()+"/32")
	address(t, "here0", vip6.String()+"/128")
	return s
}

// socket opens a raw one that waits a tenth of a second.
func (s *segment) socket(domain, kind, protocol int) int {
	s.t.Helper()
	fd, err := unix.Socket(domain, kind, protocol)
	must(s.t, err)
	must(s.t, unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000}))
	return fd
}

// receives waits for what is meant on a socket, and reports false once nothing has come for a tenth of a second. A socket with a time limit
// is interrupted by the runtime's own signals, which it is not without one.
func (s *segment) receives(fd int, meant func([]byte) bool) bool {
	s.t.Helper()
	for got := make([]byte, 128); ; {
		var n int
		err := interrupted(func() (err error) {
			n, _, err = unix.Recvfrom(fd, got, 0)
			return err
		})
		if errors.Is(err, unix.EAGAIN) {
			return false
		}
		must(s.t, err)
		if meant(got[:n]) {
			return true
		}
	}
}

// asksARP asks for an address from the other host, as a stranger (from 0.0.0.0) or as itself.
func (s *segment) asksARP(target, sender netip.Addr) (answered bool) {
	s.t.Helper()
	s.there(func() {
		link, err := net.InterfaceByName("there0")
		must(s.t, err)
		fd := s.socket(unix.AF_PACKET, unix.SOCK_DGRAM, int(networkOrder.Uint16([]byte{6, 8})))
		defer func() { must(s.t, unix.Close(fd)) }()
		to := &unix.SockaddrLinklayer{Protocol: 0x0608, Ifindex: link.Index, Halen: 6, Addr: [8]byte{255, 255, 255, 255, 255, 255}}
		must(s.t, unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: 0x0608, Ifindex: link.Index}))
		ask := append([]byte{0, 1, 8, 0, 6, 4, 0, 1}, link.HardwareAddr...)
		ask = append(append(ask, sender.AsSlice()...), make([]byte, 6)...)
		must(s.t, unix.Sendto(fd, append(ask, target.AsSlice()...), 0, to))
		answered = s.receives(fd, func(got []byte) bool {
			return len(got) >= 28 && got[7] == 2 && netip.AddrFrom4([4]byte(got[14:18])) == target
		})
	})
	return answered
}

// asksND asks for an IPv6 address from the other host.
func (s *segment) asksND(target netip.Addr) (answered bool) {
	s.t.Helper()
	s.there(func() {
		link, err := net.InterfaceByName("there0")
		must(s.t, err)
		fd := s.discovery("there0", "fd52::2")
		defer func() { must(s.t, unix.Close(fd)) }()
		to := &unix.SockaddrInet6{Addr: [16]byte{0xff, 2, 11: 1, 0xff}, ZoneId: uint32(link.Index)}
		copy(to.Addr[13:], target.AsSlice()[13:])
		ask := append([]byte{neighbourSolicitation, 7: 0}, target.AsSlice()...)
		must(s.t, unix.Sendto(fd, append(append(ask, 1, 1), link.HardwareAddr...), 0, to))
		answered = s.receives(fd, func(got []byte) bool {
			return len(got) >= 24 && got[0] == neighbourAdvertisement && netip.AddrFrom16([16]byte(got[8:24])) == target
		})
	})
	return answered
}

// discovery opens a socket for neighbour discovery in the present namespace.
func (s *segment) discovery(device, source string) int {
	s.t.Helper()
	link, err := net.InterfaceByName(device)
	must(s.t, err)
	fd := s.socket(unix.AF_INET6, unix.SOCK_RAW, unix.IPPROTO_ICMPV6)
	for option, value := range map[int]int{unix.IPV6_MULTICAST_HOPS: 255, unix.IPV6_UNICAST_HOPS: 255, unix.IPV6_MULTICAST_IF: link.Index} {
		must(s.t, unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, option, value))
	}
	must(s.t, unix.Bind(fd, &unix.SockaddrInet6{Addr: netip.MustParseAddr(source).As16()}))
	return fd
}

// advertises sends an unasked neighbour advertisement as the group's holder would.
func (s *segment) advertises(target netip.Addr) error {
	s.t.Helper()
	link, err := net.InterfaceByName("here0")
	must(s.t, err)
	fd := s.discovery("here0", "fd52::1")
	defer func() { must(s.t, unix.Close(fd)) }()
	say := append([]byte{neighbourAdvertisement, 0, 0, 0, 0x20, 0, 0, 0}, target.AsSlice()...)
	say = append(append(say, 2, 1), link.HardwareAddr...)
	return unix.Sendto(fd, say, 0, &unix.SockaddrInet6{Addr: [16]byte{0xff, 2, 15: 1}, ZoneId: uint32(link.Index)})
}

// wantClaimed checks what the other host hears, and what the gate says of itself.
func (s *segment) wantClaimed(h *Hand, when string, want bool) {
	s.t.Helper()
	// The state comes first where a slot is about to end: what it says then may be over when the packets are sent.
	st, err := h.State(group)
	must(s.t, err)
	if got := s.asksARP(vip4, netip.MustParseAddr("10.52.0.2")); got != want {
		s.t.Errorf("%s: asked by ARP, answered: %v", when, got)
	}
	if got := s.asksARP(vip4, netip.IPv4Unspecified()); got != want {
		s.t.Errorf("%s: probed by ARP, answered: %v", when, got)
	}
	if got := s.asksND(vip6); got != want {
		s.t.Errorf("%s: solicited, answered: %v", when, got)
	}
	if err := s.advertises(vip6); (err == nil) != want {
		s.t.Errorf("%s: advertising: %v", when, err)
	}
	if !s.asksARP(netip.MustParseAddr("10.52.0.1"), netip.MustParseAddr("10.52.0.2")) || !s.asksND(netip.MustParseAddr("fd52::1")) {
		s.t.Errorf("%s: the host's own addresses are silenced", when)
	}
	if st.Claimable != want {
		s.t.Errorf("%s: %+v", when, st)
	}
}

// TestClaimsFollowTheLease asks for addresses that have been left on a device, in every mode.
func TestClaimsFollowTheLease(t *testing.T) {
	s := newSegment(t)
	h := hand(t, Config{})
	want := Want{Ports: []uint16{6379}, Addresses: []netip.Addr{vip6, vip4}}
	for _, step := range []struct {
		mode    Mode
		watch   bool
		lasting time.Duration
		claimed bool
	}{
		{Absent, false, 0, true}, {Shut, false, 0, false}, {Opened, false, 0, false}, {Opened, false, time.Minute, false},
		{ReplicationOnly, false, 0, false}, {Leased, false, 0, false}, {Shut, true, 0, true}, {Shut, false, 0, false},
	} {
		want.Mode, want.Watch, want.For, want.Slot = step.mode, step.watch, step.lasting, 7
		must(t, h.Set(group, want))
		s.wantClaimed(h, step.mode.String(), step.claimed)
	}
	must(t, h.Arm(group, 3, time.Minute))
	s.wantClaimed(h, "armed", false)
	must(t, h.Activate(group, 3))
	s.wantClaimed(h, "activated", true)
	st, err := h.State(group)
	must(t, err)
	if len(st.Want.Addresses) != 2 || st.Silenced == 0 {
		t.Errorf("%+v", st)
	}
	must(t, h.Remove(group))
	if !s.asksARP(vip4, netip.MustParseAddr("10.52.0.2")) || !s.asksND(vip6) {
		t.Error("judged after the group was removed")
	}
	if gone, err := h.Withdraw(); !gone || err != nil {
		t.Error(gone, err)
	}
	if out, err := nft(t, "list ruleset"); err != nil || out != "" {
		t.Errorf("left in the kernel: %s, %v", out, err)
	}
}

// TestClaimsEndWithoutAgent kills the owner, and lets the slot run out; the next one finds everything.
func TestClaimsEndWithoutAgent(t *testing.T) {
	s := newSegment(t)
	h := hand(t, Config{})
	want := Want{Ports: []uint16{6379}, Addresses: []netip.Addr{vip4, vip6}, Mode: Shut}
	must(t, h.Set(group, want))
	must(t, h.Arm(group, 2, time.Second))
	armed := time.Now()
	must(t, h.Activate(group, 2))
	must(t, h.Close())
	if !s.asksARP(vip4, netip.IPv4Unspecified()) || !s.asksND(vip6) {
		t.Error("silent although the slot lives")
	}
	h = hand(t, Config{})
	st, err := h.State(group)
	must(t, err)
	if len(st.Want.Addresses) != 2 || !st.Claimable {
		t.Errorf("adopted %+v", st)
	}
	must(t, h.Close())
	<-time.After(time.Until(armed.Add(time.Second + jiffies)))
	if s.asksARP(vip4, netip.IPv4Unspecified()) || s.asksND(vip6) {
		t.Error("claimed after the slot has run out")
	}
	s.wantClaimed(hand(t, Config{}), "run out", false)
}

// TestOwnRequestsAreSilenced has the kernel ask for somebody with the virtual address as its own: its neighbours would learn
// from that where the address is.
func TestOwnRequestsAreSilenced(t *testing.T) {
	newSegment(t)
	h := hand(t, Config{})
	must(t, h.Set(group, Want{Ports: []uint16{6379}, Addresses: []netip.Addr{vip4, vip6}, Mode: Shut}))
	before := uint64(0)
	for vip, target := range map[netip.Addr]string{vip4: "10.52.0.77:9", vip6: "[fd52::77]:9"} {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: vip.AsSlice()}, Timeout: 50 * time.Millisecond}
		if _, err := d.Dial("tcp", target); !timedOut(err) {
			t.Errorf("%s: %v", target, err)
		}
		st, err := h.State(group)
		must(t, err)
		if st.Silenced <= before {
			t.Errorf("%s: asked as %s: %+v", target, vip, st)
		}
		before = st.Silenced
	}
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// TestNoTableWithoutAddress keeps ARP as it is where no group has an address.
func TestNoTableWithoutAddress(t *testing.T) {
	cell.Open(t)
	h := hand(t, Config{})
	must(t, h.Set(group, Want{Ports: []uint16{6379}, Addresses: []netip.Addr{vip6}, Mode: Shut}))
	if out, err := nft(t, "list tables"); err != nil || out != "table inet redkeep\n" {
		t.Errorf("%s, %v", out, err)
	}
	must(t, h.Set(group, Want{Ports: []uint16{6379}, Addresses: []netip.Addr{vip4}, Mode: Shut}))
	if err := h.Set("other", Want{Ports: []uint16{6380}, Addresses: []netip.Addr{vip4}}); err == nil {
		t.Error("two groups with one address")
	}
	if out, err := nft(t, "list ruleset"); err != nil || !strings.Contains(out, "table arp redkeep {") {
		t.Errorf("%s, %v", out, err)
	}
}

// TestClaimsAreRestored damages either table, on a kernel whose tables have no owner.
func TestClaimsAreRestored(t *testing.T) {
	s := newSegment(t)
	seen := make(chan Damage, 16)
	h := hand(t, Config{unowned: true, OnDamage: func(d Damage) { seen <- d }})
	must(t, h.Set(group, Want{Ports: []uint16{6379}, Addresses: []netip.Addr{vip4, vip6}, Mode: Shut}))
	must(t, h.Arm(group, 4, 20*time.Second))
	must(t, h.Activate(group, 4))
	must(t, h.Set("other", Want{Ports: []uint16{6380}, Addresses: []netip.Addr{netip.MustParseAddr("10.52.0.1")}, Mode: Shut}))
	for _, line := range []string{"flush ruleset", "delete table arp redkeep", "flush table inet redkeep", "flush map arp redkeep claims"} {
		if out, err := nft(t, line); err != nil {
			t.Fatal(out, err)
		}
		select {
		case d := <-seen:
			must(t, d.Err)
		case <-time.After(2 * time.Second):
			t.Fatal(line, "was not noticed")
		}
		if !s.asksARP(vip4, netip.IPv4Unspecified()) || !s.asksND(vip6) || s.asksARP(netip.MustParseAddr("10.52.0.1"), netip.IPv4Unspecified()) {
			t.Error("not restored after", line)
		}
	}
}
