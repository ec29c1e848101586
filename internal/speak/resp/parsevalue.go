package resp

import "fmt"

// ParseValue finds the first value in what a server has sent so far, of the kinds of RESP2. n is how many bytes it takes; 0 without
// an error says that the rest of it is still to come. Its texts are copies. An error says that there is no next value either.
// What comes in pieces is for a ValueParser, since this begins at the front each time.
func ParseValue(b []byte, limits Limits) (v Value, n int, err error) {
	limits = limits.withDefaults()
	left := limits.whole()
	return parseValue(b, &left, 0)
}

// ValueParser finds the values in what comes of them piece by piece, at a cost that is the bytes' and not the pieces'. The zero value
// is ready, and takes no memory but while a value is unfinished.
type ValueParser struct {
	part *measure // how far the unfinished value has been looked at; nil for not at all
}

// Next is ParseValue of b, which begins as it did in the last call where that found no whole value.
func (p *ValueParser) Next(b []byte, limits Limits) (v Value, n int, err error) {
	if p.part == nil {
		if v, n, err = ParseValue(b, limits); n == 0 && err == nil {
			p.part = newMeasure(limits)
		}
		return v, n, err
	}
	if whole, err := p.part.reaches(b); err != nil || !whole {
		return Value{}, 0, err
	}
	p.Skip()
	return ParseValue(b, limits)
}

// Skip forgets the unfinished value: its bytes have been used otherwise.
func (p *ValueParser) Skip() { p.part = nil }

func parseValue(b []byte, left *budget, depth int) (v Value, n int, err error) {
	it, n, err := parseItem(b, left, depth)
	if err != nil || n == 0 {
		return Value{}, 0, err
	}
	switch {
	case it.none:
		return Value{Kind: it.kind, Nil: true}, n, nil
	case it.kind == Integer:
		return Value{Kind: Integer, Int: it.number}, n, nil
	case it.kind != Array:
		return Value{Kind: it.kind, Text: status(it.text)}, n, nil
	}
	all := make([]Value, 0, min(it.elements, 16))
	for range it.elements {
		e, took, err := parseValue(b[n:], left, depth+1)
		if err != nil || took == 0 {
			return Value{}, 0, err
		}
		all, n = append(all, e), n+took
	}
	return Value{Kind: Array, Elems: all}, n, nil
}

// item is a value without the elements of an array, which follow it.
type item struct {
	kind     Kind
	none     bool   // it is nil
	text     []byte // a part of what was parsed
	number   int64
	elements int
}

// parseItem finds the item at the start of b, which is within so many arrays; n is 0 where it is not whole.
func parseItem(b []byte, left *budget, depth int) (it item, n int, err error) {
	line, n, err := parseLine(b, left.limits)
	if err != nil || n == 0 {
		return item{}, 0, err
	}
	if err := left.spend(n - 1); err != nil {
		return item{}, 0, err
	}
	if len(line) < 2 || line[len(line)-1] != '\r' {
		return item{}, 0, fmt.Errorf("%w: a line that ends without CR LF, or has nothing in it", ErrMalformed)
	}
	it.kind, it.text = Kind(line[0]), line[1:len(line)-1]
	switch it.kind {
	case Simple, Error:
		return it, n, nil
	case Integer:
		v, err := scalar(it.kind, it.text)
		it.number = v.Int
		return it, n, err
	case Bulk, Array:
	default:
		return item{}, 0, fmt.Errorf("%w: a value can't start with %q", ErrMalformed, line[0])
	}
	size, err := number(it.text)
	switch {
	case err != nil:
		return item{}, 0, err
	case size < 0:
		it.none = true
		return it, n, nil
	case it.kind == Array:
		it.elements = size
		return it, n, left.count(size, depth)
	}
	it.text, n, err = parseBody(b, n, size, left)
	return it, n, err
}

// parseBody finds the bytes of a bulk, whose head took n bytes of b, and what it takes with them.
func parseBody(b []byte, n, size int, left *budget) (text []byte, end int, err error) {
	if err := left.spend(size); err != nil {
		return nil, 0, err
	}
	end = n + size
	switch {
	case len(b) < end+2:
		return nil, 0, nil
	case b[end] != '\r' || b[end+1] != '\n':
		return nil, 0, fmt.Errorf("%w: no CR LF behind a bulk", ErrMalformed)
	}
	return b[n:end], end + 2, nil
}

// status is a text. Those that come again and again take no memory.
func status(text []byte) string {
	switch string(text) {
	case "OK":
		return "OK"
	case "PONG":
		return "PONG"
	case "QUEUED":
		return "QUEUED"
	}
	return string(text)
}

// measure finds a value's end, and goes on where it was when there is more of it.
type measure struct {
	limits Limits
	left   budget
	at     int   // where the first item begins that has not been whole yet
	open   []int // how many elements each array that has not ended still has, the outermost first
}

func newMeasure(limits Limits) *measure {
	m := &measure{limits: limits.withDefaults()}
	m.left = m.limits.whole()
	return m
}

// reaches reports whether the end of the value that b begins with is in b.
func (m *measure) reaches(b []byte) (bool, error) {
	for {
		left := m.left
		it, n, err := parseItem(b[m.at:], &left, len(m.open))
		if err != nil || n == 0 {
			return false, err
		}
		m.at, m.left = m.at+n, left
		if it.elements > 0 {
			m.open = append(m.open, it.elements)
			continue
		}
		for len(m.open) > 0 {
			last := len(m.open) - 1
			if m.open[last]--; m.open[last] > 0 {
				break
			}
			m.open = m.open[:last]
		}
		if len(m.open) == 0 {
			return true, nil
		}
	}
}
