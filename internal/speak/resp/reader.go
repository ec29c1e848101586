package resp

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// A Reader starts with a small buffer, since most connections carry a PING and its answer: 3,000 connections with
// 512 bytes each cost 23 MB in all, where client libraries with their usual buffers cost 130 MB and more.
const (
	firstBuffer = 512
	// chunk is how much memory is taken ahead of the bytes of a bulk, so that an announced length costs next to nothing: ten
	// thousand connections that announce a bulk and send none cost 40 MB.
	chunk = 4 << 10
)

// Reader reads values from a stream.
type Reader struct {
	from   io.Reader
	limits Limits
	buf    []byte
	r, w   int
	left   budget // for the value being read
}

// NewReader returns a Reader of from. It reads ahead, so nothing else may read from then on.
func NewReader(from io.Reader, limits Limits) *Reader {
	return &Reader{from: from, limits: limits.withDefaults(), buf: make([]byte, firstBuffer)}
}

// Buffered returns how many bytes were read ahead: with 0, the next read waits for the peer, and so it is time to
// flush what was answered.
func (r *Reader) Buffered() int { return r.w - r.r }

// Read returns the next value. It returns io.EOF when the stream ends between two values and io.ErrUnexpectedEOF when
// it ends within one. After any error, a deadline's included, the stream's position is lost.
func (r *Reader) Read() (Value, error) {
	r.renew()
	v, err := r.value(0)
	if err != nil {
		return Value{}, fmt.Errorf("read reply: %w", err)
	}
	return v, nil
}

// renew sets the limits for the next value, and gives a grown buffer back when it is empty.
func (r *Reader) renew() {
	r.left = r.limits.whole()
	if r.r == r.w && len(r.buf) > firstBuffer {
		r.buf, r.r, r.w = make([]byte, firstBuffer), 0, 0
	}
}

// value reads one value; depth is the number of aggregates that it is in.
func (r *Reader) value(depth int) (Value, error) {
	line, err := r.line()
	if err != nil {
		if depth > 0 {
			err = unexpected(err)
		}
		return Value{}, err
	}
	if len(line) == 0 {
		return Value{}, fmt.Errorf("%w: an empty line", ErrMalformed)
	}
	kind, rest := Kind(line[0]), line[1:]
	switch kind {
	case Simple, Error, BigNumber, Double:
		return Value{Kind: kind, Text: string(rest)}, nil
	case Integer, Null, Bool:
		return scalar(kind, rest)
	case Bulk, BulkError, Verbatim:
		return r.text(kind, rest)
	case Array, Map, Set, Push, attribute:
		return r.aggregate(kind, rest, depth)
	default:
		return Value{}, fmt.Errorf("%w: a value can't start with %q", ErrMalformed, line[0])
	}
}

// scalar reads what stands on a line of its own and has no text.
func scalar(kind Kind, rest []byte) (Value, error) {
	switch {
	case kind == Null && len(rest) == 0:
		return Value{Kind: Null, Nil: true}, nil
	case kind == Bool && string(rest) == "t":
		return Value{Kind: Bool, Int: 1}, nil
	case kind == Bool && string(rest) == "f":
		return Value{Kind: Bool}, nil
	case kind == Integer:
		n, err := strconv.ParseInt(string(rest), 10, 64)
		if err == nil {
			return Value{Kind: Integer, Int: n}, nil
		}
	}
	return Value{}, fmt.Errorf("%w: %q is no value of kind %q", ErrMalformed, clip(rest), byte(kind))
}

// text reads the bytes that follow a length.
func (r *Reader) text(kind Kind, length []byte) (Value, error) {
	n, err := number(length)
	if err != nil {
		return Value{}, err
	}
	if n < 0 {
		if kind != Bulk {
			return Value{}, fmt.Errorf("%w: nil %q", ErrMalformed, byte(kind))
		}
		return Value{Kind: Bulk, Nil: true}, nil
	}
	body, err := r.body(n)
	if err != nil {
		return Value{}, err
	}
	if kind == Verbatim {
		if len(body) < 4 || body[3] != ':' {
			return Value{}, fmt.Errorf("%w: a verbatim string without its format", ErrMalformed)
		}
		body = body[4:]
	}
	return Value{Kind: kind, Text: string(body)}, nil
}

