package peermsg

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"time"
	"unicode/utf8"

	"redkeep/internal/words"
)

// wire is one message on its way: each method visits a field, and either writes its value or reads into it. One visit
// serves both directions, so that they can't differ. Writing changes nothing that it visits, since a value may belong
// to several messages. After the first error, the rest is left alone.
//
// Names of nodes and IDs come again and again in one message; each is spelled out once, and later ones point back.
type wire struct {
	writing bool
	buf     []byte // written so far, or left to be read
	err     error
	nodes   []words.Node
	ids     []string
}

// fail keeps the first error.
func (w *wire) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
	}
}

// unsigned visits a number that is mostly small.
func unsigned[T ~uint8 | ~uint16 | ~uint64](w *wire, v *T) {
	if w.err != nil {
		return
	}
	if w.writing {
		w.buf = binary.AppendUvarint(w.buf, uint64(*v))
		return
	}
	n, size := binary.Uvarint(w.buf)
	if size <= 0 || uint64(T(n)) != n {
		w.fail("a number is cut off or too large")
		return
	}
	*v, w.buf = T(n), w.buf[size:]
}

// signed visits a number that may be negative.
func signed[T ~int | ~int64](w *wire, v *T) {
	if w.err != nil {
		return
	}
	if w.writing {
		w.buf = binary.AppendVarint(w.buf, int64(*v))
		return
	}
	n, size := binary.Varint(w.buf)
	if size <= 0 || int64(T(n)) != n {
		w.fail("a number is cut off or too large")
		return
	}
	*v, w.buf = T(n), w.buf[size:]
}

// random visits a number whose bits are all in use.
func (w *wire) random(v *uint64) {
	if w.err != nil {
		return
	}
	if w.writing {
		w.buf = binary.BigEndian.AppendUint64(w.buf, *v)
		return
	}
	if b := w.take(8); b != nil {
		*v = binary.BigEndian.Uint64(b)
	}
}

// duration visits a length of time.
func (w *wire) duration(v *time.Duration) { signed(w, v) }

// choice visits a value of a closed set whose last value is given.
func choice[T ~uint8](w *wire, v *T, last T) {
	unsigned(w, v)
	if *v > last {
		w.fail("%d is beyond its set", *v)
	}
}

// flags visits up to eight truths in one byte.
func (w *wire) flags(vs ...*bool) {
	var bits uint8
	for i, v := range vs {
		if *v {
			bits |= 1 << i
		}
	}
	unsigned(w, &bits)
	if bits>>len(vs) != 0 {
		w.fail("a flag is unknown")
		return
	}
	for i, v := range vs {
		if !w.writing {
			*v = bits&(1<<i) != 0
		}
	}
}

// take returns the next n bytes, which are still the caller's; nil where there are fewer.
func (w *wire) take(n int) []byte {
	if n > len(w.buf) {
		w.fail("%d bytes are missing", n-len(w.buf))
		return nil
	}
	b := w.buf[:n]
	w.buf = w.buf[n:]
	return b
}

// more reports whether a field that was added at a message's end is there: an older release does not send it.
func (w *wire) more() bool { return w.writing || len(w.buf) > 0 }

// count visits the length of a list or a text.
func (w *wire) count(n, most int) int {
	if n > most {
		w.fail("a list or name of %d, at most %d", n, most)
		return 0
	}
	size := uint64(n)
	unsigned(w, &size)
	if w.err == nil && size > uint64(most) {
		w.fail("a list or name of %d, at most %d", size, most)
	}
	if w.err != nil {
		return 0
	}
	return int(size)
}

// plain visits a string that must travel whole.
func plain[T ~string](w *wire, v *T, most int) {
	n := w.count(len(*v), most)
	if w.err != nil {
		return
	}
	if w.writing {
		w.buf = append(w.buf, *v...)
		return
	}
	*v = T(w.take(n))
}

// text visits words for people, of which as much travels as fits.
func (w *wire) text(v *string) {
	if !w.writing {
		plain(w, v, MaxText)
		return
	}
	cut := *v
	if len(cut) > MaxText {
		end := MaxText
		for end > MaxText-utf8.UTFMax && !utf8.RuneStart(cut[end]) {
			end--
		}
		cut = cut[:end]
	}
	plain(w, &cut, MaxText)
}

