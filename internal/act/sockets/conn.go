package sockets

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/words"
)

// Handler is told what happens on one connection, on the loop's goroutine. Opened comes first, if the connection opens; Closed
// comes once and last, and never from within a call that the Handler makes itself.
type Handler interface {
	// Opened says that the connection can be used: connected, and with TLS agreed on.
	Opened(c *Conn)
	// Received hands over what came, after what was left the last time, and returns how many bytes it used, from the front. The
	// bytes are the loop's again when it returns. It is called for new bytes, and after Resume for what is left.
	Received(c *Conn, b []byte) (used int)
	// Closed says that the connection is no more, and why: nil after Close and Abort, io.EOF after the peer's end.
	Closed(c *Conn, why error)
}

// state is how far a connection has come.
type state uint8

const (
	connecting state = iota // the kernel is
	shaking                 // TLS is being agreed on
	open
	draining // takes nothing more, sends what waits
	doomed   // to be closed at the turn's end
	gone
)

// Conn is one connection. Its methods may be called in every state; after the end they do nothing.
type Conn struct {
	loop    *Loop
	handler Handler
	secure  *tls.Config // nil for none
	coder   *coder      // of TLS, once the kernel has connected
	in      []byte      // what the handler left
	out     []byte      // what was written
	sent    int         // how much of out is gone

	before, after *Conn // on the wheel
	tick          int64

	heard words.Instant // the last input
	moved words.Instant // the last output, while some waits
	due   words.Instant // when it must be open, or drained
	idle  time.Duration

	remote            netip.AddrPort
	why               error
	inLimit, outLimit int
	allowed           int // in outLimit's place for what drops it; zero is not

	fd    int32
	tag   uint32
	armed uint32 // what epoll tells of

	state          state
	held           bool
	dialled        bool
	stuck          bool // output waits for the kernel
	dirty, resumed bool // on the loop's list
	behind         bool // is received again when the output is sent
}

// Remote is the peer's address.
func (c *Conn) Remote() netip.AddrPort { return c.remote }

// Local is this side's address; the zero value when the connection has none, or is gone.
func (c *Conn) Local() netip.AddrPort {
	if c.coder != nil {
		return c.coder.local
	}
	if c.state == gone || c.fd < 0 {
		return netip.AddrPort{}
	}
	return localOf(int(c.fd))
}

// Pending is how many bytes wait to be sent.
func (c *Conn) Pending() int {
	n := len(c.out) - c.sent
	if c.coder != nil {
		n += c.coder.busy
	}
	return n
}

// SetLimits replaces Config's InLimit and OutLimit for this connection, in bytes; zero leaves one as it is.
func (c *Conn) SetLimits(in, out int) {
	if in > 0 {
		c.inLimit = in
	}
	if out > 0 {
		c.outLimit = out
	}
}

// Allow has so many bytes wait, instead of OutLimit, before a further Write drops the connection; zero takes it back. How many keep input
// from being received is not raised by it: who can't help being told much is not to be answered as much.
func (c *Conn) Allow(out int) { c.allowed = max(out, 0) }

// most is how many bytes may wait before a further Write drops the connection.
func (c *Conn) most() int {
	if c.allowed > 0 {
		return c.allowed
	}
	return c.outLimit
}

// SetIdle drops the connection when nothing came for as long; zero is never. It counts from the last input, and from now if there
// was none yet; it is exact to some tenth of a second. While input is held it doesn't count.
func (c *Conn) SetIdle(d time.Duration) {
	if c.idle = d; d > 0 && c.state == open {
		c.loop.wheel.put(c, c.heard.Add(d))
	}
}

// Hold has nothing more received until Resume: a client whose request waits for an answer is read no further. Bytes that
// the Handler has not used stay.
func (c *Conn) Hold() { c.held = true }

// Resume ends Hold. What was left is received again soon, and not from within this call; where half of what may wait for the peer
// does, only when that is sent. So a Handler that leaves something, holds and resumes goes on when the peer has read enough.
func (c *Conn) Resume() {
	if !c.held {
		return
	}
	c.held = false
	c.heard = c.loop.now
	c.again()
}

// Close ends the connection as soon as what was written is sent, or can't be in the time that a slow peer has. It has no
// further input.
func (c *Conn) Close() { c.drain(nil) }

// Abort ends the connection, and drops what waits.
func (c *Conn) Abort() { c.doom(nil) }

// again puts the connection on the list of those that may go on.
func (c *Conn) again() {
	if !c.resumed && c.state == open {
		c.resumed = true
		c.loop.resumed = append(c.loop.resumed, c)
	}
}

