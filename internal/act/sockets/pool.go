package sockets

import "math/bits"

// The pool's buffers have 512 bytes and its doublings up to 64 KB; larger ones are the garbage collector's.
const (
	smallest = 9
	largest  = 16
	// spare is how many bytes of each size stay with the pool.
	spare = 1 << 20
)

// pool keeps buffers between uses, so that a connection has one only while bytes wait. It belongs to the loop's goroutine.
type pool struct {
	free [largest - smallest + 1][][]byte
}

// extend appends to a buffer of the pool, or to none, and returns the buffer that holds both.
func (p *pool) extend(to, more []byte) []byte {
	need := len(to) + len(more)
	if need > cap(to) {
		grown := append(p.take(need), to...)
		p.give(to)
		to = grown
	}
	return append(to, more...)
}

// take returns an empty buffer with room for n bytes, at least.
func (p *pool) take(n int) []byte {
	class := max(bits.Len(uint(n-1)), smallest)
	if class > largest {
		return make([]byte, 0, 1<<class)
	}
	free := &p.free[class-smallest]
	if last := len(*free) - 1; last >= 0 {
		b := (*free)[last]
		*free = (*free)[:last]
		return b
	}
	return make([]byte, 0, 1<<class)
}

// give takes a buffer back; nobody may use it any more.
func (p *pool) give(b []byte) {
	class := bits.Len(uint(cap(b))) - 1
	if class < smallest || class > largest || cap(b) != 1<<class {
		return
	}
	free := &p.free[class-smallest]
	if len(*free)<<class < spare {
		*free = append(*free, b[:0])
	}
}
