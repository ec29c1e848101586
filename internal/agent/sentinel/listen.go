package sentinel

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"redkeep/internal/agent/reception"
	"redkeep/internal/speak/logline"
)

// listen takes clients at every address that the file has, on the plain port and on that with TLS. An address that begins with a
// dash may be missing on this host. Who observes has no port, and is not to be asked.
func (p *process) listen() error {
	file := p.conf.UnixSocket != "" && !p.options.Observe // who is watched may be listening at it
	if p.conf.Port == 0 && p.conf.TLSPort == 0 && !file {
		if p.options.Observe {
			return nil
		}
		p.log(logline.Warning, "Configured to not listen anywhere, exiting.")
		return errors.New("listen: port and tls-port are both 0, so nobody could ask this Sentinel; set one of them")
	}
	if p.conf.Port != 0 {
		if err := p.listenOn(p.conf.Port, nil); err != nil {
			return err
		}
	}
	if p.conf.TLSPort != 0 {
		secure, err := listenTLS(p.conf, p.roots)
		if err != nil {
			return err
		}
		if err := p.listenOn(p.conf.TLSPort, secure); err != nil {
			return err
		}
	}
	if file {
		return p.listenLocal()
	}
	return nil
}

// listenLocal takes clients of this host at a file. It comes last, as in redis-sentinel: whoever runs already has been noticed by then.
func (p *process) listenLocal() error {
	path := p.conf.UnixSocket
	if _, err := reception.ListenLocal(p.loop, path, fs.FileMode(p.conf.UnixSocketPerm), p.face, p.visitors(nil)); err != nil {
		p.log(logline.Warning, fmt.Sprintf("Failed opening Unix socket %s: %v", path, err))
		return fmt.Errorf("%w; stop what uses it, or change unixsocket or unixsocketperm", err)
	}
	return nil
}

// visitors are what clients find, at ports with TLS and others.
func (p *process) visitors(secure *tls.Config) reception.Options {
	return reception.Options{
		Idle: p.conf.Timeout, TLS: secure, Backlog: p.conf.TCPBacklog, Refuse: p.refuses, Listeners: p.listeners(),
	}
}

func (p *process) listenOn(port int, secure *tls.Config) error {
	open := 0
	for _, text := range p.conf.Bind {
		name, optional := strings.CutPrefix(text, "-")
		ip, err := bindAddr(name)
		if err == nil {
			_, err = reception.Listen(p.loop, netip.AddrPortFrom(ip, uint16(port)), p.face, p.visitors(secure))
		}
		if err == nil {
			open++
			continue
		}
		p.log(logline.Warning, fmt.Sprintf("Could not create server TCP listening socket %s:%d: %v", name, port, err))
		if !absent(err, optional) {
			return fmt.Errorf("listen on %s, port %d: %w; stop what uses the port, or change bind or port", name, port, err)
		}
	}
	if open == 0 {
		return fmt.Errorf("listen on port %d: no address of bind is on this host; change bind", port)
	}
	return nil
}

// absent reports whether an error of listening says that this host lacks the address, which only an optional one may, or all of its family.
// A port that is taken is neither: whoever expects this Sentinel there would be answered by another.
func absent(err error, optional bool) bool {
	switch errno := unix.Errno(0); {
	case !errors.As(err, &errno):
		return false
	case errno == unix.EADDRNOTAVAIL:
		return optional
	default:
		return slices.Contains([]unix.Errno{unix.EAFNOSUPPORT, unix.EPFNOSUPPORT, unix.EPROTONOSUPPORT, unix.ESOCKTNOSUPPORT, unix.ENOPROTOOPT}, errno)
	}
}

// origin is the address that connections to others come from; the kernel chooses for the zero value.
func (p *process) origin() (netip.Addr, error) {
	text := p.conf.BindSource
	if text == "" {
		return netip.Addr{}, nil
	}
	from, err := netip.ParseAddr(text)
	if err != nil {
		return from, fmt.Errorf("connect from %s: %w; change bind-source-addr to an address of this host", text, err)
	}
	return from, nil
}

// listeners is what may wait for a client that has subscribed. A file that says there is no bound has the most that there is.
func (p *process) listeners() reception.Bound {
	const most = 1 << 30 // fits an int of 32 bits
	l := p.conf.Listeners
	return reception.Bound{Hard: int(min(cmp.Or(l.Hard, most), most)), Soft: int(min(l.Soft, most)), Time: l.Time}
}

// errProtected is what others than this host are told in protected mode.
const errProtected = "DENIED this Sentinel serves its own host only, since protected-mode is yes and its default user has no password; " +
	"set requirepass, or protected-mode no, in its configuration"

// refuses says why nobody from an address is served: in protected mode, who is elsewhere and needs no password.
func (p *process) refuses(from netip.Addr) string {
	if p.conf.ProtectedMode && !from.IsLoopback() && p.users.Open() {
		return errProtected
	}
	return ""
}

// bindAddr is the address that a word of bind means.
func bindAddr(name string) (netip.Addr, error) {
	switch name {
	case "*":
		return netip.IPv4Unspecified(), nil
	case "::*":
		return netip.IPv6Unspecified(), nil
	default:
		return netip.ParseAddr(name)
	}
}
