package reception

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"redkeep/internal/act/sockets"
	"redkeep/internal/picture"
	"redkeep/internal/show/sentinel"
	"redkeep/internal/words"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// staged is a lease's face that serves on the loopback.
type staged struct {
	*sentinel.Lease
	face *sentinel.Face
	loop *sockets.Loop
	addr string
	// dropped are the reasons for which clients were, slow is how long one may take nothing.
	dropped chan error
	slow    time.Duration
	options Options
}

var start = time.Now()

func stage(t testing.TB, groups int, idle time.Duration) *staged {
	t.Helper()
	return stageWith(t, groups, time.Second, Options{Idle: idle})
}

func stageWith(t testing.TB, groups int, slow time.Duration, o Options) *staged {
	t.Helper()
	s := &staged{dropped: make(chan error, 20_000), slow: slow}
	var err error
	s.loop, err = sockets.New(sockets.Config{Now: func() words.Instant { return words.Instant(time.Since(start)) + 1 }, Slow: s.slow})
	if err != nil {
		t.Fatal(err)
	}
	now := pictured(groups)
	s.Lease, s.face = sentinel.NewLease(sentinel.LeaseConfig{
		Picture: func() *picture.Node { return now }, DownAfter: time.Second, Post: func(call func()) { s.loop.Post(call) },
	}, 0)
	o.Dropped = func(_ netip.AddrPort, why error) { s.dropped <- why }
	s.options = o
	ln, err := Listen(s.loop, netip.MustParseAddrPort("127.0.0.1:0"), s.face, o)
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.loop.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// pictured has the same group under many names: "orders", then "orders1" and so on.
func pictured(groups int) *picture.Node {
	n := &picture.Node{Node: "h1", Addrs: map[words.Node]netip.Addr{"h1": netip.MustParseAddr("127.0.0.1"), "h2": netip.MustParseAddr("127.0.0.2")}}
	for i := range groups {
		name := words.Group("orders")
		if i > 0 {
			name += words.Group(strings.Repeat("s", i))
		}
		n.Groups = append(n.Groups, picture.Group{Name: name, Self: "h1", RedisPort: 6379, Master: "h1", Epoch: 7, Writable: true})
	}
	return n
}

func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	return c
}

// ask sends a request and reads an answer that is known.
func ask(t testing.TB, c net.Conn, request, want string) {
	t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	hear(t, c, want)
}

func hear(t testing.TB, c io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("%q, %v; want %q", got[:n], err, want)
	}
}

// awaitDrop waits until a client was dropped for a reason.
func (s *staged) awaitDrop(t testing.TB, want error) {
	t.Helper()
	for deadline := time.After(20 * time.Second); ; {
		select {
		case why := <-s.dropped:
			if errors.Is(why, want) {
				return
			}
		case <-deadline:
			t.Fatalf("nobody was dropped with %q", want)
		}
	}
}

// TestManyConnectionsCostLittle has them idle, then in the middle of a request whose length they have only announced.
func TestManyConnectionsCostLittle(t *testing.T) {
	n := 10_000
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err == nil && limit.Cur < uint64(2*n+200) {
		n = int(limit.Cur)/2 - 100
	}
	s := stage(t, 1, 0)
	used := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc + m.StackInuse)
	}
	all := make([]net.Conn, n)
	for i := range all {
		all[i] = dial(t, s.addr)
	}
	before := used()
	for _, c := range all {
		ask(t, c, "PING\r\n", "+PONG\r\n")
	}
	idle := used()
	for _, c := range all {
		if _, err := io.WriteString(c, "PING\r\n*2\r\n$4\r\nPING\r\n$60000\r\nhalf"); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range all {
		hear(t, c, "+PONG\r\n")
	}
	half := used()
	t.Logf("%d connections: served %d bytes each, with half a request %d more", n, (idle-before)/int64(n), (half-idle)/int64(n))
	if (half-before)/int64(n) > 4<<10 {
		t.Errorf("%d bytes each", (half-before)/int64(n))
	}
	ask(t, all[n/2], "\r\n", "") // it was in the middle of a request
	one := dial(t, s.addr)
	if n == sentinel.DefaultClients {
		hear(t, one, "-ERR max number of clients reached\r\n")
	} else {
		ask(t, one, "PING\r\n", "+PONG\r\n")
	}
}

