package gate

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// networkOrder is how nftables writes numbers, and how ports lie in packets.
var networkOrder = binary.BigEndian

// bigEndian mends a number that was read as if it were native.
func bigEndian(v uint32) uint32 {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return bits.ReverseBytes32(v)
	}
	return v
}

// splitPorts returns what leads from one sorted list to another: the ports that go, and those that come.
func splitPorts(from, to []uint16) (gone, fresh []uint16) {
	for _, p := range from {
		if !slices.Contains(to, p) {
			gone = append(gone, p)
		}
	}
	for _, p := range to {
		if !slices.Contains(from, p) {
			fresh = append(fresh, p)
		}
	}
	return gone, fresh
}

// shared returns a port that is in both lists.
func shared(a, b []uint16) (uint16, bool) {
	for _, p := range a {
		if slices.Contains(b, p) {
			return p, true
		}
	}
	return 0, false
}
