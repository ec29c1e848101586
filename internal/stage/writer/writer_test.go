package writer

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"redkeep/internal/speak/resp"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/wire"
)

// fake is a server on the loopback that answers each command by a function.
type fake struct {
	addr netip.AddrPort
	mu   sync.Mutex // guards conns
	conn []net.Conn
}

func serve(t *testing.T, answer func(args []string) []byte) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{addr: netip.MustParseAddrPort(l.Addr().String())}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.conn = append(f.conn, c)
			f.mu.Unlock()
			conns.Go(func() { talk(c, answer) })
		}
	})
	t.Cleanup(func() { l.Close(); f.hangUp(); conns.Wait() })
	return f
}

func talk(c net.Conn, answer func([]string) []byte) {
	defer c.Close()
	reader := resp.NewReader(c, resp.Limits{})
	for {
		request, err := reader.Read()
		if err != nil {
			return
		}
		if _, err := c.Write(answer(request.Strings())); err != nil {
			return
		}
	}
}

// hangUp closes every connection.
func (f *fake) hangUp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conn {
		c.Close()
	}
}

// tell sends a message over every connection that was subscribed.
func (f *fake) tell(message []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conn {
		c.Write(message)
	}
}

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// store answers as a Redis that keeps all but what forget names.
func store(forget ...string) func([]string) []byte {
	var mu sync.Mutex
	keys := map[string]string{}
	return func(args []string) []byte {
		mu.Lock()
		defer mu.Unlock()
		switch args[0] {
		case "SET":
			if !slices.Contains(forget, args[1]) {
				keys[args[1]] = args[2]
			}
			return resp.AppendSimple(nil, "OK")
		case "GET":
			if v, ok := keys[args[1]]; ok {
				return resp.AppendBulk(nil, v)
			}
			return resp.AppendNilBulk(nil)
		default:
			return resp.AppendError(nil, "ERR unknown command")
		}
	}
}

// begin starts a writer and returns a channel of its writes.
func begin(t *testing.T, o Options) (*Writer, <-chan Write) {
	t.Helper()
	writes := make(chan Write, DefaultLimit)
	o.Dial, o.Interval = dial, 100*time.Microsecond
	o.On = func(w Write) { writes <- w }
	w, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Stop() })
	return w, writes
}

// until takes writes until one is as wanted.
func until(t *testing.T, writes <-chan Write, wanted func(Write) bool) Write {
	t.Helper()
	limit := time.After(5 * time.Second)
	for {
		select {
		case w := <-writes:
			if wanted(w) {
				return w
			}
		case <-limit:
			t.Fatal("what was awaited did not come within 5 s")
		}
	}
}

func TestAuditNamesWhatIsMissing(t *testing.T) {
	server := serve(t, store("key-7", "key-600"))
	w, writes := begin(t, Options{Finder: Fixed(server.addr)})
	until(t, writes, func(w Write) bool { return w.Seq == 1200 })
	// The last write may be one that Stop interrupted.
	log := w.Stop()[:1200]
	report, err := w.Audit(t.Context(), server.addr)
	if err != nil {
		t.Fatal(err)
	}
	if report.Lost() != 2 || report.Missing[0].Seq != 7 || report.Missing[1].Seq != 600 || report.Acked < 1200 {
		t.Errorf("%v: %v", report, report.Missing)
	}
	for i, write := range log {
		if write.Seq != uint64(i+1) || write.Acked < write.Sent {
			t.Fatalf("write %d is %+v", i, write)
		}
	}
}

func TestRefusedWriterReconnectsUnlessToldToStay(t *testing.T) {
	for _, stay := range []bool{false, true} {
		refuse := serve(t, func([]string) []byte { return resp.AppendError(nil, "READONLY You can't write") })
		w, writes := begin(t, Options{Finder: Fixed(refuse.addr), Stay: stay})
		first := until(t, writes, func(w Write) bool { return w.Seq == 5 })
		w.Stop()
		if first.OK() || first.Err != "READONLY You can't write" {
			t.Errorf("the write is %+v", first)
		}
		refuse.mu.Lock()
		if got := len(refuse.conn); (got == 1) != stay {
			t.Errorf("with stay %v there were %d connections", stay, got)
		}
		refuse.mu.Unlock()
	}
}

func TestWriterReconnectsAtOnceAfterAReset(t *testing.T) {
	server := serve(t, store())
	_, writes := begin(t, Options{Finder: Fixed(server.addr)})
	until(t, writes, Write.OK)
	server.hangUp()
	broken := until(t, writes, func(w Write) bool { return !w.OK() })
	again := until(t, writes, Write.OK)
	if d := again.Acked.Sub(broken.Sent); d > 50*time.Millisecond {
		t.Errorf("the next acknowledgement came %v later", d)
	}
}

