package vip

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// NoSubnetError says that an address is in the subnet of none of this host's devices.
type NoSubnetError struct{ Addr netip.Addr }

// Error says what to do about it.
func (e *NoSubnetError) Error() string {
	return fmt.Sprintf("%s is in no subnet of this host's devices; name the device with vip: {address: %s, dev: NAME}", e.Addr, e.Addr)
}

// NoDeviceError says that this host has no network device of that name.
type NoDeviceError struct{ Dev string }

// Error says what to do about it.
func (e *NoDeviceError) Error() string {
	return fmt.Sprintf("no network device is called %s; `ip link` lists those that there are", e.Dev)
}

// FindDevice returns the name of the device in whose subnet an address is: the narrowest subnet, then the connected route
// with the lowest metric, then the device that came first. Addresses that are a subnet of their own (/32, /128) do not
// count, or a left over virtual address would find itself. An error may be a *NoSubnetError.
func FindDevice(addr netip.Addr) (string, error) {
	family, all := unix.AF_INET, 32
	if addr.Is6() {
		family, all = unix.AF_INET6, 128
	}
	if addr.IsLinkLocalUnicast() {
		return "", fmt.Errorf("find device of %s: every device has that subnet: %w", addr, &NoSubnetError{addr})
	}
	list, err := retry(func() ([]netlink.Addr, error) { return netlink.AddrList(nil, family) })
	if err != nil {
		return "", fmt.Errorf("list addresses: %w", err)
	}
	type candidate struct{ bits, index, metric int }
	var found []candidate
	for _, a := range list {
		if bits := ones(a.IPNet); bits < all && a.Contains(addr.AsSlice()) {
			found = append(found, candidate{bits: bits, index: a.LinkIndex})
		}
	}
	if len(found) == 0 {
		return "", &NoSubnetError{addr}
	}
	if len(found) > 1 {
		metrics := connected(addr, family)
		for i, c := range found {
			found[i].metric = metrics[c.index]
		}
	}
	best := slices.MinFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.bits, a.bits), cmp.Compare(a.metric, b.metric), cmp.Compare(a.index, b.index))
	})
	link, err := netlink.LinkByIndex(best.index)
	if err != nil {
		return "", fmt.Errorf("find device of %s: %w", addr, err)
	}
	return link.Attrs().Name, nil
}

// HasDevice returns a *NoDeviceError where this host has no network device of that name.
func HasDevice(dev string) error {
	_, err := netlink.LinkByName(dev)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return &NoDeviceError{dev}
	}
	if err != nil {
		return fmt.Errorf("find device %s: %w", dev, err)
	}
	return nil
}

// connected returns, by device, the lowest metric of the routes that lead straight to an address. It only decides between
// devices, so that routes which can't be read are none.
func connected(addr netip.Addr, family int) map[int]int {
	routes, _ := retry(func() ([]netlink.Route, error) { return netlink.RouteList(nil, family) })
	metrics := map[int]int{}
	for _, r := range routes {
		if r.Gw != nil || r.Dst == nil || !r.Dst.Contains(addr.AsSlice()) {
			continue
		}
		if m, ok := metrics[r.LinkIndex]; !ok || r.Priority < m {
			metrics[r.LinkIndex] = r.Priority
		}
	}
	return metrics
}

// attempts bounds how often a list that raced with a change is read again.
const attempts = 5

// retry reads a list until no change has come between; after some attempts, what there is.
func retry[T any](list func() ([]T, error)) (out []T, err error) {
	for range attempts {
		if out, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return out, err
		}
	}
	return out, nil
}

func ones(n *net.IPNet) int {
	bits, _ := n.Mask.Size()
	return bits
}

// Foreign returns the device on which this host has an address for good, or "": what Redkeep puts on ends by itself.
func Foreign(addr netip.Addr) (dev string, err error) {
	family := unix.AF_INET
	if addr.Is6() {
		family = unix.AF_INET6
	}
	list, err := retry(func() ([]netlink.Addr, error) { return netlink.AddrList(nil, family) })
	if err != nil {
		return "", fmt.Errorf("list addresses: %w", err)
	}
	for _, a := range list {
		if a.Flags&unix.IFA_F_PERMANENT == 0 || !a.IP.Equal(addr.AsSlice()) {
			continue
		}
		link, err := netlink.LinkByIndex(a.LinkIndex)
		if err != nil {
			return "", fmt.Errorf("find device of %s: %w", addr, err)
		}
		return link.Attrs().Name, nil
	}
	return "", nil
}
