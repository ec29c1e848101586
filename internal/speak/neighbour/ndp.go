package neighbour

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// NDP is an Ethernet frame with a neighbour solicitation or advertisement. Addresses that are not IPv6 are written as ::.
type NDP struct {
	// To and From are of the frame, not of the message.
	To, From MAC
	Src, Dst netip.Addr
	// Advertisement tells; otherwise it is a solicitation, which asks.
	Advertisement bool
	// Router, Solicited and Override are of an advertisement. Override replaces what others have in their caches.
	Router, Solicited, Override bool
	// Target is the address that it is about.
	Target netip.Addr
	// Link is the option that says where the target (in an advertisement) or the source (in a solicitation) is; all
	// zeroes is no option.
	Link MAC
}

// ErrNotNDP says that a frame is neither a solicitation nor an advertisement, or not one that RFC 4861 lets a host
// believe: another hop limit than 255 came from beyond the segment.
var ErrNotNDP = errors.New("read frame: not a valid neighbour solicitation or advertisement")

const (
	ipv6Length    = 40
	icmpv6        = 58
	hopLimit      = 255
	solicitation  = 135
	advertisement = 136
	// messageLength is that of both without options: type, code, checksum, flags, target.
	messageLength = 24
	optionLength  = 8
	sourceOption  = 1
	targetOption  = 2
)

// The flags of an advertisement, in the byte that follows the checksum.
const (
	flagRouter    = 0x80
	flagSolicited = 0x40
	flagOverride  = 0x20
)

// Append writes the frame, with its checksum.
func (n NDP) Append(b []byte) []byte {
	length := messageLength
	if n.Link != (MAC{}) {
		length += optionLength
	}
	src, dst := sixteen(n.Src), sixteen(n.Dst)
	b = appendHeader(b, n.To, n.From, etherIPv6)
	b = append(b, 0x60, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(length))
	b = append(b, icmpv6, hopLimit)
	b = append(b, src[:]...)
	b = append(b, dst[:]...)
	at := len(b)
	b = n.appendMessage(b)
	binary.BigEndian.PutUint16(b[at+2:], ^sum(src, dst, b[at:]))
	return b
}

// appendMessage writes what is of ICMPv6, with a checksum of zero.
func (n NDP) appendMessage(b []byte) []byte {
	kind, option, flags := byte(solicitation), byte(sourceOption), byte(0)
	if n.Advertisement {
		kind, option, flags = advertisement, targetOption, n.flags()
	}
	target := sixteen(n.Target)
	b = append(b, kind, 0, 0, 0, flags, 0, 0, 0)
	b = append(b, target[:]...)
	if n.Link != (MAC{}) {
		b = append(b, option, optionLength/8)
		b = append(b, n.Link[:]...)
	}
	return b
}

func (n NDP) flags() byte {
	var f byte
	for bit, set := range map[byte]bool{flagRouter: n.Router, flagSolicited: n.Solicited, flagOverride: n.Override} {
		if set {
			f |= bit
		}
	}
	return f
}

// ParseNDP reads a frame, and checks what RFC 4861, section 7.1, has a host check. The error is ErrNotNDP.
func ParseNDP(b []byte) (NDP, error) {
	to, from, kind, p, ok := header(b)
	if !ok || kind != etherIPv6 || len(p) < ipv6Length+messageLength || p[0]>>4 != 6 || p[6] != icmpv6 || p[7] != hopLimit {
		return NDP{}, ErrNotNDP
	}
	src, dst := [16]byte(p[8:24]), [16]byte(p[24:40])
	length := int(binary.BigEndian.Uint16(p[4:]))
	if length < messageLength || length > len(p)-ipv6Length {
		return NDP{}, ErrNotNDP
	}
	m := p[ipv6Length : ipv6Length+length]
	if sum(src, dst, m) != 0xffff || m[1] != 0 || m[0] != solicitation && m[0] != advertisement {
		return NDP{}, ErrNotNDP
	}
	n := NDP{
		To: to, From: from, Src: netip.AddrFrom16(src), Dst: netip.AddrFrom16(dst),
		Advertisement: m[0] == advertisement, Target: netip.AddrFrom16([16]byte(m[8:24])),
	}
	option := byte(sourceOption)
	if n.Advertisement {
		n.Router, n.Solicited, n.Override = m[4]&flagRouter != 0, m[4]&flagSolicited != 0, m[4]&flagOverride != 0
		option = targetOption
	}
	if n.Link, ok = link(m[messageLength:], option); !ok {
		return NDP{}, ErrNotNDP
	}
	return n, nil
}

// link finds the option with a hardware address. An option without a length makes the whole message invalid.
func link(options []byte, kind byte) (m MAC, ok bool) {
	for len(options) > 0 {
		if len(options) < 2 || options[1] == 0 || int(options[1])*8 > len(options) {
			return MAC{}, false
		}
		length := int(options[1]) * 8
		if options[0] == kind && length == optionLength {
			m = MAC(options[2:8])
		}
		options = options[length:]
	}
	return m, true
}

// sum is the checksum of RFC 4443 before its bits are turned, over the message and the pseudo-header; of a message with
// its right checksum in it, it is 0xffff.
func sum(src, dst [16]byte, message []byte) uint16 {
	total := uint32(len(message)) + icmpv6
	for _, part := range [][]byte{src[:], dst[:], message} {
		for i := 0; i+1 < len(part); i += 2 {
			total += uint32(part[i])<<8 | uint32(part[i+1])
		}
		if len(part)%2 == 1 {
			total += uint32(part[len(part)-1]) << 8
		}
	}
	for total > 0xffff {
		total = total>>16 + total&0xffff
	}
	return uint16(total)
}

func sixteen(a netip.Addr) [16]byte {
	if a.Is6() {
		return a.As16()
	}
	return [16]byte{}
}
