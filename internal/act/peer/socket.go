package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// receiveBuffer is what is asked for the UDP socket, in bytes: a small datagram takes up to 1,280 of it, so that some
// 800 fit while the reader is not running. Without CAP_NET_ADMIN the kernel grants no more than net.core.rmem_max,
// 212,992 by default.
const receiveBuffer = 1 << 20

// portTries is how often another port is chosen when the one that TCP got is taken for UDP. Only tests use port 0.
const portTries = 8

// listen opens both sockets on one port.
func (p *Peer) listen(ctx context.Context) (err error) {
	for range portTries {
		if err = p.listenOnce(ctx); err == nil || p.config.Listen.Port() != 0 {
			return err
		}
	}
	return err
}

func (p *Peer) listenOnce(ctx context.Context) error {
	config := net.ListenConfig{Control: control(p.config.Mark), KeepAliveConfig: keepAlive}
	listener, err := config.Listen(ctx, "tcp", p.config.Listen.String())
	if err != nil {
		return explainListen(err)
	}
	addr := listener.Addr().(*net.TCPAddr).AddrPort()
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	packets, err := config.ListenPacket(ctx, "udp", addr.String())
	if err != nil {
		return errors.Join(explainListen(err), listener.Close())
	}
	p.addr, p.listener, p.datagrams = addr, listener.(*net.TCPListener), packets.(*net.UDPConn)
	if err = p.openOutlet(); err != nil {
		return errors.Join(fmt.Errorf("open peer links: %w", err), listener.Close(), packets.Close())
	}
	p.growBuffer()
	return nil
}

// openOutlet opens the socket that datagrams leave by, from a port of its own. What is sent through a socket that the runtime
// waits on wakes a thread each time the kernel is done with it; that was a fifth of an idle agent's wake-ups. A socket in
// blocking mode is not waited on.
func (p *Peer) openOutlet() error {
	family := unix.AF_INET6
	if p.addr.Addr().Is4() {
		family = unix.AF_INET
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("make socket to send by: %w", err)
	}
	p.outlet = os.NewFile(uintptr(fd), "datagrams to peers")
	if p.raw, err = p.outlet.SyscallConn(); err != nil {
		return errors.Join(err, p.outlet.Close())
	}
	if set := control(p.config.Mark); set != nil {
		err = set("", "", p.raw)
	}
	if err == nil {
		err = unix.Bind(fd, sockaddr(netip.AddrPortFrom(p.addr.Addr(), 0)))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("bind socket to send by: %w", err), p.outlet.Close())
	}
	return nil
}

func explainListen(err error) error {
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		return fmt.Errorf("open peer links: %w; stop what uses the port (another agent?), or set peer_port on all nodes", err)
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return fmt.Errorf("open peer links: %w; this host does not have the address that nodes gives it", err)
	default:
		return fmt.Errorf("open peer links: %w", err)
	}
}

// growBuffer asks for a larger receive buffer, past the system's limit where that is allowed. A small one costs
// datagrams when the agent is starved, and nothing else, so a refusal is no error.
func (p *Peer) growBuffer() {
	conn, err := p.datagrams.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Control(func(fd uintptr) {
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
		}
	})
}

// control sets the mark on a socket before it is bound or connected.
func control(mark uint32) func(network, address string, c syscall.RawConn) error {
	if mark == 0 {
		return nil
	}
	return func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, int(mark))
		})
		if failed != nil {
			failed = fmt.Errorf("set mark %#x: %w; the agent needs CAP_NET_ADMIN", mark, failed)
		}
		return errors.Join(err, failed)
	}
}

// sockaddr is the form in which sendto wants an address.
func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if addr := a.Addr().Unmap(); addr.Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: addr.As4()}
	}
	to := &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	if zone := a.Addr().Zone(); zone != "" {
		if device, err := net.InterfaceByName(zone); err == nil {
			to.ZoneId = uint32(device.Index)
		}
	}
	return to
}
