package flows

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// ErrUnsupported says that this kernel cannot end other processes' connections: it lacks CONFIG_INET_DIAG_DESTROY, or
// we lack CAP_NET_ADMIN. CLIENT KILL is what is left.
var ErrUnsupported = errors.New("the kernel does not destroy sockets; it needs CONFIG_INET_DIAG_DESTROY, and we CAP_NET_ADMIN")

// Keep is which connections go on.
type Keep struct {
	// Remotes are the far ends of single connections, such as those to replicas.
	Remotes []netip.AddrPort
	// From are addresses all of whose connections go on.
	From []netip.Addr
	// Mark and Mask tell connections by the mark of the socket at the far end, if that is on this host: the agent's own.
	// A mark that is zero under its mask tells none.
	Mark, Mask uint32
	// But are the only ones of this host's own addresses on which connections end; none means all of them.
	But []netip.Addr
}

// Destroy resets every connection that a socket on one of this host's ports is the local end of, but for those to be
// kept, and returns how many it reset. Listening sockets stay. Connections that end by themselves meanwhile are not
// counted. On an error the rest has been tried too.
func Destroy(ctx context.Context, ports []uint16, keep Keep) (int, error) {
	d, err := open()
	if err != nil {
		return 0, fmt.Errorf("destroy connections: %w", err)
	}
	defer d.close()
	var (
		count  int
		failed error
	)
	for _, port := range ports {
		n, err := d.port(ctx, port, keep)
		count += n
		failed = errors.Join(failed, err)
	}
	if failed != nil {
		return count, fmt.Errorf("destroy connections: %w", failed)
	}
	return count, nil
}

// Count returns how many connections have one of the ports at one of this host's own addresses.
func Count(ports []uint16, own []netip.Addr) (int, error) {
	d, err := open()
	if err != nil {
		return 0, fmt.Errorf("count connections: %w", err)
	}
	defer d.close()
	count, on := 0, Keep{But: own}
	for _, port := range ports {
		sockets, err := d.list(port, 0)
		if err != nil {
			return 0, fmt.Errorf("count connections: %w", err)
		}
		for _, s := range sockets {
			if !on.elsewhere(s.local.Addr()) {
				count++
			}
		}
	}
	return count, nil
}

// port resets the connections of one port, of both address families: a server that listens for both has IPv4
// connections on IPv6 sockets.
func (d *diag) port(ctx context.Context, port uint16, keep Keep) (int, error) {
	kept := map[netip.AddrPort]bool{}
	for _, r := range keep.Remotes {
		kept[plain(r)] = true
	}
	if keep.Mark&keep.Mask != 0 {
		own, err := d.marked(port, keep.Mark, keep.Mask)
		if err != nil {
			return 0, err
		}
		for _, r := range own {
			kept[r] = true
		}
	}
	for _, a := range keep.From {
		kept[netip.AddrPortFrom(a.Unmap(), 0)] = true
	}
	sockets, err := d.list(port, 0)
	if err != nil {
		return 0, err
	}
	var count int
	for _, s := range sockets {
		remote := plain(s.remote)
		if kept[remote] || kept[netip.AddrPortFrom(remote.Addr(), 0)] || keep.elsewhere(s.local.Addr()) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return count, err
		}
		gone, err := d.destroy(s)
		if err != nil {
			return count, err
		}
		if gone {
			count++
		}
	}
	return count, nil
}

// elsewhere reports whether a connection with this local address is none of those that are to end.
func (k Keep) elsewhere(local netip.Addr) bool {
	return len(k.But) > 0 && !slices.Contains(k.But, local.Unmap().WithZone(""))
}

// marked returns the near ends of connections from this host to a port whose sockets carry the mark.
func (d *diag) marked(port uint16, mark, mask uint32) ([]netip.AddrPort, error) {
	sockets, err := d.list(0, port)
	if err != nil {
		return nil, err
	}
	var out []netip.AddrPort
	for _, s := range sockets {
		if s.mark&mask == mark&mask {
			out = append(out, plain(s.local))
		}
	}
	return out, nil
}

// plain writes an IPv4 address in the one way in which it can be compared.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// unsupported makes the kernel's refusal recognisable.
func unsupported(err error) error {
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EPROTONOSUPPORT) {
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return err
}
