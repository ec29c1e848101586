package vip

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"redkeep/internal/speak/neighbour"
)

// device is a network device as the kernel last told of it.
type device struct {
	index int
	name  string
	mac   neighbour.MAC
	// up says that it is set up and has a carrier.
	up bool
	// deaf is why nobody can be told or asked there; nil on an Ethernet.
	deaf error
}

// ErrNoSegment says that a device has no neighbours that ARP or neighbour discovery could reach: a loopback, a tunnel.
var ErrNoSegment = errors.New("it is not an Ethernet with ARP: nobody there can be told of an address or asked for it")

// ErrLinkDown says that a device is set down or has no carrier.
var ErrLinkDown = errors.New("it is down")

// newDevice reads what concerns us of a link.
func newDevice(l netlink.Link) device {
	at := l.Attrs()
	d := device{index: at.Index, name: at.Name, up: at.RawFlags&unix.IFF_UP != 0 && at.RawFlags&unix.IFF_LOWER_UP != 0}
	ethernet := at.EncapType == "ether" && len(at.HardwareAddr) == len(d.mac)
	if !ethernet || at.Flags&net.FlagLoopback != 0 || at.RawFlags&unix.IFF_NOARP != 0 {
		d.deaf = fmt.Errorf("%s: %w", d.name, ErrNoSegment)
	}
	if len(at.HardwareAddr) == len(d.mac) {
		d.mac = neighbour.MAC(at.HardwareAddr)
	}
	return d
}

// look reads all devices, and all places where our addresses are.
func (h *Hand) look() error {
	links, err := retry(h.kernel.lists.LinkList)
	if err != nil {
		return fmt.Errorf("list devices: %w", err)
	}
	list, err := retry(func() ([]netlink.Addr, error) { return h.kernel.lists.AddrList(nil, unix.AF_UNSPEC) })
	if err != nil {
		return fmt.Errorf("list addresses: %w", err)
	}
	h.devices = make(map[int]device, len(links))
	for _, l := range links {
		h.devices[l.Attrs().Index] = newDevice(l)
	}
	for _, a := range h.addresses {
		clear(a.places)
		for _, l := range list {
			if ip, ok := netip.AddrFromSlice(l.IP); ok && ip.Unmap() == a.Addr {
				a.places[place{l.LinkIndex, ones(l.IPNet)}] = standing{
					secondary: l.Flags&unix.IFA_F_SECONDARY != 0, forever: uint32(l.ValidLft) == math.MaxUint32,
				}
			}
		}
	}
	return nil
}

// carrier returns the device that an address belongs on, or a *NoDeviceError.
func (h *Hand) carrier(a *address) (device, error) {
	for _, d := range h.devices {
		if d.name == a.Dev {
			return d, nil
		}
	}
	return device{}, &NoDeviceError{a.Dev}
}

// ours reports whether a device of this host has a hardware address: what it says is no claim of a stranger.
func (h *Hand) ours(m neighbour.MAC) bool {
	for _, d := range h.devices {
		if d.mac == m && m != (neighbour.MAC{}) {
			return true
		}
	}
	return false
}

// foreign returns where an address is that others have put there and that can't be taken away.
func (h *Hand) foreign(a *address) error {
	for p := range a.places {
		if !a.removable(p) {
			return fmt.Errorf("%s/%d is on %s as the first address of its subnet, and this host answers for it; give the host its own address there, then `ip address delete` it",
				a.Addr, p.bits, h.devices[p.index].name)
		}
	}
	return nil
}

// unheard returns what keeps the segment from hearing of an address, or us from hearing of it.
func (h *Hand) unheard(a *address) error {
	d, err := h.carrier(a)
	switch {
	case err != nil:
		return err
	case h.segment.mute != nil:
		return h.segment.mute
	case d.deaf != nil:
		return d.deaf
	case !d.up:
		return fmt.Errorf("%s: %w", d.name, ErrLinkDown)
	default:
		return nil
	}
}