// node visits the name of a node: 0 for none, 1 before a new name, from 2 on an earlier one.
func (w *wire) node(v *words.Node) {
	const fresh = 1
	ref := uint64(0)
	if w.writing {
		ref = reference(w.nodes, *v, fresh)
	}
	unsigned(w, &ref)
	switch {
	case w.err != nil || ref == 0:
	case ref == fresh:
		plain(w, v, MaxName)
		w.nodes = append(w.nodes, *v)
	case w.writing:
	case ref-fresh > uint64(len(w.nodes)):
		w.fail("a name points at nothing")
	default:
		*v = w.nodes[ref-fresh-1]
	}
}

// idSize is how many bytes the 40 hex characters of a server's ID take.
const idSize = 20

// id visits a run ID or a replication ID: 0 for none, 1 before 20 bytes that are 40 hex characters, 2 before anything
// else, from 3 on an earlier one.
func id[T ~string](w *wire, v *T) {
	const asHex, asText = 1, 2
	ref := uint64(0)
	var raw [idSize]byte
	if w.writing {
		if ref = reference(w.ids, string(*v), asText); ref == asText && unhex(&raw, string(*v)) {
			ref = asHex
		}
	}
	unsigned(w, &ref)
	switch {
	case w.err != nil || ref == 0:
	case ref == asHex && w.writing:
		w.buf = append(w.buf, raw[:]...)
		w.ids = append(w.ids, string(*v))
	case ref == asHex:
		*v = T(hex.EncodeToString(w.take(idSize)))
		w.ids = append(w.ids, string(*v))
	case ref == asText:
		plain(w, v, MaxID)
		w.ids = append(w.ids, string(*v))
	case w.writing:
	case ref-asText > uint64(len(w.ids)):
		w.fail("an ID points at nothing")
	default:
		*v = T(w.ids[ref-asText-1])
	}
}

// reference returns 0 for nothing, fresh for a value that was not told yet, and else the place after fresh.
func reference[T ~string](told []T, v T, fresh uint64) uint64 {
	if v == "" {
		return 0
	}
	for i, t := range told {
		if t == v {
			return fresh + 1 + uint64(i)
		}
	}
	return fresh
}

// unhex fills raw and reports whether the text is what hex.EncodeToString makes of it: capitals are not.
func unhex(raw *[idSize]byte, text string) bool {
	if len(text) != 2*idSize {
		return false
	}
	if _, err := hex.Decode(raw[:], []byte(text)); err != nil {
		return false
	}
	return hex.EncodeToString(raw[:]) == text
}

// addr visits an address with its port: its length (0, 4 or 16), its bytes, the port. A zone is dropped: it means
// something on its own host only.
func (w *wire) addr(v *netip.AddrPort) {
	b := v.Addr().AsSlice()
	n := w.count(len(b), 16)
	port := v.Port()
	switch {
	case w.err != nil:
		return
	case w.writing:
		w.buf = append(w.buf, b...)
	default:
		b = w.take(n)
	}
	unsigned(w, &port)
	if w.writing || w.err != nil {
		return
	}
	a, ok := netip.AddrFromSlice(b)
	if !ok && n > 0 {
		w.fail("an address of %d bytes", n)
		return
	}
	*v = netip.AddrPortFrom(a, port)
}

// list visits each element of a slice. An empty list is read as nil.
func list[T any](w *wire, v *[]T, most int, visit func(*wire, *T)) {
	n := w.count(len(*v), most)
	if w.err != nil {
		return
	}
	if !w.writing && n > 0 {
		*v = make([]T, n)
	}
	for i := range n {
		visit(w, &(*v)[i])
	}
}

// newest visits the last most elements of a slice that is ordered oldest first.
func newest[T any](w *wire, v *[]T, most int, visit func(*wire, *T)) {
	if !w.writing {
		list(w, v, most, visit)
		return
	}
	last := (*v)[max(0, len(*v)-most):]
	list(w, &last, most, visit)
}
