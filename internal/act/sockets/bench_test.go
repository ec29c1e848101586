package sockets

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/words"
)

// pong answers each line that is a PING, and nothing else of the protocol.
func pong(c *Conn, b []byte) int {
	n := bytes.LastIndexByte(b, '\n') + 1
	for range bytes.Count(b[:n], []byte("PING")) + bytes.Count(b[:n], []byte("GET")) {
		c.Write([]byte("+PONG\r\n"))
	}
	return n
}

// TestServePong is for the hand: it answers PING at the port in SOCKETS_PONG for a while, so that redis-benchmark can ask.
func TestServePong(t *testing.T) {
	port, _ := strconv.Atoi(os.Getenv("SOCKETS_PONG"))
	if port == 0 {
		t.Skip("no SOCKETS_PONG")
	}
	running(t, Config{}, func(l *Loop) {
		at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port))
		if _, err := l.Listen(at, 511, nil, func(*Conn) Handler { return &played{received: pong} }); err != nil {
			t.Fatal(err)
		}
	})
	<-time.After(20 * time.Second)
}

// spent is the time that this process had of the processors.
func spent() time.Duration {
	var use unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &use); err != nil {
		return 0
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// BenchmarkEcho is one connection that asks and waits, with both ends in loops.
func BenchmarkEcho(b *testing.B) {
	done := make(chan struct{})
	var at string
	running(b, Config{}, func(l *Loop) {
		at = serving(b, l, func(*Conn) Handler { return &played{received: echo} })
	})
	left := b.N
	ask := []byte("PING\r\n")
	l := running(b, Config{}, nil)
	var c *Conn
	opened := make(chan struct{})
	on(b, l, func() {
		c = l.Dial(netip.MustParseAddrPort(at), Options{}, &played{
			opened: func(*Conn) { close(opened) },
			received: func(c *Conn, got []byte) int {
				if left--; left > 0 {
					c.Write(ask)
				} else {
					close(done)
				}
				return len(got)
			}})
	})
	<-opened
	b.ReportAllocs()
	b.ResetTimer()
	l.Post(func() { c.Write(ask) })
	<-done
}

// answering is another process that echoes lines on what connects to it, so that its work is not counted.
func answering(b *testing.B) string {
	b.Helper()
	self, out, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	defer self.Close()
	proc, err := os.StartProcess(os.Args[0], []string{os.Args[0], "-test.run=^TestAnswer$"}, &os.ProcAttr{
		Env: append(os.Environ(), "SOCKETS_ANSWER=1"), Files: []*os.File{nil, out, nil}})
	out.Close()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = proc.Kill(); _, _ = proc.Wait() })
	at := make([]byte, 100)
	n, err := self.Read(at)
	if err != nil {
		b.Fatal(err)
	}
	return string(bytes.TrimSpace(at[:n]))
}

// TestAnswer is the process that answering starts.
func TestAnswer(t *testing.T) {
	if os.Getenv("SOCKETS_ANSWER") == "" {
		t.Skip("for benchmarks")
	}
	running(t, Config{}, func(l *Loop) {
		at := serving(t, l, func(*Conn) Handler { return &played{received: echo} })
		_, _ = os.Stdout.WriteString(at + "\n")
	})
	<-time.After(5 * time.Minute)
}

const (
	crowd = 6000
	rate  = 10000 // messages a second, evenly
)

// BenchmarkCrowd is 6,000 connections that are asked 10,000 questions a second, as a Sentinel of a thousand groups asks; an
// operation is a question with its answer. What counts is cpu-µs/op.
func BenchmarkCrowd(b *testing.B) {
	for _, batch := range []time.Duration{0, time.Millisecond, 2 * time.Millisecond} {
		b.Run("batch="+batch.String(), func(b *testing.B) { benchCrowd(b, batch) })
	}
	b.Run("goroutines", benchGoroutines)
}

func benchCrowd(b *testing.B, batch time.Duration) {
	to := netip.MustParseAddrPort(answering(b))
	question := []byte("PING somebody\r\n")
	var conns []*Conn
	var l *Loop
	opened, done := make(chan struct{}), make(chan struct{})
	asked, answered, turns := 0, 0, 0
	began, before := clock(), heap()
	l = running(b, Config{Batch: batch, Turn: func() { turns++ }, Woken: nil}, nil)
	h := &played{
		opened: func(c *Conn) {
			if conns = append(conns, c); len(conns) == crowd {
				close(opened)
			}
		},
		received: func(_ *Conn, got []byte) int {
			if answered++; answered == b.N {
				close(done)
			}
			return len(got)
		},
		closed: func(_ *Conn, why error) {
			if !errors.Is(why, ErrEnded) {
				b.Error(why)
			}
		}}
	for range crowd / 100 {
		on(b, l, func() {
			for range 100 {
				l.Dial(to, Options{}, h)
			}
		})
		<-time.After(5 * time.Millisecond)
	}
	within(b, opened, "the last connection")
	each := float64(heap()-before) / crowd
	b.ReportAllocs()
	b.ResetTimer()
	cpu := spent()
	on(b, l, func() {
		began, turns = clock(), 0
		l.config.Woken = func(now words.Instant) {
			due := min(int(now.Sub(began)*rate/time.Second), b.N)
			for ; asked < due; asked++ {
				conns[asked%crowd].Write(question)
			}
			if asked < b.N {
				l.SetWake(now.Add(time.Millisecond))
			}
		}
		l.SetWake(began)
	})
	<-done
	b.ReportMetric(each, "B/conn")
	b.ReportMetric(float64((spent()-cpu).Nanoseconds())/1e3/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(turns)/float64(b.N), "turns/op")
}

// heap is how many bytes are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// benchGoroutines is the same with the runtime's connections and a goroutine that reads each.
func benchGoroutines(b *testing.B) {
	at := answering(b)
	question := []byte("PING somebody\r\n")
	before := heap()
	var conns []net.Conn
	answers := make(chan struct{}, 1000)
	var readers sync.WaitGroup
	for range crowd {
		conn, err := net.Dial("tcp", at)
		if err != nil {
			b.Fatal(err)
		}
		conns = append(conns, conn)
		readers.Go(func() {
			buf := make([]byte, 512)
			for {
				if _, err := conn.Read(buf); err != nil {
					return
				}
				answers <- struct{}{}
			}
		})
	}
	each := float64(heap()-before) / crowd
	b.Cleanup(func() {
		for _, conn := range conns {
			conn.Close()
		}
		readers.Wait()
	})
	b.ReportAllocs()
	b.ResetTimer()
	cpu := spent()
	began := clock()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for asked := 0; asked < b.N; {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			for due := min(int(clock().Sub(began)*rate/time.Second), b.N); asked < due; asked++ {
				_, _ = conns[asked%crowd].Write(question)
			}
		}
	}()
	for range b.N {
		<-answers
	}
	b.ReportMetric(each, "B/conn")
	b.ReportMetric(float64((spent()-cpu).Nanoseconds())/1e3/float64(b.N), "cpu-µs/op")
}
