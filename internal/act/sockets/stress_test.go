package sockets

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// restless is a connection's handler that does whatever may be done, at random, and checks what it is told.
type restless struct {
	t      *testing.T
	random *rand.Rand
	all    *int // how many are not closed
	opened bool
	closed bool
}

func (r *restless) Opened(c *Conn) {
	if r.opened || r.closed {
		r.t.Error("opened twice, or after the end")
	}
	r.opened = true
	r.act(c)
}

func (r *restless) Received(c *Conn, b []byte) int {
	if !r.opened || r.closed || c.held {
		r.t.Errorf("received: opened %v, closed %v, held %v", r.opened, r.closed, c.held)
	}
	r.act(c)
	return r.random.IntN(len(b) + 1)
}

func (r *restless) Closed(_ *Conn, why error) {
	if r.closed {
		r.t.Error("closed twice")
	}
	r.closed = true
	*r.all--
	switch {
	case why == nil, errors.Is(why, io.EOF), errors.Is(why, ErrLong), errors.Is(why, ErrSlow), errors.Is(why, unix.ECONNRESET), errors.Is(why, unix.EPIPE):
	default:
		r.t.Errorf("closed: %v", why)
	}
}

// act does one thing, or none.
func (r *restless) act(c *Conn) {
	switch r.random.IntN(60) {
	case 0:
		c.Close()
	case 1:
		c.Abort()
	case 2, 3, 4:
		c.Hold()
	case 5:
		c.Hold()
		c.Resume()
	case 6:
		c.SetIdle(time.Minute)
	case 7:
		c.Write(make([]byte, r.random.IntN(300_000)))
	default:
		c.Write(make([]byte, r.random.IntN(2000)))
	}
}

// TestRestless has connections between two ends of one loop do everything in every order, and looks at what is left: as the kernel tells of all
// of them until it is taken, and of those that were dialled once.
func TestRestless(t *testing.T) {
	t.Run("until taken", func(t *testing.T) { restlessly(t, 0) })
	t.Run("once", func(t *testing.T) { restlessly(t, time.Millisecond) })
}

func restlessly(t *testing.T, batch time.Duration) {
	random := rand.New(rand.NewPCG(7, 8))
	left := 0
	var conns []*Conn
	follow := func(c *Conn) Handler {
		left++
		conns = append(conns, c)
		return &restless{t: t, random: random, all: &left}
	}
	var to netip.AddrPort
	l := running(t, Config{InLimit: 100_000, OutLimit: 200_000, Batch: batch}, func(l *Loop) {
		to = netip.MustParseAddrPort(serving(t, l, follow))
	})
	for range 1000 {
		on(t, l, func() {
			for range random.IntN(3) {
				left++
				conns = append(conns, l.Dial(to, Options{}, &restless{t: t, random: random, all: &left}))
			}
			for range 20 {
				c := conns[random.IntN(len(conns))]
				c.Resume()
				c.handler.(*restless).act(c)
			}
		})
	}
	on(t, l, func() {
		for _, c := range conns {
			c.Resume()
			c.Close()
		}
	})
	eventually(t, l, "all are closed", func() bool {
		for _, c := range conns {
			c.Abort()
		}
		return left == 0
	})
	on(t, l, func() {
		for _, c := range conns {
			if c.state != gone || c.tick != 0 || c.in != nil || c.out != nil {
				t.Errorf("left: %+v", c)
			}
		}
		if l.waiting != 0 {
			t.Errorf("%d bytes wait for nobody", l.waiting)
		}
	})
}

func TestBatch(t *testing.T) {
	var to netip.AddrPort
	running(t, Config{}, func(l *Loop) {
		to = netip.MustParseAddrPort(serving(t, l, func(*Conn) Handler { return &played{received: echo} }))
	})
	var l *Loop
	const many, each = 50, 200
	done := make(chan struct{})
	answers, gathered := 0, 0
	running(t, Config{Batch: time.Millisecond, Turn: func() {
		if l.far.crowded {
			gathered++
		}
	}}, func(made *Loop) { l = made })
	on(t, l, func() {
		for range many {
			l.Dial(to, Options{}, &played{
				opened: func(c *Conn) { c.Write([]byte("x\n")) },
				received: func(c *Conn, b []byte) int {
					if answers++; answers == many*each {
						close(done)
					}
					c.Write([]byte("x\n"))
					return len(b)
				},
			})
		}
	})
	within(t, done, "the last answer")
	on(t, l, func() {
		if gathered == 0 {
			t.Error("nothing was gathered")
		}
	})
}

func TestIPv6AndOptions(t *testing.T) {
	opened := make(chan *Conn, 2)
	l := running(t, Config{KeepAlive: 30 * time.Second}, nil)
	h := &played{opened: func(c *Conn) { opened <- c }}
	var ln *Listener
	var err error
	on(t, l, func() {
		if ln, err = l.Listen(netip.MustParseAddrPort("[::1]:0"), 10, nil, func(*Conn) Handler { return h }); err == nil {
			l.Dial(ln.Addr(), Options{}, h)
		}
	})
	if err != nil {
		t.Skip(err)
	}
	for range 2 {
		c := within(t, opened, "an end")
		on(t, l, func() {
			if c.Remote().Addr() != netip.IPv6Loopback() || c.Local().Addr() != netip.IPv6Loopback() {
				t.Errorf("from %v to %v", c.Remote(), c.Local())
			}
			for option, want := range map[[2]int]int{
				{unix.SOL_SOCKET, unix.SO_KEEPALIVE}: 1, {unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}: 30,
				{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL}: 10, {unix.IPPROTO_TCP, unix.TCP_NODELAY}: 1,
			} {
				if v, err := unix.GetsockoptInt(int(c.fd), option[0], option[1]); v != want || err != nil {
					t.Errorf("option %v is %d, %v", option, v, err)
				}
			}
		})
	}
	on(t, l, ln.Close)
}
