package gate

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// routerSegment is a segment with a gate of addresses in front of those that are left on the device.
func routerSegment(t *testing.T) (*segment, *Addresses, []netip.Addr) {
	t.Helper()
	s := newSegment(t)
	return s, addresses(t), []netip.Addr{vip4, vip6}
}

func addresses(t *testing.T) *Addresses {
	t.Helper()
	a, err := OpenAddresses(slog.New(slog.DiscardHandler))
	must(t, err)
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// wantAnswers checks what another host hears of the virtual addresses, and that the host's own are as they were.
func (s *segment) wantAnswers(when string, want bool) {
	s.t.Helper()
	for what, got := range map[string]bool{
		"asked by ARP": s.asksARP(vip4, netip.MustParseAddr("10.52.0.2")), "probed by ARP": s.asksARP(vip4, netip.IPv4Unspecified()),
		"solicited": s.asksND(vip6), "advertising": s.advertises(vip6) == nil,
		"sent to": s.reaches("udp4", vip4), "sent to over IPv6": s.reaches("udp6", vip6),
	} {
		if got != want {
			s.t.Errorf("%s: %s, answered: %v", when, what, got)
		}
	}
	if !s.asksARP(netip.MustParseAddr("10.52.0.1"), netip.MustParseAddr("10.52.0.2")) || !s.asksND(netip.MustParseAddr("fd52::1")) ||
		!s.reaches("udp4", netip.MustParseAddr("10.52.0.1")) || !s.reaches("udp6", netip.MustParseAddr("fd52::1")) {
		s.t.Errorf("%s: the host's own addresses are silenced", when)
	}
}

// reaches reports whether what this host sends to an address of its own arrives: it is judged like what others send, and no neighbour has to
// be found first.
func (s *segment) reaches(network string, to netip.Addr) bool {
	s.t.Helper()
	server, err := net.ListenPacket(network, netip.AddrPortFrom(to, 0).String())
	must(s.t, err)
	defer func() { must(s.t, server.Close()) }()
	client, err := net.Dial(network, server.LocalAddr().String())
	must(s.t, err)
	defer func() { must(s.t, client.Close()) }()
	_, err = client.Write([]byte("here?"))
	must(s.t, err)
	must(s.t, server.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	_, _, err = server.ReadFrom(make([]byte, 16))
	if err != nil && !timedOut(err) {
		s.t.Fatal(err)
	}
	return err == nil
}

// TestAddressesAnswerWhileTheirSlotRuns takes an address through a lease, its renewal by the other slot, and its release.
func TestAddressesAnswerWhileTheirSlotRuns(t *testing.T) {
	s, a, addrs := routerSegment(t)
	s.wantAnswers("not judged", true)
	must(t, a.Point(addrs, 0, time.Minute))
	s.wantAnswers("pointed at a slot that was never armed", false)
	must(t, a.Arm(addrs, 1, time.Minute))
	s.wantAnswers("the other one armed", false)
	must(t, a.Point(addrs, 1, time.Minute))
	s.wantAnswers("pointed at it", true)
	if err := a.Arm(addrs, 1, time.Minute); !errors.Is(err, ErrActive) {
		t.Errorf("armed the slot in force: %v", err)
	}
	must(t, a.Arm(addrs, 0, time.Millisecond))
	must(t, a.Point(addrs, 0, time.Minute))
	<-time.After(jiffies)
	s.wantAnswers("pointed too late", false)
	must(t, a.Release(addrs))
	s.wantAnswers("released", true)
	must(t, a.Release(addrs))
	must(t, a.Remove())
	if out, err := nft(t, "list ruleset"); err != nil || out != "" {
		t.Errorf("left in the kernel: %s, %v", out, err)
	}
}

// TestTablesStayWhileAnAddressIsJudged has another process release its own address and end: the first one's stays silent.
func TestTablesStayWhileAnAddressIsJudged(t *testing.T) {
	s, a, addrs := routerSegment(t)
	must(t, a.Point(addrs, 0, time.Minute))
	if err := addresses(t).Remove(); !errors.Is(err, ErrJudged) {
		t.Errorf("removed beside another: %v", err)
	}
	must(t, a.Release(addrs[:1]))
	if err := a.Remove(); !errors.Is(err, ErrJudged) {
		t.Errorf("removed with an address that is not released: %v", err)
	}
	if s.reaches("udp6", vip6) {
		t.Error("what was not released answers")
	}
	for _, family := range []string{"inet ", "arp "} {
		if out, err := nft(t, "delete table "+family+addressTable); err != nil {
			t.Fatal(out, err)
		}
	}
	must(t, a.Remove()) // There is nothing any more.
}

// TestAddressesEndWithoutAnybody ends the process. The address falls silent with its slot, and is nobody's matter after hold.
func TestAddressesEndWithoutAnybody(t *testing.T) {
	s, a, addrs := routerSegment(t)
	const hold = 10 * time.Second // which two looks must end before
	must(t, a.Arm(addrs, 0, 100*time.Millisecond))
	must(t, a.Point(addrs, 0, hold))
	pointed := time.Now()
	must(t, a.Close())
	<-time.After(100*time.Millisecond + jiffies)
	s.wantAnswers("run out", false)
	next := addresses(t) // Whoever comes next finds it so.
	s.wantAnswers("taken over", false)
	<-time.After(time.Until(pointed.Add(hold + jiffies)))
	s.wantAnswers("long after", true)
	must(t, next.Remove())
}

// TestAddressesAreMadeAgain takes the tables away, as somebody does who loads his own rules.
func TestAddressesAreMadeAgain(t *testing.T) {
	s, a, addrs := routerSegment(t)
	must(t, a.Point(addrs, 0, time.Minute))
	for _, line := range []string{"flush ruleset", "delete table arp " + addressTable} {
		if out, err := nft(t, line); err != nil {
			t.Fatal(out, err)
		}
		if err := a.Point(addrs, 0, time.Minute); !errors.Is(err, errRemade) {
			t.Errorf("pointed at slots that are gone: %v", err)
		}
		s.wantAnswers("not judged after "+line, true)
		must(t, a.Arm(addrs, 1, time.Minute))
		must(t, a.Point(addrs, 0, time.Minute))
		s.wantAnswers("silent again after "+line, false)
	}
	out, err := nft(t, "list ruleset")
	must(t, err)
	for _, what := range []string{"nft delete table inet " + addressTable, "nft delete table arp " + addressTable} {
		if !strings.Contains(out, what) {
			t.Errorf("nobody is told %q:\n%s", what, out)
		}
	}
	// Somebody has tables of the same name and other sets: an older version, or a newer.
	for _, line := range []string{"delete table inet " + addressTable, "add table inet " + addressTable, "add set inet " + addressTable + " judged4 { type inet_service; }"} {
		if out, err := nft(t, line); err != nil {
			t.Fatal(out, err)
		}
	}
	must(t, addresses(t).Point(addrs, 0, time.Minute))
	s.wantAnswers("silent in front of another version's tables", false)
}