// TestAPeerThatReadsNothingIsDropped sends requests and reads no reply; what waits for it stays bounded meanwhile.
func TestAPeerThatReadsNothingIsDropped(t *testing.T) {
	s := stage(t, 200, 0)
	c := dial(t, s.addr)
	_ = c.(*net.TCPConn).SetReadBuffer(4096)
	requests := strings.Repeat("SENTINEL MASTERS\r\n", 1000)
	for {
		if _, err := io.WriteString(c, requests); err != nil {
			break
		}
	}
	s.awaitDrop(t, sockets.ErrSlow)
	ask(t, dial(t, s.addr), "PING\r\n", "+PONG\r\n")
}

// TestAPeerThatReadsLateIsServed asks for far more than may wait for it before it reads any of it.
func TestAPeerThatReadsLateIsServed(t *testing.T) {
	s := stage(t, 200, 0)
	c := dial(t, s.addr)
	const times = 500
	ask(t, c, strings.Repeat("SENTINEL MASTERS\r\n", times)+"PING end\r\n", "")
	select {
	case why := <-s.dropped:
		t.Fatalf("dropped: %v", why)
	case <-time.After(s.slow / 3):
	}
	r := bufio.NewReaderSize(c, 1<<20)
	total := 0
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("%v after %d bytes", err, total)
		}
		if total += len(line); line == "end\r\n" {
			break
		}
	}
	t.Logf("%d bytes of replies", total)
	if total < times*50_000 {
		t.Errorf("%d bytes of replies", total)
	}
}

// TestSubscribersThatDoNotReadHoldUpNobody: whoever announces a switch waits for none, and one who reads is told.
func TestSubscribersThatDoNotReadHoldUpNobody(t *testing.T) {
	s := stage(t, 1, 0)
	const n = 20
	all := make([]net.Conn, n)
	for i := range all {
		all[i] = dial(t, s.addr)
		_ = all[i].(*net.TCPConn).SetReadBuffer(2048)
		ask(t, all[i], "PSUBSCRIBE *\r\n", "*3\r\n$10\r\npsubscribe\r\n$1\r\n*\r\n:1\r\n")
	}
	const switches = 8000
	began := time.Now()
	for i := range switches {
		from, to := words.Node("h1"), words.Node("h2")
		if i%2 == 1 {
			from, to = to, from
		}
		s.Announce("orders", words.Epoch(8+i), from, to)
	}
	if took := time.Since(began); took > switches*100*time.Microsecond {
		t.Errorf("%d switches took whoever announced them %v", switches, took)
	}
	reader := bufio.NewReader(all[n/2])
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line, "orders 127.0.0.1 6379 127.0.0.2 6379") {
			break
		}
	}
	s.awaitDrop(t, sockets.ErrSlow)
	ask(t, dial(t, s.addr), "PING\r\n", "+PONG\r\n")
}

// TestASlowSenderIsServedAndBounded sends a request byte by byte, and then one that is too long for a request.
func TestASlowSenderIsServedAndBounded(t *testing.T) {
	s := stage(t, 1, 0)
	c := dial(t, s.addr)
	for _, b := range []byte("*2\r\n$4\r\nPING\r\n$3\r\nabc\r") {
		if _, err := c.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	ask(t, c, "\n", "$3\r\nabc\r\n")
	_, _ = io.WriteString(c, "*1\r\n$1000000\r\n")
	hear(t, c, "-ERR Protocol error: invalid bulk length\r\n")
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is still open")
	}
}

// TestHalvesOfRequestsShareABound has clients begin long requests and end none.
func TestHalvesOfRequestsShareABound(t *testing.T) {
	s := stage(t, 1, 0)
	half := "*2\r\n$4\r\nPING\r\n$60000\r\n" + strings.Repeat("x", 59_000)
	small := dial(t, s.addr)
	ask(t, small, "*2\r\n$4\r\nPING\r\n$5\r\nab", "")
	for range unfinished/len(half) + 10 {
		// It may be dropped before it has sent all of it.
		_, _ = io.WriteString(dial(t, s.addr), half)
	}
	s.awaitDrop(t, ErrUnfinished)
	ask(t, small, "cde\r\n", "$5\r\nabcde\r\n")
	ask(t, dial(t, s.addr), "PING\r\n", "+PONG\r\n")
}

// TestWhoAsksForNothingIsDropped, but for those who listen.
func TestWhoAsksForNothingIsDropped(t *testing.T) {
	s := stage(t, 1, 300*time.Millisecond)
	listener, silent := dial(t, s.addr), dial(t, s.addr)
	ask(t, listener, "SUBSCRIBE a\r\n", "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n")
	s.awaitDrop(t, sockets.ErrIdle)
	if _, err := silent.Read(make([]byte, 1)); err == nil {
		t.Error("it said something")
	}
	ask(t, listener, "PING\r\n", "*2\r\n$4\r\npong\r\n$0\r\n\r\n")
}
