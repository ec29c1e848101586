package sockets

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Write has bytes sent at the turn's end, together with what else is written until then. It copies them. A connection for
// which too much waits already is dropped, with ErrSlow; so is, later, one that takes nothing for too long. Before Opened
// they wait for it.
func (c *Conn) Write(b []byte) {
	if c.state >= draining || len(b) == 0 {
		return
	}
	l := c.loop
	if waits := c.Pending(); waits > fair && (waits > c.most() || l.waiting > l.config.Waiting) {
		// What was written in this turn was not offered to the kernel yet, which may take it.
		c.flush()
		if c.state >= draining {
			return
		}
		if waits = c.Pending(); waits > c.most() || waits > fair && l.waiting > l.config.Waiting {
			c.doom(ErrSlow)
			return
		}
	}
	// A part that is gone makes room when it is worth the copying of the rest: a peer that takes little of much would cost that each time.
	if c.sent > (len(c.out)-c.sent)/8 && len(c.out)+len(b) > cap(c.out) {
		c.out, c.sent = c.out[:copy(c.out, c.out[c.sent:])], 0
	}
	c.out = l.pool.extend(c.out, b)
	l.waiting += len(b)
	c.soil()
}

// soil puts the connection on the list of those that have something to send.
func (c *Conn) soil() {
	if !c.dirty {
		c.dirty = true
		c.loop.dirty = append(c.loop.dirty, c)
	}
}

// flush sends what waits, as far as the kernel takes it in one call.
func (c *Conn) flush() {
	if c.state != open && c.state != draining {
		return
	}
	if c.coder != nil {
		c.push()
		return
	}
	if c.stuck {
		return // epoll will tell
	}
	if c.sent == len(c.out) {
		c.emptied()
		return
	}
	n, err := send(c.fd, c.out[c.sent:])
	if err != 0 && err != unix.EAGAIN {
		c.doom(fmt.Errorf("send: %w", err))
		return
	}
	c.sent += n
	c.loop.waiting -= n
	if c.sent == len(c.out) {
		c.emptied()
		return
	}
	if n > 0 || c.moved == 0 {
		c.moved = c.loop.now
	}
	c.stuck = true
	c.rearm()
	c.loop.wheel.put(c, c.moved.Add(c.loop.config.Slow))
}

// emptied gives the buffer back when everything is sent.
func (c *Conn) emptied() {
	c.loop.pool.give(c.out)
	c.out, c.sent, c.moved = nil, 0, 0
	if c.state == draining {
		c.doom(c.why)
		return
	}
	c.catchUp()
	c.rearm()
}

// catchUp has what was left received again.
func (c *Conn) catchUp() {
	if c.behind {
		c.behind = false
		c.again()
	}
}
