package gate

import (
	"encoding/binary"
	"errors"
	"math"

	"golang.org/x/sys/unix"
)

// message is a string of netlink messages under construction. It is written front to back, without closures and copies: an
// agent tells the kernel of slots twenty times a second, for ever.
type message struct {
	text []byte
	err  error
	// last is where the last message begins, plus one; 0 where there is none.
	last int
}

var errLong = errors.New("longer than netlink can say")

// begin begins a message, which end ends.
func (m *message) begin(kind, flags uint16, family byte, resource uint16) {
	m.last = len(m.text) + 1
	m.text = append(m.text, make([]byte, unix.NLMSG_HDRLEN)...)
	binary.NativeEndian.PutUint16(m.text[m.last-1+4:], kind)
	binary.NativeEndian.PutUint16(m.text[m.last-1+6:], unix.NLM_F_REQUEST|flags)
	// The header that each message of the subsystem begins with.
	m.text = networkOrder.AppendUint16(append(m.text, family, unix.NFNETLINK_V0), resource)
}

func (m *message) end() {
	binary.NativeEndian.PutUint32(m.text[m.last-1:], uint32(len(m.text)-m.last+1))
}

// acknowledge has the kernel answer the last message.
func (m *message) acknowledge() { m.flag(m.last-1, unix.NLM_F_ACK) }

func (m *message) flag(at int, flag uint16) {
	old := binary.NativeEndian.Uint16(m.text[at+6:])
	binary.NativeEndian.PutUint16(m.text[at+6:], old|flag)
}

// number gives all messages a number, by which their answers are known.
func (m *message) number(seq uint32) {
	for at := 0; at < len(m.text); at += int(binary.NativeEndian.Uint32(m.text[at:])) {
		binary.NativeEndian.PutUint32(m.text[at+8:], seq)
	}
}

// open begins an attribute and returns where; shut ends it there.
func (m *message) open(kind uint16) int {
	at := len(m.text)
	m.text = binary.NativeEndian.AppendUint16(append(m.text, 0, 0), kind)
	return at
}

func (m *message) nest(kind uint16) int { return m.open(kind | unix.NLA_F_NESTED) }

func (m *message) shut(at int) {
	length := len(m.text) - at
	if length > math.MaxUint16 {
		m.err = errLong
	}
	binary.NativeEndian.PutUint16(m.text[at:], uint16(length))
	for len(m.text)%unix.NLA_ALIGNTO != 0 {
		m.text = append(m.text, 0)
	}
}

func (m *message) bytes(kind uint16, data []byte) {
	at := m.open(kind)
	m.text = append(m.text, data...)
	m.shut(at)
}

func (m *message) string(kind uint16, s string) {
	at := m.open(kind)
	m.text = append(append(m.text, s...), 0)
	m.shut(at)
}

func (m *message) uint32(kind uint16, v uint32) {
	at := m.open(kind)
	m.text = networkOrder.AppendUint32(m.text, v)
	m.shut(at)
}

func (m *message) uint64(kind uint16, v uint64) {
	at := m.open(kind)
	m.text = networkOrder.AppendUint64(m.text, v)
	m.shut(at)
}
