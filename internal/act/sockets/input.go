package sockets

import (
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// mayReceive reports whether input is wanted. Not before what was left is received again, or the peer's end would overtake it. A
// peer that lets half of what it may pile up is not asked for more work, either: one that sends many requests before it reads
// the first reply is slowed down, and not dropped.
func (c *Conn) mayReceive() bool {
	return c.state == open && !c.held && !c.resumed && !c.behind && !c.crammed()
}

// crammed reports whether too much waits to be sent for more to be asked for.
func (c *Conn) crammed() bool { return c.Pending() > min(c.outLimit, c.most())/2 }

// receive reads once, and reports whether there may be more: its buffer is full, or the peer's end is there, which comes behind what it sent.
// Epoll tells of that again, after the others had their turn, where it does not tell once only.
func (c *Conn) receive(ending bool) (more bool) {
	if !c.mayReceive() {
		c.rearm() // only now: most holds are over before there is more
		return false
	}
	n, err := receive(c.fd, c.loop.buffer[:])
	switch {
	case err == unix.EAGAIN:
	case err != 0:
		c.doom(fmt.Errorf("receive: %w", err))
	case n == 0:
		c.drain(io.EOF)
		c.rearm()
	default:
		c.heard = c.loop.now
		c.deliver(c.loop.buffer[:n])
		return ending || n == len(c.loop.buffer)
	}
	return false
}

// deliver hands bytes to the handler, behind those that it left, and keeps what it leaves.
func (c *Conn) deliver(b []byte) {
	pool, kept := &c.loop.pool, len(c.in) > 0
	if kept {
		c.in = pool.extend(c.in, b)
		b = c.in
	}
	used := c.handler.Received(c, b)
	rest := b[used:]
	switch {
	case len(rest) == 0 || c.state >= draining:
		pool.give(c.in)
		c.in = nil
	case len(rest) > c.inLimit:
		c.doom(ErrLong)
	case !kept:
		c.in = pool.extend(nil, rest)
	case used > 0:
		c.in = c.in[:copy(c.in, rest)]
	}
}
