package seal

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// MaxDatagram is the length of the longest datagram in bytes. It passes every path without fragments (IPv6 promises
// 1,280), so a lost fragment never costs a whole heartbeat.
const MaxDatagram = 1200

// The layout of a datagram, all numbers big-endian:
//
//	 0  2  "RK"
//	 2  1  version
//	 3  1  kind
//	 4  8  sender's session
//	12  8  sender's nonce, random at each start
//	20  8  receiver's session as last heard by the sender, 0 if never
//	28  8  receiver's nonce as last heard by the sender
//	36  8  counter, strictly increasing within (sender's session, receiver)
//	44  1  length of the sender's name
//	45  n  sender's name
//	    m  body
//	   16  tag of all before it
const (
	version      = 1
	fixedHeader  = 45
	datagramCost = fixedHeader + tagSize
)

// The kinds of datagrams. A hello carries no payload: it tells the receiver which session and nonce to echo.
const (
	kindData  = 1
	kindHello = 2
)

// errShape is deliberately terse: what a stranger sends is counted, not described.
var errShape = errors.New("read datagram: not one of ours")

// header is what a datagram says before its body.
type header struct {
	kind        byte
	session     uint64
	nonce       uint64
	echoSession uint64
	echoNonce   uint64
	counter     uint64
}

// appendDatagram appends a whole datagram, tag included.
func appendDatagram(dst []byte, k *key, name string, h header, body []byte) []byte {
	start := len(dst)
	dst = append(dst, 'R', 'K', version, h.kind)
	for _, n := range [...]uint64{h.session, h.nonce, h.echoSession, h.echoNonce, h.counter} {
		dst = binary.BigEndian.AppendUint64(dst, n)
	}
	dst = append(dst, byte(len(name)))
	dst = append(dst, name...)
	dst = append(dst, body...)
	return k.appendTag(dst, 0, dst[start:])
}

// Sender returns the name that a datagram claims to come from, sharing its memory. Nothing is proven by it: it selects
// the Link whose key must then agree. The error says only that the bytes are no datagram of this version.
func Sender(packet []byte) ([]byte, error) {
	if len(packet) < datagramCost || len(packet) > MaxDatagram || packet[0] != 'R' || packet[1] != 'K' {
		return nil, errShape
	}
	if packet[2] != version {
		return nil, fmt.Errorf("read datagram: version %d, this agent speaks %d; run the same release on all nodes",
			packet[2], version)
	}
	size := int(packet[fixedHeader-1])
	if size == 0 || size > MaxName || datagramCost+size > len(packet) {
		return nil, errShape
	}
	return packet[fixedHeader : fixedHeader+size], nil
}

// parseDatagram splits a datagram whose Sender was read without an error. The body shares its memory.
func parseDatagram(packet []byte) (h header, signed, body, tag []byte) {
	h.kind = packet[3]
	for i, n := range [...]*uint64{&h.session, &h.nonce, &h.echoSession, &h.echoNonce, &h.counter} {
		*n = binary.BigEndian.Uint64(packet[4+8*i:])
	}
	end := len(packet) - tagSize
	return h, packet[:end], packet[fixedHeader+int(packet[fixedHeader-1]) : end], packet[end:]
}
