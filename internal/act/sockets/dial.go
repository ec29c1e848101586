package sockets

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Options say how to dial.
type Options struct {
	// Local is the address to come from; the kernel chooses for the zero value.
	Local netip.Addr
	// TLS is nil for none. It must name the server or say that its name does not matter.
	TLS *tls.Config
	// Timeout is how long connecting may take, TLS included: 5 s if zero. It is exact to some tenth of a second.
	Timeout time.Duration
}

// Dial connects to an address, and tells the handler when it has, or why it could not: always later, never from within this call.
// What is written meanwhile is sent then. After the loop's end nothing is told.
func (l *Loop) Dial(to netip.AddrPort, options Options, h Handler) *Conn {
	fill(&options.Timeout, 5*time.Second)
	c := l.newConn(-1, to)
	c.handler, c.dialled, c.secure, c.due = h, true, options.TLS, l.config.Now().Add(options.Timeout)
	if l.ended {
		c.state = gone
		return c
	}
	if err := c.connect(options.Local); err != nil {
		c.doom(fmt.Errorf("connect to %s: %w", to, err))
		return c
	}
	l.wheel.put(c, c.due)
	return c
}

// connect begins to.
func (c *Conn) connect(local netip.Addr) error {
	form, err := kernelForm(c.remote)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(family(c.remote.Addr()), unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	c.fd = int32(fd)
	if err := c.loop.tune(fd); err != nil {
		return err
	}
	if local.IsValid() && !local.IsUnspecified() {
		if err := bindAddress(fd, local); err != nil {
			return fmt.Errorf("from %s: %w", local, err)
		}
	}
	// A signal that interrupts the call leaves it going on, as if it had not.
	if err := unix.Connect(fd, form); err != nil && err != unix.EINPROGRESS && err != unix.EINTR {
		return err
	}
	return c.loop.watch(c, unix.EPOLLOUT)
}

// bindAddress has a socket come from an address, with a port that need only differ for one peer.
func bindAddress(fd int, local netip.Addr) error {
	form, err := kernelForm(netip.AddrPortFrom(local, 0))
	if err != nil {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return err
	}
	return unix.Bind(fd, form)
}

// connected looks how connecting ended.
func (c *Conn) connected() {
	failed, err := unix.GetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && failed != 0 {
		err = unix.Errno(failed)
	}
	if err == nil && localOf(int(c.fd)) == c.remote {
		err = unix.ECONNREFUSED // nobody listens, and the kernel chose that very port for this side: it met itself
	}
	if err != nil {
		c.doom(fmt.Errorf("connect to %s: %w", c.remote, err))
		return
	}
	if c.secure != nil {
		c.state = shaking
		c.encrypt()
		return
	}
	c.state, c.heard = open, c.loop.now
	c.rearm()
	if len(c.out) > 0 {
		c.soil()
	}
	if c.state == open {
		c.ready()
	}
}
