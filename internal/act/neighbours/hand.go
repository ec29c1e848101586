package neighbours

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	// patience bounds a wait for the kernel's answer to a question.
	patience = time.Second
	// waiting is how many hosts may wait to be asked for. It is more than a group has nodes; who finds no place asks later once more.
	waiting = 32
)

// Hand has the kernel ask again.
type Hand struct {
	kernel *netlink.Handle
	log    *slog.Logger
	hosts  chan netip.Addr
}

// Open connects to the kernel in the present thread's network namespace. The log gets the first thing that goes wrong, and nothing after that:
// without CAP_NET_ADMIN the kernel asks in its own time. nil is no log.
func Open(log *slog.Logger) (*Hand, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	kernel, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open the neighbour table: %w", err)
	}
	if err = kernel.SetSocketTimeout(patience); err != nil {
		kernel.Close()
		return nil, fmt.Errorf("open the neighbour table: %w", err)
	}
	return &Hand{kernel: kernel, log: log, hosts: make(chan netip.Addr, waiting)}, nil
}

// Close gives the connection back. It must not be called while Run runs.
func (h *Hand) Close() { h.kernel.Close() }

// Again has the kernel ask once more, now, for the host of this address or for the router to it, if it waits for an answer.
func (h *Hand) Again(host netip.Addr) {
	select {
	case h.hosts <- host:
	default:
	}
}

// Run does what Again asks for until the context ends.
func (h *Hand) Run(ctx context.Context) error {
	for told := false; ; {
		select {
		case <-ctx.Done():
			return nil
		case host := <-h.hosts:
			if err := h.again(host); err != nil && !told {
				told = true
				h.log.Warn("neighbour not asked for again", "address", host, "err", err)
			}
		}
	}
}

// again does it for one host. No route, or a device that has just gone, is no error: there is nobody to ask.
func (h *Hand) again(host netip.Addr) error {
	hops, err := h.route(host)
	for _, hop := range hops {
		err = errors.Join(err, h.hurry(hop))
	}
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	for _, gone := range []error{unix.ENETUNREACH, unix.EHOSTUNREACH, unix.ENETDOWN, unix.ENODEV, unix.ENOENT} {
		if errors.Is(err, gone) {
			return nil
		}
	}
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("%w; the agent needs CAP_NET_ADMIN", err)
	}
	return err
}

// hop is who takes a datagram first, and the device behind which it is.
type hop struct {
	device int
	host   net.IP
}

// route returns the first hop to a host: its router, or itself.
func (h *Hand) route(host netip.Addr) ([]hop, error) {
	options := &netlink.RouteGetOptions{Oif: host.Zone()}
	routes, err := h.kernel.RouteGetWithOptions(host.Unmap().AsSlice(), options)
	if err != nil {
		return nil, fmt.Errorf("find the route to %s: %w", host, err)
	}
	var hops []hop
	for _, r := range routes {
		first := hop{device: r.LinkIndex, host: host.Unmap().AsSlice()}
		if via, ok := r.Via.(*netlink.Via); ok { // a router of the other family
			first.host = via.Addr
		} else if len(r.Gw) > 0 {
			first.host = r.Gw
		}
		hops = append(hops, first)
	}
	return hops, nil
}

// hurry begins the kernel's questions anew, where it waits for the answer to one. To delete the entry would do that too, and lose what is
// held back, and end each TCP connection that is being made through it with "no route to host"; as an entry of no state it
// keeps all of that. An answer that comes in between costs one question more.
func (h *Hand) hurry(first hop) error {
	family := unix.AF_INET6
	if first.host.To4() != nil {
		family = unix.AF_INET
	}
	entries, err := h.kernel.NeighListExecute(netlink.Ndmsg{Family: uint8(family), Index: uint32(first.device), State: netlink.NUD_INCOMPLETE})
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) { // what others changed meanwhile is found next time
		return fmt.Errorf("list neighbours: %w", err)
	}
	for _, e := range entries {
		if !e.IP.Equal(first.host) {
			continue
		}
		anew := netlink.Neigh{LinkIndex: first.device, Family: family, IP: e.IP, State: netlink.NUD_NONE}
		if err := h.kernel.NeighSet(&anew); err != nil {
			return fmt.Errorf("reset neighbour %s: %w", e.IP, err)
		}
		anew.Flags = netlink.NTF_USE
		if err := h.kernel.NeighSet(&anew); err != nil {
			return fmt.Errorf("ask for neighbour %s: %w", e.IP, err)
		}
	}
	return nil
}
