package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// dialer opens the hand's sockets: marked for the gate, from the hand's own address.
type dialer struct {
	cfg    *Config
	remark func(string)
	// plain is set once the dedicated source address has turned out to be of no use at this server.
	plain atomic.Bool
	// certificates are for a server that is reached over TLS.
	certificates certificates
}

// dial connects within the budget. The error wraps ECONNREFUSED when nobody listens. Over TLS the handshake is still to come.
func (d *dialer) dial(ctx context.Context, budget time.Duration) (net.Conn, error) {
	var security *tls.Config
	if d.cfg.TLS != nil {
		var err error
		if security, err = d.certificates.config(*d.cfg.TLS, d.remark); err != nil {
			return nil, fmt.Errorf("connect to %v: %w", d.cfg.Addr, &refusedError{err})
		}
	}
	dialer := net.Dialer{Timeout: budget, KeepAlive: -1, Control: d.mark}
	if d.dedicated() {
		dialer.LocalAddr = &net.TCPAddr{IP: d.cfg.Source.AsSlice()}
	}
	conn, err := dialer.DialContext(ctx, "tcp", d.cfg.Addr.String())
	if err != nil && dialer.LocalAddr != nil && errors.Is(err, unix.EADDRNOTAVAIL) {
		d.giveUpSource("the address is not this host's")
	}
	if err != nil {
		return nil, fmt.Errorf("connect to %v: %w", d.cfg.Addr, err)
	}
	if security != nil {
		return secure(conn, security), nil
	}
	return conn, nil
}

// dedicated reports whether connections come from the configured address.
func (d *dialer) dedicated() bool {
	return d.cfg.Source.IsValid() && d.cfg.Addr.Addr().IsLoopback() && !d.plain.Load()
}

// giveUpSource lets the kernel choose the source address from now on. In protected mode without a password, Redis takes
// 127.0.0.1 and ::1 alone for its own host, and denies every other address of the loopback.
func (d *dialer) giveUpSource(why string) {
	if !d.plain.Swap(true) {
		d.remark(fmt.Sprintf("connections to %v don't come from %v: %s", d.cfg.Addr, d.cfg.Source, why))
	}
}

// mark sets SO_MARK before the connection's first packet leaves. Without the right to, the gate has to tell the agent
// by its user.
func (d *dialer) mark(_, _ string, raw syscall.RawConn) error {
	if d.cfg.Mark == 0 {
		return nil
	}
	var errMark error
	err := raw.Control(func(fd uintptr) {
		errMark = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, int(d.cfg.Mark))
	})
	if errors.Is(errMark, unix.EPERM) {
		d.remark("sockets to the server are not marked: the agent needs CAP_NET_ADMIN")
		errMark = nil
	}
	if err = errors.Join(err, errMark); err != nil {
		return fmt.Errorf("mark socket: %w", err)
	}
	return nil
}
