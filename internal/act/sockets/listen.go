package sockets

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// burst is how many connections a listener takes in a turn, before the others are served.
	burst = 64
	// relief is how long listeners rest when the process has no descriptor left. Who connects waits in the kernel's queue.
	relief = 50 * time.Millisecond
)

// Listener takes connections at one address.
type Listener struct {
	loop   *Loop
	fd     int32
	tls    *tls.Config
	accept func()
	from   unix.RawSockaddrAny
	addr   netip.AddrPort
	file   *socketFile // nil but for one of this host only
}

// Addr is where it listens, with the port that the kernel chose if it was asked for port 0.
func (ln *Listener) Addr() netip.AddrPort { return ln.addr }

// Close takes no more connections. Those that it took stay.
func (ln *Listener) Close() {
	if ln.fd < 0 {
		return
	}
	delete(ln.loop.listeners, ln.fd)
	_ = unix.Close(int(ln.fd))
	ln.fd = -1
	if ln.file != nil {
		ln.file.remove()
	}
}

// Listen takes connections at an address, with TLS if that is not nil. accept is called for each, and returns who is told of it,
// or nil to drop it; it may Write and Close, which says a last word. An IPv6 address takes no IPv4.
func (l *Loop) Listen(at netip.AddrPort, backlog int, secure *tls.Config, accept func(*Conn) Handler) (*Listener, error) {
	if l.ended {
		return nil, ErrEnded
	}
	fd, err := l.listenAt(at, backlog)
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", at, err)
	}
	ln := &Listener{loop: l, fd: int32(fd), tls: secure, addr: localOf(fd)}
	if err := ln.begin(accept); err != nil {
		return nil, fmt.Errorf("listen at %s: %w", at, err)
	}
	return ln, nil
}

// begin has the loop take connections, or closes what was opened.
func (ln *Listener) begin(accept func(*Conn) Handler) error {
	ln.accept = func() { ln.take(accept) }
	ln.loop.listeners[ln.fd] = ln
	err := ln.loop.poll.control(unix.EPOLL_CTL_ADD, ln.fd, unix.EPOLLIN, 0)
	if err != nil {
		ln.Close()
	}
	return err
}

// listenAt makes the socket.
func (l *Loop) listenAt(at netip.AddrPort, backlog int) (fd int, err error) {
	form, err := kernelForm(at)
	if err != nil {
		return -1, err
	}
	fd, err = unix.Socket(family(at.Addr()), unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer func() {
		if err != nil {
			_ = unix.Close(fd)
		}
	}()
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return -1, err
	}
	if !at.Addr().Is4() {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
			return -1, err
		}
	}
	if err := l.tune(fd); err != nil {
		return -1, err
	}
	if err := unix.Bind(fd, form); err != nil {
		return -1, err
	}
	return fd, unix.Listen(fd, backlog)
}

// take accepts what waits, up to a burst.
func (ln *Listener) take(accepted func(*Conn) Handler) {
	for range burst {
		if ln.fd < 0 {
			return // closed by whom it was just told of
		}
		fd, err := accept(ln.fd, &ln.from)
		switch err {
		case 0:
			ln.loop.admit(fd, oursRaw(&ln.from), ln.tls, accepted)
		case unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
			ln.loop.rest()
			return
		case unix.ECONNABORTED, unix.EPROTO, unix.EPERM, unix.ENETDOWN, unix.EHOSTUNREACH, unix.ENETUNREACH:
			// This one is broken, or forbidden by the packet filter; the next may be well.
		default:
			return // EAGAIN: there are no more
		}
	}
}

// admit makes a connection of what was accepted.
func (l *Loop) admit(fd int32, from netip.AddrPort, secure *tls.Config, accepted func(*Conn) Handler) {
	c := l.newConn(fd, from)
	c.handler = nobody{}
	c.state = open
	if secure != nil {
		c.state, c.secure, c.due = shaking, secure, l.now.Add(l.config.Handshake)
	}
	if h := accepted(c); h != nil {
		c.handler = h
	} else {
		c.doom(nil)
	}
	if secure != nil && c.state == shaking {
		l.wheel.put(c, c.due)
		c.encrypt()
		return
	}
	if err := l.watch(c, unix.EPOLLIN); err != nil {
		c.doom(err)
	}
	if c.state == open {
		c.ready()
	}
}

// newConn is a connection that epoll doesn't know yet.
func (l *Loop) newConn(fd int32, remote netip.AddrPort) *Conn {
	return &Conn{loop: l, fd: fd, remote: remote, heard: l.now, inLimit: l.config.InLimit, outLimit: l.config.OutLimit}
}

// ready tells the handler that the connection is open.
func (c *Conn) ready() {
	if c.idle > 0 {
		c.loop.wheel.put(c, c.heard.Add(c.idle))
	}
	c.handler.Opened(c)
}

// rest has the listeners accept nothing for a moment: the kernel would tell of the same connection again and again.
func (l *Loop) rest() {
	l.pausedTo = l.now.Add(relief)
	for _, ln := range l.listeners {
		_ = l.poll.control(unix.EPOLL_CTL_MOD, ln.fd, 0, 0) // at worst it is told of again
	}
}

// acceptAgain ends the rest.
func (l *Loop) acceptAgain() {
	l.pausedTo = 0
	for _, ln := range l.listeners {
		if err := l.poll.control(unix.EPOLL_CTL_MOD, ln.fd, unix.EPOLLIN, 0); err != nil {
			l.rest()
			return
		}
	}
}

// nobody handles connections that were dropped at once.
type nobody struct{}

func (nobody) Opened(*Conn)                   { /* it does not */ }
func (nobody) Received(_ *Conn, b []byte) int { return len(b) }
func (nobody) Closed(*Conn, error)            { /* nobody to tell */ }
