package advert

import "net/netip"

// pseudo is the sum of the pseudo-header: both addresses, the length, and the protocol.
func pseudo(src, dst netip.Addr, length int) uint32 {
	total := uint32(length) + Protocol
	for _, a := range [2]netip.Addr{src, dst} {
		if a.Is4() {
			four := a.As4()
			total += words16(four[:])
			continue
		}
		sixteen := a.As16()
		total += words16(sixteen[:])
	}
	return total
}

// sum is the Internet's checksum before its bits are turned. Of a message with its right checksum in it, it is 0xffff.
func sum(message []byte, initial uint32) uint16 {
	total := initial + words16(message)
	for total > 0xffff {
		total = total>>16 + total&0xffff
	}
	return uint16(total)
}

// words16 adds up; a message of MaxLength does not overflow it. All lengths that are summed up are even.
func words16(b []byte) (total uint32) {
	for i := 0; i+1 < len(b); i += 2 {
		total += uint32(b[i])<<8 | uint32(b[i+1])
	}
	return total
}
