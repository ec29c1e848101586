package sockets

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// coded is how many bytes a connection with TLS receives, and sends, at once.
const coded = 16 << 10

// coder is the TLS of one connection: a goroutine that shakes hands and then receives, and one that sends. Each has one thing
// on its way to the loop at most, and goes on when the loop has taken it: that bounds what waits, and slows the peer.
type coder struct {
	conn  *Conn
	raw   net.Conn
	shake *shaker // around raw
	tls   *tls.Conn
	local netip.AddrPort
	slow  time.Duration

	// The receiver's, until the loop is told; the loop's, until it says taken.
	buffer []byte
	n      int
	err    error
	taken  chan struct{}
	// The loop's: there is something in buffer, and it was not taken yet.
	come bool
	// The loop's: hands are shaken.
	agreed bool

	// The loop hands a buffer to the sender, and has it back with what became of it.
	sends chan []byte
	busy  int // how many bytes the sender has

	ending  chan struct{}
	gently  bool // set before ending is closed
	arrived func()
}

// encrypt hands the connection's descriptor to a pair of goroutines.
func (c *Conn) encrypt() {
	l := c.loop
	file := os.NewFile(uintptr(c.fd), "")
	if l.conns = l.grown(c.fd); l.conns[c.fd] == c {
		l.conns[c.fd] = nil
		_ = l.pollerOf(c).control(unix.EPOLL_CTL_DEL, c.fd, 0, 0) // the copy would keep it there
	}
	local := localOf(int(c.fd))
	raw, err := net.FileConn(file)
	file.Close()
	c.fd = -1
	if err != nil {
		c.doom(fmt.Errorf("begin tls: %w", err))
		return
	}
	k := &coder{conn: c, raw: raw, local: local, slow: l.config.Slow,
		taken: make(chan struct{}, 1), sends: make(chan []byte, 1), ending: make(chan struct{})}
	k.arrived = func() { k.come = true; c.pull() }
	k.shake = &shaker{Conn: raw, turns: l.turns, ending: k.ending, dialled: c.dialled}
	if c.dialled {
		k.tls = tls.Client(k.shake, c.secure)
	} else {
		k.tls = tls.Server(k.shake, c.secure)
	}
	c.coder = k
	l.coded[c] = struct{}{}
	l.coders.Go(k.receive)
	l.coders.Go(k.send)
}

// receive is the first goroutine. Its deadline for shaking hands is the loop's, which closes the connection.
func (k *coder) receive() {
	c := k.conn
	if err := k.shake.shake(k.tls.Handshake); err != nil {
		c.loop.mail.put(func() { c.doom(fmt.Errorf("agree on tls: %w", err)) }, true)
		return
	}
	c.loop.mail.put(c.agreed, true)
	k.buffer = make([]byte, coded)
	for k.err == nil {
		k.n, k.err = k.tls.Read(k.buffer)
		c.loop.mail.put(k.arrived, true)
		select {
		case <-k.taken:
		case <-k.ending:
			return
		}
	}
}

// agreed opens the connection, on the loop.
func (c *Conn) agreed() {
	if c.state != shaking {
		return
	}
	c.state, c.heard, c.coder.agreed = open, c.loop.now, true
	if len(c.out) > 0 {
		c.soil()
	}
	c.ready()
}

// pull takes what the receiver has, if input is wanted.
func (c *Conn) pull() {
	k := c.coder
	if !k.come || !c.mayReceive() {
		return
	}
	k.come = false
	if n := k.n; n > 0 {
		k.n, c.heard = 0, c.loop.now
		c.deliver(k.buffer[:n])
		if k.err != nil && !c.mayReceive() {
			k.come = true // the end came with the last request, which is being answered
			return
		}
	}
	switch err := k.err; {
	case err == nil:
		k.taken <- struct{}{}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		c.drain(io.EOF)
	default:
		c.doom(fmt.Errorf("receive: %w", err))
	}
}

// push hands what was written to the sender, if it has nothing.
func (c *Conn) push() {
	k := c.coder
	if k.busy > 0 {
		return
	}
	if len(c.out) == 0 {
		if c.state == draining {
			c.doom(c.why)
		} else {
			c.catchUp()
			c.pull()
		}
		return
	}
	k.busy = len(c.out)
	k.sends <- c.out
	c.out = nil
}

// send is the second goroutine. After the connection's end it closes it, with TLS' own last word if that is due.
func (k *coder) send() {
	for {
		select {
		case b := <-k.sends:
			err := k.sendAll(b)
			c := k.conn
			c.loop.mail.put(func() { c.sentAll(b, err) }, true)
		case <-k.ending:
			if k.gently {
				_ = k.raw.SetDeadline(time.Now().Add(k.slow))
				_ = k.tls.Close() // the peer may be gone
			}
			k.raw.Close()
			return
		}
	}
}

// sendAll sends in pieces, so that a slow peer is told from a large reply.
func (k *coder) sendAll(b []byte) error {
	for len(b) > 0 {
		n := min(len(b), coded)
		_ = k.raw.SetWriteDeadline(time.Now().Add(k.slow)) // fails only on what is closed
		if _, err := k.tls.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// sentAll takes the buffer back, on the loop.
func (c *Conn) sentAll(b []byte, err error) {
	c.loop.pool.give(b)
	if c.state >= doomed {
		return
	}
	c.loop.waiting -= c.coder.busy
	c.coder.busy = 0
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.doom(ErrSlow)
	case err != nil:
		c.doom(fmt.Errorf("send: %w", err))
	default:
		c.flush()
	}
}

// end has the goroutines end. Where they must not say goodbye, or can't, nothing that they wait for on the network is left.
func (k *coder) end(gently bool) {
	k.gently = gently && k.busy == 0 && k.agreed
	if !k.gently {
		k.raw.Close()
	}
	close(k.ending)
}
