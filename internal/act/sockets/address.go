package sockets

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// family is the kernel's word for an address's kind.
func family(addr netip.Addr) int {
	if addr.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// kernelForm is an address as the kernel's calls take it. Zones are names of devices, or their numbers.
func kernelForm(at netip.AddrPort) (unix.Sockaddr, error) {
	addr := at.Addr()
	if addr.Is4() {
		return &unix.SockaddrInet4{Port: int(at.Port()), Addr: addr.As4()}, nil
	}
	form := &unix.SockaddrInet6{Port: int(at.Port()), Addr: addr.As16()}
	if zone := addr.Zone(); zone != "" {
		if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
			form.ZoneId = uint32(n)
			return form, nil
		}
		device, err := net.InterfaceByName(zone)
		if err != nil {
			return nil, fmt.Errorf("find device %s: %w", zone, err)
		}
		form.ZoneId = uint32(device.Index)
	}
	return form, nil
}

// ours is an address that the kernel told; the zero value for what is none. An IPv4 address in IPv6's clothes is undressed.
func ours(form unix.Sockaddr) netip.AddrPort {
	switch form := form.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(form.Addr), uint16(form.Port))
	case *unix.SockaddrInet6:
		return sixth(form.Addr, form.ZoneId, uint16(form.Port))
	}
	return netip.AddrPort{}
}

// oursRaw is the same from the bytes that accept leaves, without an allocation.
func oursRaw(raw *unix.RawSockaddrAny) netip.AddrPort {
	port := func(p *uint16) uint16 { return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(p))[:]) }
	switch raw.Addr.Family {
	case unix.AF_INET:
		form := (*unix.RawSockaddrInet4)(unsafe.Pointer(raw))
		return netip.AddrPortFrom(netip.AddrFrom4(form.Addr), port(&form.Port))
	case unix.AF_INET6:
		form := (*unix.RawSockaddrInet6)(unsafe.Pointer(raw))
		return sixth(form.Addr, form.Scope_id, port(&form.Port))
	}
	return netip.AddrPort{}
}

// sixth is an address of IPv6, with its zone as a number.
func sixth(bytes [16]byte, zone uint32, port uint16) netip.AddrPort {
	addr := netip.AddrFrom16(bytes).Unmap()
	if zone != 0 && addr.Is6() {
		addr = addr.WithZone(strconv.FormatUint(uint64(zone), 10))
	}
	return netip.AddrPortFrom(addr, port)
}

// localOf is the address of a socket's own end.
func localOf(fd int) netip.AddrPort {
	form, err := unix.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}
	}
	return ours(form)
}

// tune sets what every connection has: no waiting for more to send, and the questions after silence. What a listener
// has its connections inherit.
func (l *Loop) tune(fd int) error {
	err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	seconds := int(l.config.KeepAlive.Seconds())
	if err != nil || seconds <= 0 {
		return err
	}
	for _, option := range [][3]int{
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, seconds},
		{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, max(seconds/3, 1)},
		{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 3},
	} {
		if err := unix.SetsockoptInt(fd, option[0], option[1], option[2]); err != nil {
			return err
		}
	}
	return nil
}
