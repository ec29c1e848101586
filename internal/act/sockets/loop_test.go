package sockets

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"redkeep/internal/words"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests.
const patience = 10 * time.Second

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// clock reads what the agent reads.
func clock() words.Instant {
	var ts unix.Timespec
	_, _, _ = unix.RawSyscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_MONOTONIC_RAW, uintptr(unsafe.Pointer(&ts)), 0)
	return words.Instant(ts.Nano())
}

// running makes a loop, prepares it, and runs it until the test's end.
func running(t testing.TB, config Config, prepare func(*Loop)) *Loop {
	t.Helper()
	if config.Now == nil {
		config.Now = clock
	}
	l, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	if prepare != nil {
		prepare(l)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("run: %v", err)
			}
		case <-time.After(patience):
			t.Error("the loop does not end")
		}
	})
	return l
}

// on calls a function on the loop, and waits for it.
func on(t testing.TB, l *Loop, f func()) {
	t.Helper()
	done := make(chan struct{})
	if !l.Post(func() { f(); close(done) }) {
		t.Fatal("post: refused")
	}
	within(t, done, "a posted function")
}

// within waits for a channel's value.
func within[T any](t testing.TB, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s does not come", what)
		panic("unreachable")
	}
}

// played is a Handler made of functions; those that are nil do nothing, or use everything.
type played struct {
	opened   func(*Conn)
	received func(*Conn, []byte) int
	closed   func(*Conn, error)
}

func (p *played) Opened(c *Conn) {
	if p.opened != nil {
		p.opened(c)
	}
}

func (p *played) Received(c *Conn, b []byte) int {
	if p.received != nil {
		return p.received(c, b)
	}
	return len(b)
}

func (p *played) Closed(c *Conn, why error) {
	if p.closed != nil {
		p.closed(c, why)
	}
}

// echo writes what it gets, line by line.
func echo(c *Conn, b []byte) int {
	n := bytes.LastIndexByte(b, '\n') + 1
	c.Write(b[:n])
	return n
}

// serving listens on the loopback and returns where.
func serving(t testing.TB, l *Loop, accept func(*Conn) Handler) string {
	t.Helper()
	ln, err := l.Listen(loopback, 1024, nil, accept)
	if err != nil {
		t.Fatal(err)
	}
	return ln.Addr().String()
}

// dialled connects as an ordinary client.
func dialled(t testing.TB, at string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// ask writes and reads back as many bytes.
func ask(conn net.Conn, line string) error {
	if _, err := conn.Write([]byte(line)); err != nil {
		return err
	}
	b := make([]byte, len(line))
	if _, err := io.ReadFull(conn, b); err != nil {
		return err
	}
	if string(b) != line {
		return errors.New("came back: " + string(b))
	}
	return nil
}

func TestEchoThousand(t *testing.T) {
	var at string
	var closed atomic.Int64
	l := running(t, Config{}, func(l *Loop) {
		at = serving(t, l, func(*Conn) Handler {
			return &played{received: echo, closed: func(_ *Conn, why error) {
				if errors.Is(why, io.EOF) {
					closed.Add(1)
				}
			}}
		})
	})
	const many = 1000
	var all sync.WaitGroup
	failed := make(chan error, many)
	for range many {
		conn := dialled(t, at)
		all.Go(func() {
			for range 5 {
				if err := ask(conn, "hello\n"); err != nil {
					failed <- err
					return
				}
			}
			// A line in two pieces: the first is kept for the second.
			_, _ = conn.Write([]byte("hal"))
			failed <- ask2(conn, "f\n", "half\n")
			conn.Close()
		})
	}
	all.Wait()
	for range many {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, l, "all are closed", func() bool { return closed.Load() == many })
	on(t, l, func() {
		for _, c := range l.conns {
			if c != nil {
				t.Errorf("left: %v", c.Remote())
			}
		}
		if l.waiting != 0 {
			t.Errorf("%d bytes wait for nobody", l.waiting)
		}
	})
}

// ask2 writes one thing and wants another.
func ask2(conn net.Conn, line, want string) error {
	if _, err := conn.Write([]byte(line)); err != nil {
		return err
	}
	b := make([]byte, len(want))
	if _, err := io.ReadFull(conn, b); err != nil {
		return err
	}
	if string(b) != want {
		return errors.New("came back: " + string(b))
	}
	return nil
}

// eventually asks the loop until something is so.
func eventually(t testing.TB, l *Loop, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		var yes bool
		on(t, l, func() { yes = so() })
		if yes {
			return
		}
		<-time.After(time.Millisecond)
	}
	t.Fatalf("not so: %s", what)
}

