package sentinel

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/speak/resp"
)

// watched is a Sentinel over a fake server, with a Sentinel's connection to it by which votes are asked for.
func watched(t *testing.T) (*running, *server, *client) {
	t.Helper()
	s := serve(t)
	r := runs(t, s.monitor("orders"), "maxclients 20000")
	await(t, "the server is pinged", func() bool { return s.pings.Load() > 1 })
	return r, s, r.dial()
}

// serves has votes be given and the server be pinged while something goes on. Each of them has its bound, which is that of ask.
func serves(t *testing.T, s *server, voter *client, epochs int) {
	t.Helper()
	before := s.pings.Load()
	for i := range 20 {
		if leader, term := voter.vote(s, epochs+i, myID[1:]+"f"); leader == "*" || term != int64(epochs+i) {
			t.Fatalf("epoch %d: a vote for %q in %d", epochs+i, leader, term)
		}
	}
	await(t, "the server is pinged meanwhile", func() bool { return s.pings.Load() > before+1 })
	voter.want("PONG", "PING")
}

// memory is what the process holds.
func memory() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// TestHugeLengths announce what never comes, or can't be.
func TestHugeLengths(t *testing.T) {
	r, s, voter := watched(t)
	before := memory()
	for _, request := range []string{
		"*1000000000\r\n", "*-5\r\n$4\r\nPING\r\n", "*1\r\n$99999999999999999999\r\n", "*1\r\n$2147483647\r\n", "*3\r\n$4\r\nPING\r\n$-7\r\n",
		"*99999999999999999999\r\n", strings.Repeat("x", 1<<20), "*1\r\n" + strings.Repeat("$", 1<<18),
	} {
		c := r.dial()
		if _, err := io.WriteString(c.conn, request); err != nil {
			continue // it was thrown out in the middle of it
		}
		_ = c.conn.SetReadDeadline(time.Now().Add(time.Second))
		_, _ = c.from.Read() // an error, the end, or nothing yet for what may still come
		c.conn.Close()
	}
	serves(t, s, voter, 100)
	if grown := memory() - before; grown > 16<<20 {
		t.Errorf("%d bytes more", grown)
	}
}

// TestSlowAndHalf: requests that come byte by byte, and such as stop in the middle.
func TestSlowAndHalf(t *testing.T) {
	r, s, voter := watched(t)
	var work sync.WaitGroup
	stop := make(chan struct{})
	for i := range 20 {
		c := r.dial()
		work.Go(func() {
			for n := 0; ; n++ {
				const slowly = "*2\r\n$4\r\nPING\r\n$5\r\nslowl\r\n"
				if _, err := io.WriteString(c.conn, slowly[n%len(slowly):n%len(slowly)+1]); err != nil {
					return
				}
				select {
				case <-stop:
					return
				case <-time.After(time.Duration(i+1) * time.Millisecond):
				}
			}
		})
	}
	for range 200 {
		if _, err := io.WriteString(r.dial().conn, "*3\r\n$8\r\nSENTINEL\r\n$3\r\nSET\r\n$400000\r\nhalf"); err != nil {
			t.Fatal(err)
		}
	}
	serves(t, s, voter, 200)
	close(stop)
	work.Wait()
}

