package vip

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// TakeOff takes those of the addresses off this host, in the present network namespace, that an agent before this one has left,
// and returns which those were. Ours are known by being a subnet of their own and having a life: one that a person has given the
// host for good stays.
func TakeOff(addrs []netip.Addr) (gone []netip.Addr, err error) {
	if len(addrs) == 0 {
		return nil, nil
	}
	k, err := connect(nil)
	if err != nil {
		return nil, fmt.Errorf("take addresses off: %w", err)
	}
	defer k.close()
	list, err := retry(func() ([]netlink.Addr, error) { return k.lists.AddrList(nil, unix.AF_UNSPEC) })
	if err != nil {
		return nil, fmt.Errorf("take addresses off: list addresses: %w", err)
	}
	var failed []error
	for _, l := range list {
		addr, ok := netip.AddrFromSlice(l.IP)
		addr = addr.Unmap()
		if !ok || !slices.Contains(addrs, addr) || ones(l.IPNet) != addr.BitLen() || uint32(l.ValidLft) == math.MaxUint32 {
			continue
		}
		if was, err := k.drop(addr, place{l.LinkIndex, addr.BitLen()}); err != nil {
			failed = append(failed, err)
		} else if was {
			gone = append(gone, addr)
		}
	}
	return gone, errors.Join(failed...)
}