func TestPostFromMany(t *testing.T) {
	const many, each = 20, 500
	l := running(t, Config{Queue: many*each + 1}, nil)
	got := make(map[int]int)
	var all sync.WaitGroup
	for g := range many {
		all.Go(func() {
			for i := range each {
				if !l.Post(func() {
					if got[g] != i {
						t.Errorf("%d of %d came after %d", i, g, got[g])
					}
					got[g] = i + 1
				}) {
					t.Error("refused")
				}
			}
		})
	}
	all.Wait()
	on(t, l, func() {
		for g := range many {
			if got[g] != each {
				t.Errorf("%d of %d were heard from %d", got[g], each, g)
			}
		}
	})
}

func TestPostBounded(t *testing.T) {
	l := running(t, Config{Queue: 10}, nil)
	entered, leave := make(chan struct{}), make(chan struct{})
	l.Post(func() { close(entered); <-leave })
	within(t, entered, "the first")
	for i := range 10 {
		if !l.Post(func() {}) {
			t.Errorf("post %d: refused", i)
		}
	}
	if l.Post(func() {}) {
		t.Error("the eleventh was taken")
	}
	told := make(chan struct{})
	if !l.Tell(func() { close(told) }) {
		t.Error("an answer was refused for want of room")
	}
	close(leave)
	within(t, told, "an answer")
}

func TestPostAfterEnd(t *testing.T) {
	l, err := New(Config{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if l.Post(func() { t.Error("called") }) {
		t.Error("taken")
	}
	if l.Tell(func() { t.Error("called") }) {
		t.Error("an answer was taken")
	}
	if _, err := l.Listen(loopback, 1, nil, nil); !errors.Is(err, ErrEnded) {
		t.Errorf("listen: %v", err)
	}
	l.Dial(loopback, Options{}, &played{closed: func(*Conn, error) { t.Error("told") }}).Write([]byte("x"))
}

func TestWake(t *testing.T) {
	woken := make(chan words.Instant, 10)
	var l *Loop
	running(t, Config{Woken: func(now words.Instant) {
		woken <- now
		if len(woken) < 5 {
			l.SetWake(now.Add(1500 * time.Microsecond))
		}
	}}, func(made *Loop) { l = made })
	began := clock()
	on(t, l, func() {
		l.SetWake(began.Add(time.Hour))
		l.SetWake(began.Add(5 * time.Millisecond))
	})
	first := within(t, woken, "the first")
	if late := first.Sub(began.Add(5 * time.Millisecond)); late < 0 || late > 500*time.Millisecond {
		t.Errorf("%v late", late)
	}
	on(t, l, func() { l.SetWake(words.Never) })
}

func TestTurn(t *testing.T) {
	var order []string
	l := running(t, Config{Turn: func() { order = append(order, "turn") }}, nil)
	on(t, l, func() { order = []string{"posted"} })
	on(t, l, func() {
		if len(order) < 2 || order[0] != "posted" || order[1] != "turn" {
			t.Errorf("order: %v", order)
		}
	})
}

func TestEndClosesAll(t *testing.T) {
	l, err := New(Config{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	whys := make(chan error, 10)
	opened := make(chan struct{}, 10)
	at := serving(t, l, func(*Conn) Handler {
		return &played{opened: func(c *Conn) { c.Write([]byte("hello\n")); opened <- struct{}{} }, closed: func(c *Conn, why error) {
			whys <- why
			l.Dial(c.Remote(), Options{}, &played{}) // as one that always dials again
		}}
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	conn := dialled(t, at)
	within(t, opened, "the connection")
	cancel()
	if err := within(t, ended, "the end"); err != nil {
		t.Error(err)
	}
	if why := within(t, whys, "closed"); !errors.Is(why, ErrEnded) {
		t.Errorf("closed: %v", why)
	}
	if b, err := io.ReadAll(conn); err != nil || string(b) != "hello\n" {
		t.Errorf("read %q, %v", b, err)
	}
}
