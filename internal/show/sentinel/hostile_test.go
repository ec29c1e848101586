package sentinel

import (
	"context"
	"io"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// pipes is a listener whose connections take no descriptors.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.done)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

// crowd is a face with that many connections, which the test's end closes.
func crowd(t *testing.T, n int) (*Face, []net.Conn) {
	t.Helper()
	p := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	now := orders()
	f := New(Config{Picture: func() picture.Node { return now }, DownAfter: time.Second, Clients: n})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Serve(ctx, p) }()
	var all []net.Conn
	for range n {
		theirs, ours := net.Pipe()
		all = append(all, ours)
		p.conns <- theirs
	}
	t.Cleanup(func() {
		cancel()
		for _, c := range all {
			c.Close()
		}
		<-ended
	})
	return f, all
}

// cost is the memory that doing something takes for good, in bytes.
func cost(do func()) int64 {
	used := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc + m.StackInuse)
	}
	before := used()
	do()
	return used() - before
}

// TestTenThousandConnectionsCostLittle has them idle, then in the middle of a request whose length they have only announced.
func TestTenThousandConnectionsCostLittle(t *testing.T) {
	const n = 10_000
	var f *Face
	var all []net.Conn
	idle := cost(func() {
		f, all = crowd(t, n)
		for _, c := range all {
			talk(t, c, "PING\r\n", "+PONG\r\n")
		}
	})
	half := cost(func() {
		for _, c := range all {
			_ = c.SetWriteDeadline(time.Now().Add(5 * time.Second))
			if _, err := io.WriteString(c, "*2\r\n$4\r\nPING\r\n$60000\r\nhalf"); err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Logf("%d connections: idle %d bytes each, with half a request %d more", n, idle/n, half/n)
	if idle/n > 40<<10 || half/n > 16<<10 {
		t.Errorf("idle %d bytes each, with half a request %d more", idle/n, half/n)
	}
	// Whoever comes now finds no room, and whoever is in is served.
	if got := len(f.clients); got != n {
		t.Errorf("%d clients", got)
	}
}

// talk writes to a pipe and reads the answer.
func talk(t *testing.T, c net.Conn, request, want string) {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("%q, %v; want %q", got, err, want)
	}
}

// TestSubscribersThatDoNotReadHoldUpNobody: the agent's loop tells of a switch and goes on, and one who reads is told.
func TestSubscribersThatDoNotReadHoldUpNobody(t *testing.T) {
	f, all := crowd(t, 1000)
	confirmed := "*3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n"
	for _, c := range all {
		talk(t, c, "SUBSCRIBE +switch-master\r\n", confirmed)
	}
	start := time.Now()
	const switches = 200
	for i := range switches {
		from, to := words.Node("h1"), words.Node("h2")
		if i%2 == 1 {
			from, to = to, from
		}
		f.Announce("orders", words.Epoch(8+i), from, to)
	}
	// Heartbeats leave every tenth of a lease; a turn of the loop must stay far below that.
	if took := time.Since(start); took > switches*time.Millisecond {
		t.Errorf("%d switches took the loop %v", switches, took)
	}
	reader := all[len(all)/2]
	_ = reader.SetReadDeadline(time.Now().Add(5 * time.Second))
	got := make([]byte, 200)
	if _, err := io.ReadFull(reader, got); err != nil || !strings.Contains(string(got), "orders 127.0.0.1 6379 127.0.0.2 6379") {
		t.Errorf("%q, %v", got, err)
	}
	if waiting := f.waiting.Load(); waiting > 1000*(switches+1)*400 {
		t.Errorf("%d bytes wait", waiting)
	}
}

// TestAnnounceDoesNotWaitForClients: what the agent's loop calls takes none of the locks that are held for all clients.
func TestAnnounceDoesNotWaitForClients(t *testing.T) {
	s := stage(t, orders(), Config{})
	s.mu.Lock()
	defer s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Announce("orders", 8, "h1", "h2")
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("the loop waits for what clients hold")
	}
}

// TestAllOutboxesShareABound: where much waits for others, a client may have less waiting.
func TestAllOutboxesShareABound(t *testing.T) {
	var all atomic.Int64
	all.Store(shared + 1)
	o, taken := newOutbox(&all), 0
	for o.put(make([]byte, 1000)) {
		taken += 1000
	}
	if taken > fair+1000 {
		t.Errorf("%d bytes were taken", taken)
	}
}

// TestBytesOfTheDeadAreNotCounted: a client that went with replies waiting leaves nothing in the shared bound.
func TestBytesOfTheDeadAreNotCounted(t *testing.T) {
	s := stage(t, orders(), Config{})
	for range 20 {
		c := call(t, s.addr)
		_, _ = io.WriteString(c.conn, strings.Repeat("SENTINEL MASTERS\r\n", 200))
		c.conn.Close()
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		s.mu.Lock()
		left := len(s.clients)
		s.mu.Unlock()
		if left == 0 && s.waiting.Load() == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d clients, %d bytes wait", left, s.waiting.Load())
		}
		runtime.Gosched()
	}
}

// FuzzConversation sends anything to a client's code, without a network: it must answer, and end, and keep to its bounds.
func FuzzConversation(f *testing.F) {
	for _, seed := range questions {
		f.Add([]byte(strings.ReplaceAll(seed, "$PORT", "6379") + "\r\n"))
	}
	f.Add([]byte("HELLO 3\r\nSUBSCRIBE a\r\nPSUBSCRIBE [a-\\\r\nUNSUBSCRIBE\r\nCLIENT REPLY SKIP\r\nPING\r\n"))
	f.Add([]byte("*2\r\n$4\r\nPING\r\n$60000\r\nhalf"))
	now := orders()
	f.Fuzz(func(t *testing.T, wire []byte) {
		face := New(Config{Picture: func() picture.Node { return now }, DownAfter: time.Second, Failover: func(words.Group) error { return nil }})
		conn := &said{wire: wire}
		c := newClient(face, 1, conn)
		face.clients[c] = struct{}{}
		c.answer()
		face.dismiss(c)
		if face.listeners != 0 || len(face.switching) != 0 {
			t.Fatalf("%d listeners, %d switchovers are left", face.listeners, len(face.switching))
		}
		// The longest reply is that of COMMAND DOCS, some 16 KB for 12 bytes; the longest line of a request is 4 KB.
		b, _ := c.out.take()
		if n := len(b) + conn.answered; n > 4096*(len(wire)+1) {
			t.Fatalf("%d bytes of replies to %d of requests", n, len(wire))
		}
	})
}

// said is a connection that has said what it will say.
type said struct {
	net.Conn
	wire     []byte
	answered int
}

func (s *said) Read(b []byte) (int, error) {
	if len(s.wire) == 0 {
		return 0, io.EOF
	}
	n := copy(b, s.wire)
	s.wire = s.wire[n:]
	return n, nil
}

// Write counts what is answered.
func (s *said) Write(b []byte) (int, error) {
	s.answered += len(b)
	return len(b), nil
}

func (s *said) Close() error                     { return nil }
func (s *said) SetReadDeadline(time.Time) error  { return nil }
func (s *said) SetWriteDeadline(time.Time) error { return nil }
func (s *said) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 5} }
func (s *said) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 26379} }
