package reach

import "encoding/binary"

// The types of an echo.
const (
	request4, reply4 = 8, 0
	request6, reply6 = 128, 129
)

// length is that of an echo without data.
const length = 8

// appendEcho prints a request. Its checksum is the kernel's business in IPv6.
func appendEcho(b []byte, v6 bool, id, seq uint16) []byte {
	kind := byte(request4)
	if v6 {
		kind = request6
	}
	start := len(b)
	b = append(b, kind, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, id)
	b = binary.BigEndian.AppendUint16(b, seq)
	if !v6 {
		binary.BigEndian.PutUint16(b[start+2:], checksum(b[start:]))
	}
	return b
}

// parseReply reads an answer; ok is false for everything else.
func parseReply(b []byte, v6 bool) (id, seq uint16, ok bool) {
	kind := byte(reply4)
	if v6 {
		kind = reply6
	}
	if len(b) < length || b[0] != kind || b[1] != 0 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:]), true
}

// checksum is RFC 1071's.
func checksum(b []byte) uint16 {
	sum := uint32(0)
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}
