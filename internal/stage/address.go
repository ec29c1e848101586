package stage

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"redkeep/internal/stage/cable"
	"redkeep/internal/stage/ether"
	"redkeep/internal/stage/tap"
)

// AddAddress gives the host's eth0 one more address, as an administrator or another program would: for good, and without
// the search for somebody who has it. It tells nobody; Announce does.
func (h *Host) AddAddress(address netip.Prefix) error {
	return h.change("add "+address.String()+" to", func(route *netlink.Handle, eth0 netlink.Link) error {
		return route.AddrAdd(eth0, of(address))
	})
}

// RemoveAddress takes an address from the host's eth0, by whomever it was added.
func (h *Host) RemoveAddress(address netip.Prefix) error {
	return h.change("remove "+address.String()+" from", func(route *netlink.Handle, eth0 netlink.Link) error {
		return route.AddrDel(eth0, of(address))
	})
}

// HasAddress reports whether the host's eth0 has the address, whatever its prefix.
func (h *Host) HasAddress(address netip.Addr) (has bool, err error) {
	err = h.change("list addresses of", func(route *netlink.Handle, eth0 netlink.Link) error {
		found, err := route.AddrList(eth0, netlink.FAMILY_ALL)
		for _, one := range found {
			if ip, ok := netip.AddrFromSlice(one.IP); ok && ip.Unmap() == address {
				has = true
			}
		}
		return err
	})
	return has, err
}

// SetLink lowers or raises the host's eth0, as `ip link set eth0 down`. IPv6 addresses go with it: the kernel forgets them.
func (h *Host) SetLink(up bool) error {
	return h.change("set link of", func(route *netlink.Handle, eth0 netlink.Link) error {
		if up {
			return route.LinkSetUp(eth0)
		}
		return route.LinkSetDown(eth0)
	})
}

// Announce tells all hosts once that this one has the address, whether it has it or not.
func (h *Host) Announce(address netip.Addr) error {
	var err error
	gone := h.Do(func() {
		var t *tap.Tap
		if t, err = tap.Open(); err != nil {
			return
		}
		defer t.Close()
		err = t.Write(ether.Announce(h.HardwareAddr(), address))
	})
	if err = errors.Join(gone, err); err != nil {
		return fmt.Errorf("announce %s by %s: %w", address, h.name, err)
	}
	return nil
}

// of is an address as the route socket takes it.
func of(address netip.Prefix) *netlink.Addr {
	a := &netlink.Addr{IPNet: &net.IPNet{
		IP: address.Addr().AsSlice(), Mask: net.CIDRMask(address.Bits(), address.Addr().BitLen()),
	}}
	if address.Addr().Is6() {
		a.Flags = unix.IFA_F_NODAD
	}
	return a
}

// change does something with the host's eth0 on the host.
func (h *Host) change(verb string, do func(*netlink.Handle, netlink.Link) error) error {
	var err error
	gone := h.Do(func() {
		var route *netlink.Handle
		if route, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
			return
		}
		defer route.Close()
		var eth0 netlink.Link
		if eth0, err = route.LinkByName(cable.Device); err == nil {
			err = do(route, eth0)
		}
	})
	if err = errors.Join(gone, err); err != nil {
		return fmt.Errorf("%s %s of %s: %w", verb, cable.Device, h.name, err)
	}
	return nil
}