// aggregate reads the elements that follow a count.
func (r *Reader) aggregate(kind Kind, count []byte, depth int) (Value, error) {
	n, err := number(count)
	if err != nil {
		return Value{}, err
	}
	if n < 0 {
		if kind != Array {
			return Value{}, fmt.Errorf("%w: nil %q", ErrMalformed, byte(kind))
		}
		return Value{Kind: Array, Nil: true}, nil
	}
	if kind == Map || kind == attribute {
		n = 2 * min(n, r.limits.Elements) // more is refused all the same
	}
	if err := r.left.count(n, depth); err != nil {
		return Value{}, err
	}
	// The announced count is not trusted with memory: a peer must send what it wants kept.
	elems := make([]Value, 0, min(n, 64))
	for range n {
		e, err := r.value(depth + 1)
		if err != nil {
			return Value{}, err
		}
		elems = append(elems, e)
	}
	if kind == attribute {
		return r.described(depth)
	}
	return Value{Kind: kind, Elems: elems}, nil
}

// described reads the value after an attribute. Attributes use up the budget of elements too, so that a peer that
// sends nothing else comes to an end.
func (r *Reader) described(depth int) (Value, error) {
	if err := r.left.count(1, depth); err != nil {
		return Value{}, err
	}
	v, err := r.value(depth + 1)
	return v, unexpected(err)
}

// line returns the next line without its CR LF. The slice is good until the next read.
func (r *Reader) line() ([]byte, error) {
	line, err := r.rawLine()
	if err != nil {
		return nil, err
	}
	if len(line) == 0 || line[len(line)-1] != '\r' {
		return nil, fmt.Errorf("%w: a line that ends without CR LF", ErrMalformed)
	}
	return line[:len(line)-1], nil
}

// rawLine returns the next line without its LF.
func (r *Reader) rawLine() ([]byte, error) {
	scanned := 0
	for {
		if i := bytes.IndexByte(r.buf[r.r+scanned:r.w], '\n'); i >= 0 {
			n := scanned + i
			if n > r.limits.Line {
				return nil, fmt.Errorf("%w: a line longer than %d bytes", ErrTooLarge, r.limits.Line)
			}
			line := r.buf[r.r : r.r+n]
			r.r += n + 1
			return line, r.left.spend(n)
		}
		if scanned = r.w - r.r; scanned > r.limits.Line {
			return nil, fmt.Errorf("%w: a line longer than %d bytes", ErrTooLarge, r.limits.Line)
		}
		if err := r.fill(); err != nil {
			if scanned > 0 {
				err = unexpected(err)
			}
			return nil, err
		}
	}
}

// fill reads once into the buffer, after making room by moving what is left to its start, or by growing it.
func (r *Reader) fill() error {
	if r.r > 0 {
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.r = 0
	}
	if r.w == len(r.buf) {
		grown := make([]byte, 2*len(r.buf))
		copy(grown, r.buf)
		r.buf = grown
	}
	// An io.Reader may return nothing and no error now and then; one that always does is broken.
	for range 100 {
		n, err := r.from.Read(r.buf[r.w:])
		r.w += n
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// body returns n bytes and takes the CR LF behind them.
func (r *Reader) body(n int) ([]byte, error) {
	if err := r.left.spend(n); err != nil {
		return nil, err
	}
	out := make([]byte, 0, min(n, chunk))
	for len(out) < n {
		if len(out) == cap(out) {
			out = slices.Grow(out, min(n-len(out), len(out)))
		}
		if room := min(n, cap(out)) - len(out); r.r == r.w && room >= len(r.buf) {
			// The rest of a large bulk goes straight to its place, past the small buffer.
			m, err := io.ReadFull(r.from, out[len(out):len(out)+room])
			out = out[:len(out)+m]
			if err != nil {
				return nil, unexpected(err)
			}
			continue
		}
		if r.r == r.w {
			if err := r.fill(); err != nil {
				return nil, unexpected(err)
			}
		}
		m := min(n-len(out), r.w-r.r)
		out = append(out, r.buf[r.r:r.r+m]...)
		r.r += m
	}
	return out, r.end()
}

// end takes the CR LF behind a bulk.
func (r *Reader) end() error {
	for r.w-r.r < 2 {
		if err := r.fill(); err != nil {
			return unexpected(err)
		}
	}
	if r.buf[r.r] != '\r' || r.buf[r.r+1] != '\n' {
		return fmt.Errorf("%w: no CR LF behind a bulk", ErrMalformed)
	}
	r.r += 2
	return nil
}

// number reads a length or a count: -1 for nil, or digits.
func number(b []byte) (int, error) {
	n, err := strconv.ParseInt(string(b), 10, 32)
	if err != nil || n < -1 {
		return 0, fmt.Errorf("%w: %q is no length", ErrMalformed, clip(b))
	}
	return int(n), nil
}

// unexpected turns the clean end of a stream into an end within a value.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// clip keeps foreign bytes in an error short.
func clip(b []byte) []byte { return b[:min(len(b), 32)] }
