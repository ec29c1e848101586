package link

import (
	"net/netip"
	"slices"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// concerns reports whether a message may be about what is told. A virtual address is renewed several times a second.
func (h *Hand) concerns(m syscall.NetlinkMessage) bool {
	switch m.Header.Type {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		return true
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		addr, ok := address(m.Data)
		return !ok || !slices.Contains(h.cfg.Virtual, addr)
	}
	return false
}

// address reads the address that an ifaddrmsg is about.
func address(data []byte) (addr netip.Addr, ok bool) {
	if len(data) < unix.SizeofIfAddrmsg {
		return addr, false
	}
	attrs, err := nl.ParseRouteAttr(data[unix.SizeofIfAddrmsg:])
	if err != nil {
		return addr, false
	}
	for _, a := range attrs {
		switch a.Attr.Type {
		case unix.IFA_LOCAL:
			addr, ok = netip.AddrFromSlice(a.Value)
		case unix.IFA_ADDRESS: // That of the other end, where there is one.
			if !ok {
				addr, ok = netip.AddrFromSlice(a.Value)
			}
		}
	}
	return addr.Unmap(), ok
}