// goOn receives what was left, now that it may.
func (c *Conn) goOn() {
	c.resumed = false
	if c.state != open || c.held {
		return
	}
	if c.behind = len(c.in) > 0 && c.crammed(); c.behind {
		return // until what waits is sent
	}
	if len(c.in) > 0 {
		c.deliver(nil)
	}
	if c.coder != nil {
		c.pull()
		return
	}
	c.rearm()
}

// drain closes after the output.
func (c *Conn) drain(why error) {
	switch {
	case c.state >= draining:
	case c.state != open, c.Pending() == 0:
		c.doom(why)
	default:
		c.state, c.why = draining, why
		c.due = c.loop.now.Add(c.loop.config.Slow)
		c.loop.wheel.put(c, c.due)
		c.soil()
	}
}

// doom closes at the end of the turn.
func (c *Conn) doom(why error) {
	if c.state >= doomed {
		return
	}
	c.state, c.why = doomed, why
	c.loop.doomed = append(c.loop.doomed, c)
}

// bury closes a doomed connection, and says so.
func (c *Conn) bury() {
	l := c.loop
	c.state = gone
	l.wheel.remove(c)
	l.waiting -= c.Pending()
	l.pool.give(c.in)
	l.pool.give(c.out)
	c.in, c.out, c.sent = nil, nil, 0
	if c.coder != nil {
		delete(l.coded, c)
		c.coder.end(c.why == nil || errors.Is(c.why, io.EOF))
		c.coder.busy = 0
	} else if c.fd >= 0 {
		if int(c.fd) < len(l.conns) && l.conns[c.fd] == c {
			l.conns[c.fd] = nil
		}
		if c.why == nil {
			receive(c.fd, l.buffer[:]) // bytes that nobody read would have the kernel reset what it still has to send
		}
		_ = unix.Close(int(c.fd)) // epoll forgets it, too
		c.fd = -1
	}
	c.handler.Closed(c, c.why)
}

// event handles what epoll tells.
func (c *Conn) event(events uint32) {
	switch {
	case c.state == connecting:
		c.connected()
		return
	case c.state >= doomed:
		return
	}
	if events&unix.EPOLLOUT != 0 && c.stuck {
		c.stuck = false
		c.soil()
	}
	if events&(unix.EPOLLERR|unix.EPOLLHUP) != 0 && !c.mayReceive() {
		c.doom(fmt.Errorf("receive: %w", c.failure())) // nothing that waits can be sent any more
		return
	}
	if events&(unix.EPOLLIN|unix.EPOLLERR|unix.EPOLLHUP) == 0 {
		return
	}
	// What is told once is taken whole: until there is less than was asked for, and to the end where that is there.
	// Others wait meanwhile, so that one which sends as fast as it is read has its next turn after theirs.
	for reads := 1; c.receive(events&unix.EPOLLRDHUP != 0) && c.armed&unix.EPOLLET != 0; reads++ {
		if reads >= mostReads && c.mayReceive() {
			c.armed = 0 // what is set anew is told anew, the peer's end too
			c.rearm()
			return
		}
	}
}

// mostReads is how often one event has a connection read. A whole buffer each time, that is 1 MB.
const mostReads = 16

// failure is what the kernel has against a connection whose peer hung up.
func (c *Conn) failure() error {
	if v, err := unix.GetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_ERROR); err == nil && v != 0 {
		return unix.Errno(v)
	}
	return unix.ECONNRESET
}

// rearm has epoll tell of what the connection waits for.
func (c *Conn) rearm() {
	var want uint32
	if c.mayReceive() {
		want |= unix.EPOLLIN
		if c.dialled && c.loop.far.fd >= 0 {
			want |= unix.EPOLLET | unix.EPOLLRDHUP // epoll looks twice at what it tells until it is gone
		}
	}
	if c.stuck {
		want |= unix.EPOLLOUT
	}
	if want == c.armed || c.coder != nil || c.state >= doomed {
		return
	}
	c.armed = want
	if err := c.loop.pollerOf(c).control(unix.EPOLL_CTL_MOD, c.fd, want, c.tag); err != nil {
		c.doom(fmt.Errorf("watch connection: %w", err))
	}
}

// overdue looks whether a deadline has passed, and puts the connection back on the wheel for the next.
func (c *Conn) overdue() {
	now, next := c.loop.now, words.Never
	late := func(due words.Instant, why error) {
		if now >= due {
			c.doom(why)
		}
		next = min(next, due)
	}
	switch c.state {
	case connecting, shaking:
		late(c.due, ErrTimeout)
	case draining:
		late(c.due, c.why)
	case open:
		if c.stuck {
			late(c.moved.Add(c.loop.config.Slow), ErrSlow)
		}
		if c.idle > 0 {
			if c.held {
				c.heard = now
			}
			late(c.heard.Add(c.idle), ErrIdle)
		}
	}
	if c.state < doomed && next != words.Never {
		c.loop.wheel.put(c, next)
	}
}