// TestTenThousandIdle connections, as far as this machine lets a process have them.
func TestTenThousandIdle(t *testing.T) {
	n := 10_000
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	n = min(n, (int(limit.Cur)-200)/2)
	if testing.Short() {
		n = min(n, 1000)
	}
	r, s, voter := watched(t)
	all := make([]net.Conn, n)
	for i := range all {
		all[i] = r.dial().conn
	}
	before := memory()
	for _, c := range all {
		if _, err := io.WriteString(c, "PING\r\n*2\r\n$4\r\nPING\r\n$60000\r\nhalf"); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range all {
		if _, err := io.ReadFull(c, make([]byte, len("+PONG\r\n"))); err != nil {
			t.Fatal(err)
		}
	}
	each := (memory() - before) / int64(n)
	t.Logf("%d connections, each in the middle of a request: %d bytes each", n, each)
	if each > 4<<10 {
		t.Errorf("%d bytes each", each)
	}
	serves(t, s, voter, 300)
}

// TestSubscribersThatDoNotRead are thrown out when what waits for them is too much; nobody else notices, and one who reads is told all.
func TestSubscribersThatDoNotRead(t *testing.T) {
	r, s, voter := watched(t)
	const silent, events = 3, 700
	for range silent {
		c := r.dial()
		_ = c.conn.(*net.TCPConn).SetReadBuffer(2048)
		c.ask("PSUBSCRIBE", "*")
	}
	reader := r.dial()
	reader.ask("SUBSCRIBE", "+set")
	heard := make(chan int, 1)
	go func() { // ends with the connection, or with the last
		n := 0
		for n < events {
			if v, err := reader.from.Read(); err != nil || len(v.Elems) != 3 {
				break
			}
			n++
		}
		heard <- n
	}()
	before := memory()
	talker := r.dial()
	long := strings.Repeat("x", 60_000)
	for i := range events {
		talker.want("OK", "SENTINEL", "SET", "orders", "rename-command", "WHATEVER", long[i:])
		if i == events/2 {
			serves(t, s, voter, 1000)
		}
	}
	serves(t, s, voter, 5000)
	select {
	case n := <-heard:
		if n != events {
			t.Errorf("%d events of %d are heard", n, events)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the reader has not heard all")
	}
	if v := talker.ask("CLIENT", "LIST", "TYPE", "pubsub"); strings.Count(v.Text, "\n") != 1 {
		t.Errorf("these are still there: %s", v.Text)
	}
	if grown := memory() - before; grown > 16<<20 {
		t.Errorf("%d bytes more, when they are gone", grown)
	}
}

// TestFlood has clients pipeline the longest answers as fast as they can be sent, some of which they don't read.
func TestFlood(t *testing.T) {
	r, s, voter := watched(t)
	before := memory()
	var one []byte
	for _, request := range [][]string{
		{"SENTINEL", "MASTERS"}, {"SENTINEL", "REPLICAS", "orders"}, {"INFO"}, {"COMMAND"}, {"COMMAND", "DOCS"}, {"SENTINEL", "CKQUORUM", "orders"},
		{"SENTINEL", "IS-MASTER-DOWN-BY-ADDR", "127.0.0.1", "1", "1", "*"}, {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", "orders"}, {"nonsense"},
	} {
		one = resp.AppendCommand(one, request...)
	}
	batch := []byte(strings.Repeat(string(one), 20))
	var work sync.WaitGroup
	stop := make(chan struct{})
	for i := range 16 {
		c := r.dial().conn
		if i%4 == 0 {
			_ = c.(*net.TCPConn).SetReadBuffer(4096)
		} else {
			work.Go(func() { _, _ = io.Copy(io.Discard, c) })
		}
		work.Go(func() {
			defer c.Close()
			for {
				select {
				case <-stop:
					return
				default:
				}
				_ = c.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
				if _, err := c.Write(batch); err != nil {
					<-stop // it reads nothing, and is not read from, or is thrown out
					return
				}
			}
		})
	}
	serves(t, s, voter, 10_000)
	serves(t, s, voter, 11_000)
	grown := memory() - before
	close(stop)
	work.Wait()
	t.Logf("%d kB more", grown>>10)
	if grown > 256<<20 {
		t.Errorf("%d bytes more", grown)
	}
	serves(t, s, voter, 12_000)
}

// TestHostileServer answers with what no server says: its connection is given up, and made again.
func TestHostileServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	comes := make(chan struct{}, 100)
	work.Go(func() {
		for i := 0; ; i++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			select {
			case comes <- struct{}{}:
			default:
			}
			_, _ = io.WriteString(c, []string{
				"*1000000000\r\n", "$99999999999\r\n", "?\r\n", "+PONG\r\n+PONG\r\n+PONG\r\n+PONG\r\n+PONG\r\n+PONG\r\n", strings.Repeat("*1\r\n", 1000),
			}[i%5])
			c.Close()
		}
	})
	defer func() { l.Close(); work.Wait() }()
	s := serve(t)
	r := runs(t, s.monitor("orders"), fmt.Sprintf("sentinel monitor bad 127.0.0.1 %d 1", l.Addr().(*net.TCPAddr).Port), "sentinel down-after-milliseconds bad 200")
	for range 8 {
		select {
		case <-comes:
		case <-time.After(20 * time.Second):
			t.Fatal("it does not try again")
		}
	}
	serves(t, s, r.dial(), 50)
}