func TestWriterStopsAtItsLimit(t *testing.T) {
	server := serve(t, store())
	w, _ := begin(t, Options{Finder: Fixed(server.addr), Limit: 10})
	select {
	case <-w.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("it goes on")
	}
	if !errors.Is(w.Err(), ErrLimit) || len(w.Writes()) != 10 {
		t.Errorf("%v after %d writes", w.Err(), len(w.Writes()))
	}
}

func TestIdentifiedConnectionsGiveTheirNode(t *testing.T) {
	server := serve(t, store())
	own := netip.MustParseAddrPort("10.0.0.7:6379")
	asked := 0
	_, writes := begin(t, Options{Finder: Fixed(server.addr), Identify: func(conn *wire.Conn, within time.Duration) (netip.AddrPort, error) {
		if asked++; asked == 1 {
			return netip.AddrPort{}, errors.New("nobody knows")
		}
		return own, nil
	}})
	// The connection that nobody knew was not written to.
	if first := until(t, writes, func(Write) bool { return true }); !first.OK() || first.Node != own || asked != 2 {
		t.Errorf("the first write is %+v, after %d questions", first, asked)
	}
}

func TestAnnouncementTurnsAWaitingWriter(t *testing.T) {
	silent := serve(t, func([]string) []byte { return nil })
	next := serve(t, store())
	host, port := silent.addr.Addr().String(), strconv.Itoa(int(silent.addr.Port()))
	subscribed := make(chan struct{}, 1)
	face := serve(t, func(args []string) []byte {
		if args[0] == "SUBSCRIBE" {
			subscribed <- struct{}{}
			return resp.AppendInt(resp.AppendBulk(resp.AppendBulk(resp.AppendArray(nil, 3), "subscribe"), args[1]), 1)
		}
		return resp.AppendBulk(resp.AppendBulk(resp.AppendArray(nil, 2), host), port)
	})
	finder := NewSentinel(dial, []netip.AddrPort{face.addr}, "orders")
	t.Cleanup(finder.Close)
	// The request would wait for the rest of the test.
	_, writes := begin(t, Options{Finder: finder, RequestTimeout: time.Minute})
	select {
	case <-subscribed:
	case <-time.After(5 * time.Second):
		t.Fatal("nobody subscribed")
	}
	text := "orders " + host + " " + port + " " + next.addr.Addr().String() + " " + strconv.Itoa(int(next.addr.Port()))
	other := "cache" + text[len("orders"):]
	for _, t := range []string{other, text} {
		face.tell(resp.AppendBulk(resp.AppendBulk(resp.AppendBulk(resp.AppendArray(nil, 3), "message"), "+switch-master"), t))
	}
	if got := until(t, writes, Write.OK); got.Node != next.addr {
		t.Errorf("%v acknowledged", got.Node)
	}
}

func TestFindersEndWithTheirContext(t *testing.T) {
	replica := serve(t, func([]string) []byte { return resp.AppendBulk(resp.AppendArray(nil, 1), "slave") })
	for _, servers := range [][]netip.AddrPort{{replica.addr}, nil} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if found, err := (Roles{Dial: dial, Servers: servers}).Find(ctx); err == nil {
			t.Errorf("found %v", found)
		}
		cancel()
	}
}

func TestGapsAreCountedFromAcknowledgementToAcknowledgement(t *testing.T) {
	writes := []Write{{Acked: 10}, {Acked: 20}, {Err: "reset"}, {Acked: 90}, {Acked: 95}}
	got := Gaps(writes, 15, 100, 6)
	want := []Gap{{From: 10, To: 20}, {From: 20, To: 90}}
	if !slices.Equal(got, want) {
		t.Errorf("the gaps are %v; want %v", got, want)
	}
	for _, c := range []struct {
		from, to clock.Instant
		want     Gap
	}{
		{0, 200, Gap{From: 95, To: 200, Open: true}},
		{50, 60, Gap{From: 20, To: 90}},
		{92, 95, Gap{From: 90, To: 95}},
		{300, 310, Gap{From: 95, To: 310, Open: true}},
	} {
		if got := Longest(writes, c.from, c.to); got != c.want {
			t.Errorf("the longest from %d to %d is %v; want %v", c.from, c.to, got, c.want)
		}
	}
	if got := Longest(nil, 5, 9); got != (Gap{From: 5, To: 9, Open: true}) {
		t.Errorf("the longest of nothing is %v", got)
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
