package sockets

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestBatchHoldsUpNobodyElse has much on dialled connections gathered for so long that whoever waited for it would be noticed: what is
// posted and accepted connections don't, and after Hurry nothing does.
func TestBatchHoldsUpNobodyElse(t *testing.T) {
	const long, soon = time.Second, 500 * time.Millisecond
	var to netip.AddrPort
	running(t, Config{}, func(l *Loop) {
		to = netip.MustParseAddrPort(serving(t, l, func(*Conn) Handler { return &played{received: echo} }))
	})
	var l *Loop
	var ours string
	crowded, calm := make(chan struct{}), make(chan struct{})
	l = running(t, Config{Batch: long, Turn: func() {
		if l == nil {
			return
		}
		if l.far.crowded && crowded != nil {
			close(crowded)
			crowded = nil
		}
	}}, func(made *Loop) {
		l = made
		ours = serving(t, l, func(*Conn) Handler { return &played{received: echo} })
	})
	isCrowded := crowded
	answers := 0
	again := func(c *Conn, b []byte) int { c.Write(b); return len(b) }
	on(t, l, func() {
		for range 20 {
			l.Dial(to, Options{}, &played{opened: func(c *Conn) { c.Write([]byte("x\n")) }, received: again})
		}
	})
	within(t, isCrowded, "a crowd")
	client, err := net.Dial("tcp", ours)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for range 5 {
		began := time.Now()
		on(t, l, func() { /* it is called */ })
		_, _ = client.Write([]byte("y\n"))
		_ = client.SetReadDeadline(time.Now().Add(patience))
		if _, err := client.Read(make([]byte, 2)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > soon {
			t.Errorf("others waited for %v", took)
		}
	}
	on(t, l, func() {
		l.Hurry(true)
		l.Dial(to, Options{}, &played{opened: func(c *Conn) { c.Write([]byte("z\n")) }, received: func(c *Conn, b []byte) int {
			if answers++; answers == 50 {
				close(calm)
			}
			return again(c, b)
		}})
	})
	began := time.Now()
	within(t, calm, "what was hurried")
	if took := time.Since(began); took > 50*long/10 {
		t.Errorf("50 answers took %v", took)
	}
	on(t, l, func() {
		if l.far.crowded {
			t.Error("news is gathered though it must not wait")
		}
	})
}

// TestToldOnce has peers send much or little and end at once: the kernel tells of it once, and all of it arrives, the end too. So it does where
// the first of it is held for a while.
func TestToldOnce(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	sizes := []int{1, 1 << 10, 64 << 10, 300 << 10}
	go func() {
		for i := 0; ; i++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write(make([]byte, sizes[i%len(sizes)])) // who closes it is seen below
			_ = conn.Close()
		}
	}()
	l := running(t, Config{Batch: time.Millisecond}, nil)
	to := netip.MustParseAddrPort(listener.Addr().String())
	for i, size := range append(sizes, sizes...) {
		got, holds, ended := 0, i >= len(sizes), make(chan error, 1)
		on(t, l, func() {
			l.Dial(to, Options{}, &played{
				received: func(c *Conn, b []byte) int {
					if holds {
						holds = false
						c.Hold()
						time.AfterFunc(5*time.Millisecond, func() { l.Post(c.Resume) })
						return 0
					}
					got += len(b)
					return len(b)
				},
				closed: func(_ *Conn, err error) { ended <- err },
			})
		})
		if err := within(t, ended, "the peer's end"); !errors.Is(err, io.EOF) || got != size {
			t.Errorf("%d bytes of %d, then %v", got, size, err)
		}
	}
}

// TestFullQueueHoldsUpNobody has a peer whose bytes never end while they are read: it is left after some, told of again, and its end arrives.
func TestFullQueueHoldsUpNobody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	const enough = 20 * mostReads
	turn, most, reads, sent, got := 0, 0, 0, 0, 0 // the loop's
	far, ended := -1, make(chan error, 1)
	l := running(t, Config{Batch: time.Millisecond, Turn: func() { turn = 0 }}, nil)
	chunk := make([]byte, 256<<10)
	fill := func() {
		for range 64 {
			n, errno := send(int32(far), chunk)
			if errno != 0 {
				return
			}
			sent += n
		}
	}
	on(t, l, func() {
		l.Dial(netip.MustParseAddrPort(listener.Addr().String()), Options{}, &played{
			received: func(_ *Conn, b []byte) int {
				got += len(b)
				reads++
				turn++
				most = max(most, turn)
				switch {
				case reads < enough:
					fill()
				case reads == enough:
					_ = unix.Shutdown(far, unix.SHUT_WR)
				}
				return len(b)
			},
			closed: func(_ *Conn, err error) { ended <- err },
		})
	})
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	file, err := conn.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	on(t, l, func() {
		far = int(file.Fd())
		_ = unix.SetNonblock(far, true)
		fill()
	})
	if err := within(t, ended, "the peer's end"); !errors.Is(err, io.EOF) || got != sent {
		t.Errorf("%d bytes of %d, then %v", got, sent, err)
	}
	if most > mostReads {
		t.Errorf("it was read %d times in a turn", most)
	}
	t.Logf("%d bytes in %d reads, %d at most in a turn", got, reads, most)
}
