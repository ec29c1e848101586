package ether

import (
	"encoding/binary"
	"net"
	"net/netip"
)

// Kind is the way in which a host shows that it has an address.
type Kind uint8

// The ways in which a host shows that it has an address.
const (
	// Asks is an ARP request that comes from the address, a gratuitous one above all.
	Asks Kind = iota + 1
	// Replies is an ARP reply.
	Replies
	// Advertises is a neighbour advertisement.
	Advertises
	// Accepts is the answer to the first packet of a TCP connection: there is a server.
	Accepts
	// Resets is a TCP reset: somebody has the address, and no server for us. A shut gate answers so.
	Resets
)

// String names the kind for a log.
func (k Kind) String() string {
	names := [...]string{Asks: "asks", Replies: "replies", Advertises: "advertises", Accepts: "accepts", Resets: "resets"}
	if k == 0 || int(k) >= len(names) {
		return "says nothing"
	}
	return names[k]
}

// Claim is what a frame says: this hardware address has that address.
type Claim struct {
	Kind     Kind
	Addr     netip.Addr
	Hardware [6]byte
	// Port is that of the host which the frame is for, and Ack the sequence number that it acknowledges; of TCP only.
	Port uint16
	Ack  uint32
}

const (
	headerLength = 14
	arpLength    = 28
)

// Parse reads a frame as it was received. It returns false for one that claims no address. It does not look at
// checksums, which a virtual cable leaves to be made by a card that is not there.
func Parse(f []byte) (Claim, bool) {
	if len(f) < headerLength {
		return Claim{}, false
	}
	c := Claim{Hardware: [6]byte(f[6:12])}
	body := f[headerLength:]
	switch binary.BigEndian.Uint16(f[12:]) {
	case typeARP:
		return c.arp(body)
	case typeIPv4:
		return c.ipv4(body)
	case typeIPv6:
		return c.ipv6(body)
	}
	return c, false
}

// arp reads ARP for IPv4 over Ethernet. A probe, whose sender has no address, claims none.
func (c Claim) arp(b []byte) (Claim, bool) {
	if len(b) < arpLength || [6]byte(b[:6]) != [6]byte{0, 1, 8, 0, 6, 4} {
		return c, false
	}
	switch binary.BigEndian.Uint16(b[6:]) {
	case arpRequest:
		c.Kind = Asks
	case arpReply:
		c.Kind = Replies
	default:
		return c, false
	}
	c.Hardware = [6]byte(b[8:14])
	c.Addr = netip.AddrFrom4([4]byte(b[14:18]))
	return c, !c.Addr.IsUnspecified()
}

func (c Claim) ipv4(b []byte) (Claim, bool) {
	if len(b) < 20 {
		return c, false
	}
	length, total := int(b[0]&0x0f)*4, int(binary.BigEndian.Uint16(b[2:]))
	if b[0]>>4 != 4 || length < 20 || total < length || total > len(b) || b[9] != protocolTCP {
		return c, false
	}
	c.Addr = netip.AddrFrom4([4]byte(b[12:16]))
	return c.tcp(b[length:total])
}

func (c Claim) ipv6(b []byte) (Claim, bool) {
	if len(b) < 40 || b[0]>>4 != 6 || int(binary.BigEndian.Uint16(b[4:])) > len(b)-40 {
		return c, false
	}
	c.Addr = netip.AddrFrom16([16]byte(b[8:24]))
	body := b[40:]
	switch b[6] {
	case protocolTCP:
		return c.tcp(body)
	case protocolICMPv6:
		return c.advertisement(body)
	}
	return c, false
}

// advertisement reads a neighbour advertisement, whose target and not whose sender is what is claimed.
func (c Claim) advertisement(b []byte) (Claim, bool) {
	if len(b) < 24 || b[0] != neighbourAdvertisement {
		return c, false
	}
	c.Kind, c.Addr = Advertises, netip.AddrFrom16([16]byte(b[8:24]))
	for o := b[24:]; len(o) >= 8 && o[1] > 0 && len(o) >= int(o[1])*8; o = o[int(o[1])*8:] {
		if o[0] == optionTarget {
			c.Hardware = [6]byte(o[2:8])
		}
	}
	return c, true
}

func (c Claim) tcp(b []byte) (Claim, bool) {
	if len(b) < 20 {
		return c, false
	}
	c.Port, c.Ack = binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[8:])
	switch flags := b[13]; {
	case flags&flagRST != 0:
		c.Kind = Resets
	case flags&(flagSYN|flagACK) == flagSYN|flagACK:
		c.Kind = Accepts
	default:
		return c, false
	}
	return c, true
}

// MAC returns the hardware address as the standard library has it.
func (c Claim) MAC() net.HardwareAddr { return c.Hardware[:] }
