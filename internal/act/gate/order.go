package gate

import (
	"encoding/binary"
	"math/bits"
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
