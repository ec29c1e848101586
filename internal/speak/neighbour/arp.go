package neighbour

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// Op is what an ARP packet is.
type Op uint16

// The operations of RFC 826. Others are read too; they mean nothing here.
const (
	Request Op = 1
	Reply   Op = 2
)

// ARP is an Ethernet frame with an ARP packet for IPv4. Addresses that are not IPv4 are written as 0.0.0.0.
type ARP struct {
	// To and From are of the frame, not of the packet.
	To, From  MAC
	Op        Op
	SenderMAC MAC
	// Sender is 0.0.0.0 in a probe.
	Sender netip.Addr
	// TargetMAC is ignored in requests, where RFC 5227 wants zeroes.
	TargetMAC MAC
	Target    netip.Addr
}

// ErrNotARP says that a frame is not ARP between Ethernet and IPv4.
var ErrNotARP = errors.New("read frame: not ARP for IPv4 on Ethernet")

// arpLength is that of the packet without the frame's header and padding.
const arpLength = 28

// arpKind is how each such packet begins: Ethernet, IPv4, and the lengths of their addresses.
var arpKind = [6]byte{0, 1, 0x08, 0, 6, 4}

// Append writes the frame, without padding: the driver adds what its link needs.
func (a ARP) Append(b []byte) []byte {
	sender, target := four(a.Sender), four(a.Target)
	b = appendHeader(b, a.To, a.From, etherARP)
	b = append(b, arpKind[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(a.Op))
	b = append(b, a.SenderMAC[:]...)
	b = append(b, sender[:]...)
	b = append(b, a.TargetMAC[:]...)
	return append(b, target[:]...)
}

// ParseARP reads a frame. What follows the packet is padding. The error is ErrNotARP.
func ParseARP(b []byte) (ARP, error) {
	to, from, kind, p, ok := header(b)
	if !ok || kind != etherARP || len(p) < arpLength || [6]byte(p) != arpKind {
		return ARP{}, ErrNotARP
	}
	return ARP{
		To: to, From: from,
		Op:        Op(binary.BigEndian.Uint16(p[6:])),
		SenderMAC: MAC(p[8:14]), Sender: netip.AddrFrom4([4]byte(p[14:18])),
		TargetMAC: MAC(p[18:24]), Target: netip.AddrFrom4([4]byte(p[24:28])),
	}, nil
}

func four(a netip.Addr) [4]byte {
	if a = a.Unmap(); a.Is4() {
		return a.As4()
	}
	return [4]byte{}
}
