package neighbour

import "fmt"

// MAC is the hardware address of an Ethernet device.
type MAC [6]byte

// Broadcast is everybody on the segment.
var Broadcast = MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// String prints it as people know it: 02:42:0a:4d:00:0c.
func (m MAC) String() string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}

// The kinds of payload in an Ethernet header that concern us.
const (
	etherARP  = 0x0806
	etherIPv6 = 0x86dd
	// headerLength is that of Ethernet's header: two addresses and the kind of the payload.
	headerLength = 14
)

// appendHeader writes Ethernet's header.
func appendHeader(b []byte, to, from MAC, kind uint16) []byte {
	b = append(b, to[:]...)
	b = append(b, from[:]...)
	return append(b, byte(kind>>8), byte(kind))
}

// header reads Ethernet's header and returns what follows it.
func header(b []byte) (to, from MAC, kind uint16, rest []byte, ok bool) {
	if len(b) < headerLength {
		return to, from, 0, nil, false
	}
	return MAC(b[0:6]), MAC(b[6:12]), uint16(b[12])<<8 | uint16(b[13]), b[headerLength:], true
}
