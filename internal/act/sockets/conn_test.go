package sockets

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/words"
)

// telling is a Handler that sends why its connection ended.
func telling(whys chan<- error, received func(*Conn, []byte) int) *played {
	return &played{received: received, closed: func(_ *Conn, why error) { whys <- why }}
}

func TestHalfClose(t *testing.T) {
	whys := make(chan error, 1)
	var at string
	running(t, Config{}, func(l *Loop) {
		at = serving(t, l, func(*Conn) Handler { return telling(whys, echo) })
	})
	conn := dialled(t, at)
	_, _ = conn.Write([]byte("last words\n"))
	_ = conn.(*net.TCPConn).CloseWrite()
	if b, err := io.ReadAll(conn); err != nil || string(b) != "last words\n" {
		t.Errorf("read %q, %v", b, err)
	}
	if why := within(t, whys, "closed"); !errors.Is(why, io.EOF) {
		t.Errorf("closed: %v", why)
	}
}

// A client that asks and half-closes at once gets its answer, however long that takes.
func TestHalfCloseHeld(t *testing.T) {
	held := make(chan *Conn, 1)
	var at string
	l := running(t, Config{}, func(l *Loop) {
		at = serving(t, l, func(*Conn) Handler {
			return &played{received: func(c *Conn, b []byte) int { c.Hold(); held <- c; return len(b) }}
		})
	})
	conn := dialled(t, at)
	_, _ = conn.Write([]byte("question\n"))
	_ = conn.(*net.TCPConn).CloseWrite()
	c := within(t, held, "the question")
	on(t, l, func() { c.Write([]byte("answer\n")); c.Resume() })
	if b, err := io.ReadAll(conn); err != nil || string(b) != "answer\n" {
		t.Errorf("read %q, %v", b, err)
	}
}

func TestReset(t *testing.T) {
	for _, hold := range []bool{false, true} {
		whys, opened := make(chan error, 1), make(chan struct{})
		var at string
		running(t, Config{}, func(l *Loop) {
			at = serving(t, l, func(*Conn) Handler {
				h := telling(whys, nil)
				h.opened = func(c *Conn) {
					if hold {
						c.Hold()
					}
					close(opened)
				}
				return h
			})
		})
		conn := dialled(t, at)
		within(t, opened, "the connection")
		_ = conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
		if why := within(t, whys, "closed"); !errors.Is(why, unix.ECONNRESET) {
			t.Errorf("hold %v: closed: %v", hold, why)
		}
	}
}

func TestHold(t *testing.T) {
	var got []string
	holding := make(chan *Conn, 10)
	var at string
	l := running(t, Config{}, func(l *Loop) {
		at = serving(t, l, func(*Conn) Handler {
			return &played{received: func(c *Conn, b []byte) int {
				line, _, whole := bytes.Cut(b, []byte("\n"))
				if !whole {
					return 0
				}
				got = append(got, string(line))
				c.Hold()
				holding <- c
				return len(line) + 1
			}}
		})
	})
	conn := dialled(t, at)
	_, _ = conn.Write([]byte("one\ntwo\nthr"))
	c := within(t, holding, "one")
	_, _ = conn.Write([]byte("ee\nfour"))
	on(t, l, func() {
		if strings.Join(got, " ") != "one" {
			t.Errorf("got %q", got)
		}
		c.Resume()
	})
	within(t, holding, "two")
	on(t, l, c.Resume)
	within(t, holding, "three")
	on(t, l, func() {
		if strings.Join(got, " ") != "one two three" {
			t.Errorf("got %q", got)
		}
		c.Resume()
	})
	_, _ = conn.Write([]byte("\n"))
	within(t, holding, "four")
}

func TestTooLong(t *testing.T) {
	whys := make(chan error, 1)
	var at string
	running(t, Config{InLimit: 1000}, func(l *Loop) {
		at = serving(t, l, func(*Conn) Handler { return telling(whys, func(*Conn, []byte) int { return 0 }) })
	})
	_, _ = dialled(t, at).Write(make([]byte, 1001))
	if why := within(t, whys, "closed"); !errors.Is(why, ErrLong) {
		t.Errorf("closed: %v", why)
	}
}

// What one reads slowly is kept up to a limit, and in order.
func TestSlowReader(t *testing.T) {
	const size = 16 << 20
	var at string
	var c *Conn
	opened := make(chan struct{})
	l := running(t, Config{OutLimit: size}, func(l *Loop) {
		at = serving(t, l, func(accepted *Conn) Handler {
			return &played{opened: func(*Conn) { c = accepted; close(opened) }}
		})
	})
	conn := dialled(t, at)
	within(t, opened, "the connection")
	piece := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	for range size / len(piece) {
		on(t, l, func() { c.Write(piece) })
	}
	on(t, l, func() {
		if !c.stuck || c.Pending() == 0 {
			t.Errorf("%d bytes wait; is the kernel's buffer as large?", c.Pending())
		}
	})
	b := make([]byte, len(piece))
	for i := range size / len(piece) {
		if _, err := io.ReadFull(conn, b); err != nil || !bytes.Equal(b, piece) {
			t.Fatalf("piece %d: %v", i, err)
		}
	}
	eventually(t, l, "nothing waits", func() bool { return c.Pending() == 0 && l.waiting == 0 && c.out == nil })
	on(t, l, func() {
		if c.armed != unix.EPOLLIN {
			t.Errorf("epoll tells of %#x", c.armed)
		}
	})
}

