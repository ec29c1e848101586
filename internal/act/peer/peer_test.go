package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"redkeep/internal/speak/seal"
	"redkeep/internal/words"
)

// patience bounds every wait of these tests.
const patience = 5 * time.Second

var secret = []byte("a-shared-secret")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// heard is one datagram as OnDatagram got it.
type heard struct {
	from    words.Node
	session words.Session
	items   []string
}

// host is one node under test.
type host struct {
	*Peer
	heard    chan heard
	outlived chan words.Session
}

// ports finds free ports on 127.0.0.x, one for each name.
func ports(t testing.TB, names ...words.Node) map[words.Node]netip.AddrPort {
	t.Helper()
	addrs := make(map[words.Node]netip.AddrPort)
	for i, name := range names {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.%d:0", i+1))
		if err != nil {
			t.Fatal(err)
		}
		addrs[name] = l.Addr().(*net.TCPAddr).AddrPort()
		l.Close()
	}
	return addrs
}

func open(t testing.TB, self words.Node, session words.Session, addrs map[words.Node]netip.AddrPort,
	change func(*Config)) *host {
	t.Helper()
	h := &host{heard: make(chan heard, 1024), outlived: make(chan words.Session, 16)}
	config := Config{
		Self: self, Session: session, Listen: addrs[self], Peers: addrs, Secret: secret,
		OnDatagram: func(from words.Node, session words.Session, items [][]byte) {
			got := heard{from: from, session: session}
			for _, item := range items {
				got.items = append(got.items, string(item))
			}
			h.heard <- got
		},
		OnOutlived: func(_ words.Node, s words.Session) { h.outlived <- s },
	}
	if change != nil {
		change(&config)
	}
	p, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	h.Peer = p
	return h
}

func (h *host) next(t testing.TB) heard {
	t.Helper()
	select {
	case got := <-h.heard:
		return got
	case <-time.After(patience):
		t.Fatalf("%s heard nothing; counters %+v", h.config.Self, h.Counters())
		return heard{}
	}
}

