package ether

import (
	"encoding/binary"
	"net"
	"net/netip"
)

// Broadcast is every host's hardware address.
var Broadcast = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// EtherTypes, protocols and operations, as their registries number them.
const (
	typeIPv4 = 0x0800
	typeARP  = 0x0806
	typeIPv6 = 0x86dd

	arpRequest = 1
	arpReply   = 2

	protocolTCP    = 6
	protocolICMPv6 = 58

	neighbourSolicitation  = 135
	neighbourAdvertisement = 136

	optionSource = 1
	optionTarget = 2

	flagSYN = 0x02
	flagRST = 0x04
	flagACK = 0x10
)

// Ask is the question who has an address, sent to all by a host that has another: an ARP request, or a neighbour
// solicitation. Both addresses must be of one family.
func Ask(hardware net.HardwareAddr, own, target netip.Addr) []byte {
	if target.Is4() {
		return arp(hardware, arpRequest, own, target)
	}
	// The group that everybody with such an address is in: its last three bytes, after ff02::1:ff00:0/104.
	last := target.As16()
	group := netip.AddrFrom16([16]byte{0: 0xff, 1: 0x02, 11: 1, 12: 0xff, 13: last[13], 14: last[14], 15: last[15]})
	return neighbour(hardware, own, group, neighbourSolicitation, 0, target, optionSource)
}

// Announce tells all that the host has the address: a gratuitous ARP in the form of a request, or an unsolicited
// neighbour advertisement that overrides what others remember.
func Announce(hardware net.HardwareAddr, address netip.Addr) []byte {
	if address.Is4() {
		return arp(hardware, arpRequest, address, address)
	}
	const override = 1 << 29
	everybody := netip.AddrFrom16([16]byte{0: 0xff, 1: 0x02, 15: 1})
	return neighbour(hardware, address, everybody, neighbourAdvertisement, override, address, optionTarget)
}

// arp makes an ARP packet to everybody.
func arp(hardware net.HardwareAddr, operation uint16, sender, target netip.Addr) []byte {
	f := header(Broadcast, hardware, typeARP)
	f = append(f, 0, 1, 8, 0, 6, 4) // Ethernet and IPv4, with the lengths of their addresses
	f = binary.BigEndian.AppendUint16(f, operation)
	f = append(append(f, hardware...), sender.AsSlice()...)
	return append(append(f, make([]byte, 6)...), target.AsSlice()...)
}

// neighbour makes a packet of neighbour discovery to a group, with one option: the sender's hardware address.
func neighbour(hardware net.HardwareAddr, from, group netip.Addr, kind byte, flags uint32, target netip.Addr, option byte) []byte {
	to := group.As16()
	body := binary.BigEndian.AppendUint32([]byte{kind, 0, 0, 0}, flags)
	body = append(append(body, target.AsSlice()...), option, 1) // one unit of eight bytes
	body = append(body, hardware...)
	seal(body, 2, from, group, protocolICMPv6)
	f := header(net.HardwareAddr{0x33, 0x33, to[12], to[13], to[14], to[15]}, hardware, typeIPv6)
	return append(ip(f, from, group, protocolICMPv6, len(body)), body...)
}

// Knock is the first packet of a TCP connection, to one hardware address whatever the caches say.
func Knock(hardware, door net.HardwareAddr, from, to netip.AddrPort, sequence uint32) []byte {
	return segment(hardware, door, from, to, sequence, flagSYN)
}

// HangUp resets the connection that a Knock began, so that who answered forgets it.
func HangUp(hardware, door net.HardwareAddr, from, to netip.AddrPort, sequence uint32) []byte {
	return segment(hardware, door, from, to, sequence, flagRST)
}

func segment(hardware, door net.HardwareAddr, from, to netip.AddrPort, sequence uint32, flags byte) []byte {
	body := binary.BigEndian.AppendUint16(nil, from.Port())
	body = binary.BigEndian.AppendUint16(body, to.Port())
	body = binary.BigEndian.AppendUint32(body, sequence)
	body = append(body, 0, 0, 0, 0, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0) // a header of five words, a wide window
	seal(body, 16, from.Addr(), to.Addr(), protocolTCP)
	kind := uint16(typeIPv4)
	if to.Addr().Is6() {
		kind = typeIPv6
	}
	return append(ip(header(door, hardware, kind), from.Addr(), to.Addr(), protocolTCP, len(body)), body...)
}

func header(to, from net.HardwareAddr, kind uint16) []byte {
	f := append(append(make([]byte, 0, 96), to...), from...)
	return binary.BigEndian.AppendUint16(f, kind)
}

// ip appends a header for so many bytes. Its hop limit is 255, which neighbour discovery demands and others allow.
func ip(f []byte, from, to netip.Addr, protocol byte, length int) []byte {
	if to.Is6() {
		f = append(f, 6<<4, 0, 0, 0)
		f = binary.BigEndian.AppendUint16(f, uint16(length))
		f = append(f, protocol, 255)
		return append(append(f, from.AsSlice()...), to.AsSlice()...)
	}
	h := binary.BigEndian.AppendUint16([]byte{4<<4 | 5, 0}, uint16(20+length))
	h = append(h, 0, 0, 0x40, 0, 255, protocol, 0, 0) // not to be cut into pieces
	h = append(append(h, from.AsSlice()...), to.AsSlice()...)
	binary.BigEndian.PutUint16(h[10:], ^fold(sum(0, h)))
	return append(f, h...)
}

// seal puts the checksum of a TCP or ICMPv6 packet at its place.
func seal(body []byte, place int, from, to netip.Addr, protocol byte) {
	s := sum(sum(0, from.AsSlice()), to.AsSlice()) + uint32(protocol) + uint32(len(body))
	binary.BigEndian.PutUint16(body[place:], ^fold(sum(s, body)))
}

// sum adds words of 16 bits; the length must be even.
func sum(s uint32, b []byte) uint32 {
	for ; len(b) > 1; b = b[2:] {
		s += uint32(binary.BigEndian.Uint16(b))
	}
	return s
}

func fold(s uint32) uint16 {
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}