func TestDropSlow(t *testing.T) {
	for name, config := range map[string]Config{
		"own limit":    {OutLimit: 100 << 10},
		"shared limit": {OutLimit: 1 << 30, Waiting: 100 << 10},
		"no progress":  {OutLimit: 1 << 30, Waiting: 1 << 30, Slow: 200 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			whys := make(chan error, 1)
			var at string
			running(t, config, func(l *Loop) {
				at = serving(t, l, func(*Conn) Handler {
					h := telling(whys, nil)
					h.opened = func(c *Conn) {
						for range 1000 {
							c.Write(make([]byte, 32<<10))
						}
					}
					return h
				})
			})
			dialled(t, at)
			if why := within(t, whys, "closed"); !errors.Is(why, ErrSlow) {
				t.Errorf("closed: %v", why)
			}
		})
	}
}

// One that sends many requests before it reads is slowed down, and not dropped.
func TestPipelining(t *testing.T) {
	whys := make(chan error, 1)
	var at string
	var server *Conn
	l := running(t, Config{OutLimit: 64 << 10}, func(l *Loop) {
		at = serving(t, l, func(c *Conn) Handler { server = c; return telling(whys, echo) })
	})
	conn := dialled(t, at)
	const size = 16 << 20
	go func() {
		line := append(bytes.Repeat([]byte("x"), 1023), '\n')
		for range size / len(line) {
			_, _ = conn.Write(line)
		}
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	eventually(t, l, "the client is slowed down", func() bool { return server != nil && server.armed == unix.EPOLLOUT })
	if n, err := io.Copy(io.Discard, conn); n != size || err != nil {
		t.Errorf("%d bytes came back, %v", n, err)
	}
	if why := within(t, whys, "closed"); !errors.Is(why, io.EOF) {
		t.Errorf("closed: %v", why)
	}
}

func TestIdle(t *testing.T) {
	whys := make(chan error, 1)
	var at string
	var ahead atomic.Int64
	l := running(t, Config{Now: func() words.Instant { return clock() + words.Instant(ahead.Load()) }}, func(l *Loop) {
		at = serving(t, l, func(c *Conn) Handler {
			c.SetIdle(time.Minute)
			return telling(whys, echo)
		})
	})
	conn := dialled(t, at)
	for range 5 {
		ahead.Add(int64(40 * time.Second))
		if err := ask(conn, "still here\n"); err != nil {
			t.Fatal(err)
		}
	}
	ahead.Add(int64(59 * time.Second))
	on(t, l, func() {})
	on(t, l, func() {
		if len(whys) > 0 {
			t.Error("closed early")
		}
	})
	ahead.Add(int64(2 * time.Second))
	on(t, l, func() {})
	if why := within(t, whys, "closed"); !errors.Is(why, ErrIdle) {
		t.Errorf("closed: %v", why)
	}
}

func TestCloseAndAbort(t *testing.T) {
	whys := make(chan error, 2)
	var at string
	running(t, Config{}, func(l *Loop) {
		at = serving(t, l, func(*Conn) Handler {
			return telling(whys, func(c *Conn, b []byte) int {
				c.Write([]byte("bye\n"))
				if string(b) == "close" {
					c.Close()
				} else {
					c.Abort()
				}
				c.Write([]byte("too late"))
				c.Close()
				return len(b)
			})
		})
	})
	for word, want := range map[string]string{"close": "bye\n", "abort": ""} {
		conn := dialled(t, at)
		_, _ = conn.Write([]byte(word))
		if b, err := io.ReadAll(conn); err != nil || string(b) != want {
			t.Errorf("%s: read %q, %v", word, b, err)
		}
		if why := within(t, whys, "closed"); why != nil {
			t.Errorf("%s: closed: %v", word, why)
		}
	}
}

// A refused client hears why.
func TestRefuse(t *testing.T) {
	var at string
	running(t, Config{}, func(l *Loop) {
		at = serving(t, l, func(c *Conn) Handler {
			if !c.Remote().Addr().IsLoopback() || !c.Local().Addr().IsLoopback() {
				t.Errorf("from %v to %v", c.Remote(), c.Local())
			}
			c.Write([]byte("-ERR full\r\n"))
			c.Close()
			return &played{opened: func(*Conn) { t.Error("opened") }}
		})
	})
	if b, err := io.ReadAll(dialled(t, at)); err != nil || string(b) != "-ERR full\r\n" {
		t.Errorf("read %q, %v", b, err)
	}
}

func TestDial(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	to := ln.Addr().(*net.TCPAddr).AddrPort()
	got, whys := make(chan string, 10), make(chan error, 1)
	l := running(t, Config{KeepAlive: 30 * time.Second}, nil)
	on(t, l, func() {
		l.Dial(to, Options{Local: netip.MustParseAddr("127.0.0.5")}, &played{
			opened:   func(c *Conn) { got <- "opened from " + c.Local().Addr().String() },
			received: func(_ *Conn, b []byte) int { got <- string(b); return len(b) },
			closed:   func(_ *Conn, why error) { whys <- why },
		}).Write([]byte("early\n"))
	})
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := ask2(conn, "answer", "early\n"); err != nil {
		t.Error(err)
	}
	if s := within(t, got, "opened"); s != "opened from 127.0.0.5" {
		t.Error(s)
	}
	if s := within(t, got, "the answer"); s != "answer" {
		t.Error(s)
	}
	conn.Close()
	if why := within(t, whys, "closed"); !errors.Is(why, io.EOF) {
		t.Errorf("closed: %v", why)
	}
}

func TestDialFails(t *testing.T) {
	full, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0) // bound and not listening: refused
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(full)
	if err := unix.Bind(full, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	refused := localOf(full)
	l := running(t, Config{}, nil)
	whys := make(chan error, 1)
	dial := func(to netip.AddrPort, o Options) error {
		on(t, l, func() {
			l.Dial(to, o, &played{opened: func(*Conn) { t.Error("opened") }, closed: func(_ *Conn, why error) { whys <- why }})
		})
		return within(t, whys, "closed")
	}
	if why := dial(refused, Options{}); !errors.Is(why, unix.ECONNREFUSED) {
		t.Errorf("refused: %v", why)
	}
	if why := dial(refused, Options{Local: netip.MustParseAddr("192.0.2.1")}); !errors.Is(why, unix.EADDRNOTAVAIL) {
		t.Errorf("no such address: %v", why)
	}
	if why := dial(unaccepted(t), Options{Timeout: 300 * time.Millisecond}); !errors.Is(why, ErrTimeout) {
		t.Errorf("silent: %v", why)
	}
}

// unaccepted is an address whose queue is full, so that it answers nothing.
func unaccepted(t *testing.T) netip.AddrPort {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	at := localOf(fd)
	for range 3 {
		if conn, err := net.DialTimeout("tcp", at.String(), 100*time.Millisecond); err == nil {
			t.Cleanup(func() { conn.Close() })
		}
	}
	return at
}

// Many connections share the turns: one that floods holds up nobody.
func TestFair(t *testing.T) {
	var at string
	running(t, Config{}, func(l *Loop) {
		at = serving(t, l, func(*Conn) Handler { return &played{received: echo} })
	})
	flood := dialled(t, at)
	go func() {
		piece := make([]byte, 1<<20)
		for {
			for i := range piece {
				piece[i] = '\n'
			}
			if _, err := flood.Write(piece); err != nil {
				return
			}
		}
	}()
	go func() { _, _ = io.Copy(io.Discard, flood) }()
	conn := dialled(t, at)
	for range 100 {
		if err := ask(conn, "me too\n"); err != nil {
			t.Fatal(err)
		}
	}
	flood.Close()
}

// mustForm is an address for the kernel.
func mustForm(t *testing.T, at string) unix.Sockaddr {
	t.Helper()
	form, err := kernelForm(netip.MustParseAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	return form
}

// TestAllow: more may wait for a connection before it is dropped, and not before it is read no further; nor after it is taken back.
func TestAllow(t *testing.T) {
	whys := make(chan error, 1)
	opened := make(chan *Conn, 1)
	const size = 16 << 20
	var at string
	l := running(t, Config{OutLimit: 64 << 10}, func(l *Loop) {
		at = serving(t, l, func(*Conn) Handler {
			h := telling(whys, echo)
			h.opened = func(c *Conn) { c.Allow(2 * size); opened <- c }
			return h
		})
	})
	dialled(t, at)
	c := within(t, opened, "the connection")
	on(t, l, func() {
		for range size / (32 << 10) {
			c.Write(make([]byte, 32<<10))
		}
		c.flush()
		if c.state != open || !c.crammed() || c.mayReceive() {
			t.Errorf("state %d with %d bytes that wait, crammed %v", c.state, c.Pending(), c.crammed())
		}
		c.Allow(0)
		c.Write([]byte("x"))
	})
	if why := within(t, whys, "closed"); !errors.Is(why, ErrSlow) {
		t.Errorf("closed: %v", why)
	}
}
