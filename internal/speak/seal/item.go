package seal

import (
	"encoding/binary"
	"errors"
)

// itemOverhead is what an item costs in a datagram beyond its own bytes.
const itemOverhead = 2

var errItems = errors.New("read items: lengths do not add up")

// AppendItem appends one item to a datagram's body. The item must fit (see Link.Room), which keeps its length below
// 65,536.
func AppendItem(body, item []byte) []byte {
	body = binary.BigEndian.AppendUint16(body, uint16(len(item)))
	return append(body, item...)
}

// ItemSize returns what an item takes up in a body, in bytes.
func ItemSize(item []byte) int { return itemOverhead + len(item) }

// Items appends the items of a body to dst and returns it. The items share the body's memory. A body whose lengths do
// not add up is an error, and nothing of it is returned.
func Items(dst [][]byte, body []byte) ([][]byte, error) {
	items := dst
	for len(body) > 0 {
		if len(body) < itemOverhead {
			return dst, errItems
		}
		size := int(binary.BigEndian.Uint16(body))
		if body = body[itemOverhead:]; size > len(body) {
			return dst, errItems
		}
		items = append(items, body[:size:size])
		body = body[size:]
	}
	return items, nil
}