// until waits for a condition on counters, which change on other goroutines.
func until(t testing.TB, what string, met func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for bound := time.After(patience); !met(); {
		select {
		case <-tick.C:
		case <-bound:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func TestThreePeersHearEachOther(t *testing.T) {
	addrs := ports(t, "a", "b", "c")
	hosts := map[words.Node]*host{}
	for name := range addrs {
		hosts[name] = open(t, name, 7, addrs, nil)
	}
	for from, h := range hosts {
		for to := range addrs {
			if to == from {
				continue
			}
			h.Send(to, []byte("beat from "+from), []byte("for "+to))
			got := hosts[to].next(t)
			if got.from != from || got.session != 7 || strings.Join(got.items, "|") != fmt.Sprintf("beat from %s|for %s", from, to) {
				t.Errorf("%s heard %+v", to, got)
			}
		}
	}
}

func TestItemsFillDatagramsInOrder(t *testing.T) {
	addrs := ports(t, "a", "b")
	a, b := open(t, "a", 1, addrs, nil), open(t, "b", 1, addrs, nil)
	b.Send("a", []byte("so that a has heard b"))
	a.next(t)
	var items [][]byte
	for i := range 40 {
		items = append(items, bytes.Repeat([]byte{byte('a' + i%26)}, 1+i*25%MaxItem))
	}
	items = append(items, make([]byte, MaxItem+1), []byte("last"))
	a.Send("b", items...)
	items = append(items[:40], items[41])
	for len(items) > 0 {
		for _, got := range b.next(t).items {
			if got != string(items[0]) {
				t.Fatalf("got item of %d bytes, want %d", len(got), len(items[0]))
			}
			items = items[1:]
		}
	}
	if a.Send("nobody", []byte("x")); a.Counters().Dropped != 2 {
		t.Errorf("dropped %d, want the long item and the one to nobody", a.Counters().Dropped)
	}
}

// A restarted receiver can't tell what was said to its earlier session from a recording; what is said after one round
// trip passes, also if its own greeting was lost.
func TestRestartCostsOneRoundTrip(t *testing.T) {
	addrs := ports(t, "a", "b")
	a, b := open(t, "a", 1, addrs, nil), open(t, "b", 1, addrs, nil)
	a.Send("b", []byte("one"))
	b.next(t)
	for session := words.Session(2); session < 6; session++ {
		b.Close()
		// The hello of the new start is lost, so that a's datagram is the first that they exchange.
		middle, middleAddr := socket(t, "127.0.0.7:0")
		stop := record(t, middle, addrs["a"], 1)
		b = open(t, "b", session, map[words.Node]netip.AddrPort{"a": middleAddr, "b": addrs["b"]}, nil)
		before := a.Counters().Received
		a.Send("b", []byte("to the dead"))
		until(t, "a got the hello", func() bool { return a.Counters().Received > before })
		a.Send("b", []byte("again"))
		if got := b.next(t); got.items[0] != "again" || got.from != "a" {
			t.Errorf("heard %+v", got)
		}
		b.Send("a", []byte("answer"))
		if got := a.next(t); got.session != session {
			t.Errorf("heard session %d, want %d", got.session, session)
		}
		stop()
	}
}

// socket is a bare one, for what no agent would send.
func socket(t *testing.T, addr string) (*net.UDPConn, netip.AddrPort) {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, c.LocalAddr().(*net.UDPAddr).AddrPort()
}

// What is said before anything was heard is not lost, though the peer can't take it at first.
func TestFirstDatagramArrives(t *testing.T) {
	addrs := ports(t, "a", "b")
	b := open(t, "b", 1, addrs, nil)
	a := open(t, "a", 1, addrs, nil)
	a.Send("b", []byte("one"))
	if got := b.next(t); got.items[0] != "one" {
		t.Errorf("heard %+v", got)
	}
}

// record stands between a sender and to: it hands on all but the first few, and the returned function ends it and tells
// what it read.
func record(t *testing.T, middle *net.UDPConn, to netip.AddrPort, lose int) (stop func() [][]byte) {
	t.Helper()
	done := make(chan [][]byte, 1)
	go func() {
		var packets [][]byte
		for {
			packet := make([]byte, seal.MaxDatagram)
			n, err := middle.Read(packet)
			if err != nil {
				done <- packets
				return
			}
			if packets = append(packets, packet[:n]); len(packets) <= lose {
				continue
			}
			middle.WriteToUDPAddrPort(packet[:n], to)
		}
	}()
	return func() [][]byte {
		middle.SetReadDeadline(time.Unix(1, 0))
		return <-done
	}
}

func TestRecordedDatagramsAreRefused(t *testing.T) {
	addrs := ports(t, "a", "b")
	middle, middleAddr := socket(t, "127.0.0.7:0")
	b := open(t, "b", 1, addrs, nil)
	stop := record(t, middle, addrs["b"], 0)
	a := open(t, "a", 1, map[words.Node]netip.AddrPort{"a": addrs["a"], "b": middleAddr}, nil)
	b.Send("a", []byte("so that a has heard b"))
	a.next(t)
	a.Send("b", []byte("once"))
	b.next(t)
	recorded := stop()
	if len(recorded) < 2 {
		t.Fatalf("recorded %d datagrams", len(recorded))
	}

	before := b.Counters()
	for _, packet := range recorded {
		middle.WriteToUDPAddrPort(packet, addrs["b"])
	}
	until(t, "b judged the recording", func() bool {
		c := b.Counters()
		return c.Replayed+c.Unproven-before.Replayed-before.Unproven == uint64(len(recorded))
	})
	b.Close()
	b2 := open(t, "b", 2, addrs, nil)
	for _, packet := range recorded {
		middle.WriteToUDPAddrPort(packet, addrs["b"])
	}
	until(t, "the restarted b judged the recording", func() bool { return b2.Counters().Unproven >= uint64(len(recorded)) })
	if len(b.heard) != 0 || len(b2.heard) != 0 {
		t.Errorf("heard %d and %d recorded datagrams", len(b.heard), len(b2.heard))
	}
}

func TestStrangersAreCountedAndLoggedOnceASecond(t *testing.T) {
	addrs := ports(t, "a", "b", "c")
	var log bytes.Buffer
	b := open(t, "b", 1, addrs, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	a := open(t, "a", 1, addrs, func(c *Config) { c.Secret = []byte("another") })
	for range 20 {
		a.Send("b", []byte("x"))
	}
	stranger, _ := socket(t, "127.0.0.8:0")
	for _, junk := range [][]byte{nil, []byte("x"), make([]byte, 1200), make([]byte, 1201), make([]byte, 9000)} {
		stranger.WriteToUDPAddrPort(junk, addrs["b"])
	}
	until(t, "b refused them", func() bool { c := b.Counters(); return c.Forged == 21 && c.Malformed == 5 })
	b.Close()
	if n := strings.Count(log.String(), "datagram refused"); n < 2 || n > 4 {
		t.Errorf("%d log lines for two addresses:\n%s", n, log.String())
	}
	if strings.Contains(log.String(), string(secret)) {
		t.Error("the log tells the secret")
	}
	if len(b.heard) != 0 {
		t.Error("something was heard")
	}
}

// A node whose state directory was rolled back speaks with an old session: it is refused, and told.
func TestRolledBackNodeIsRefusedAndTold(t *testing.T) {
	addrs := ports(t, "a", "b")
	b := open(t, "b", 1, addrs, nil)
	a := open(t, "a", 9, addrs, nil)
	a.Send("b", []byte("of session 9"))
	b.next(t)
	a.Close()
	old := open(t, "a", 4, addrs, nil)
	old.Send("b", []byte("of session 4"))
	select {
	case heard := <-old.outlived:
		if heard != 9 {
			t.Errorf("told of session %d, want 9", heard)
		}
	case <-time.After(patience):
		t.Fatal("not told")
	}
	until(t, "b refused the old session", func() bool { return b.Counters().OldSession > 0 })
	old.Close()
	open(t, "a", 10, addrs, nil).Send("b", []byte("of session 10"))
	if got := b.next(t); got.session != 10 {
		t.Errorf("heard %+v", got)
	}
}

func TestBothVersionsOfIP(t *testing.T) {
	addrs := map[words.Node]netip.AddrPort{}
	for _, name := range []words.Node{"a", "b"} {
		l, err := net.Listen("tcp", "[::1]:0")
		if err != nil {
			t.Skipf("no IPv6 here: %v", err)
		}
		addrs[name] = l.Addr().(*net.TCPAddr).AddrPort()
		l.Close()
	}
	a, b := open(t, "a", 1, addrs, nil), open(t, "b", 1, addrs, nil)
	a.Send("b", []byte("six"))
	if got := b.next(t); got.items[0] != "six" {
		t.Errorf("heard %+v", got)
	}
}

func TestOpenSaysWhatToDo(t *testing.T) {
	addrs := ports(t, "a", "b")
	open(t, "a", 1, addrs, nil)
	_, err := Open(t.Context(), Config{Self: "a", Session: 1, Listen: addrs["a"], Secret: secret})
	if err == nil || !strings.Contains(err.Error(), "peer_port") {
		t.Errorf("port taken: %v", err)
	}
	_, err = Open(t.Context(), Config{Self: "a", Session: 1, Listen: netip.MustParseAddrPort("192.0.2.1:0"), Secret: secret})
	if err == nil || !strings.Contains(err.Error(), "does not have the address") {
		t.Errorf("foreign address: %v", err)
	}
	if _, err = Open(t.Context(), Config{Self: "a", Session: 1, Listen: addrs["b"]}); err == nil {
		t.Error("an empty secret was taken")
	}
}

func TestEndOfContextEndsEverything(t *testing.T) {
	addrs := ports(t, "a", "b")
	ctx, cancel := context.WithCancel(t.Context())
	p, err := Open(ctx, Config{Self: "a", Session: 1, Listen: addrs["a"], Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	p.running.Wait()
	p.Send("b", []byte("x"))
	p.Close()
}

func BenchmarkRoundTrip(b *testing.B) {
	addrs := ports(b, "a", "b")
	done := make(chan struct{}, 1)
	var echo *Peer
	item := make([]byte, 200)
	a := open(b, "a", 1, addrs, func(c *Config) {
		c.OnDatagram = func(words.Node, words.Session, [][]byte) { done <- struct{}{} }
	})
	ready := make(chan struct{})
	e := open(b, "b", 1, addrs, func(c *Config) {
		c.OnDatagram = func(from words.Node, _ words.Session, items [][]byte) { <-ready; echo.Send(from, items...) }
	})
	echo = e.Peer
	close(ready)
	bound := time.NewTimer(patience)
	b.ReportAllocs()
	for b.Loop() {
		bound.Reset(patience)
		a.Send("b", item)
		select {
		case <-done:
		case <-bound.C:
			b.Fatal("lost")
		}
	}
}

func BenchmarkSend(b *testing.B) {
	addrs := ports(b, "a", "b")
	a := open(b, "a", 1, addrs, nil)
	item := make([]byte, 200)
	b.ReportAllocs()
	for b.Loop() {
		a.Send("b", item)
	}
}

func TestWhyANodeIsRefused(t *testing.T) {
	at := ports(t, "a", "b")
	a := open(t, "a", 1, at, nil)
	if why := a.Refused("b", time.Minute); why != nil {
		t.Errorf("before anything came: %v", why)
	}
	stranger := open(t, "b", 1, at, func(c *Config) { c.Secret = []byte("another") })
	until(t, "the refusal", func() bool { return errors.Is(a.Refused("b", time.Minute), seal.ErrForged) })
	if why := a.Refused("b", 0); why != nil {
		t.Errorf("it is older than that: %v", why)
	}
	stranger.Close()
	b := open(t, "b", 2, at, nil)
	b.Send("a", []byte("hello"))
	until(t, "that b is taken", func() bool { return a.Refused("b", time.Minute) == nil })
	if why := a.Refused("c", time.Minute); why != nil {
		t.Errorf("of no peer: %v", why)
	}
}
