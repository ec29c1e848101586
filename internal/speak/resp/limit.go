package resp

import (
	"errors"
	"fmt"
)

// ErrMalformed is wrapped by every error about bytes that are not RESP. The stream has no next value: close it.
var ErrMalformed = errors.New("malformed RESP")

// ErrTooLarge is wrapped by every error about a value beyond the Reader's Limits. The stream has no next value either.
var ErrTooLarge = errors.New("RESP value too large")

// Limits bound one top-level value or request. A field of zero takes the default.
type Limits struct {
	// Line is the longest line in bytes: a simple string, an error, a number, an inline command. Default 64 KiB.
	Line int
	// Bytes is the sum of all lines and bulks of one value. Default 64 MiB (a CLIENT LIST of 100,000 clients).
	Bytes int
	// Elements is the number of elements of one value, nested ones included. Default 1,048,576.
	Elements int
	// Depth is how deep arrays may nest. Default 16.
	Depth int
}

// ServerLimits are those of one request at a face that anybody may connect to.
var ServerLimits = Limits{Line: 4 << 10, Bytes: 64 << 10, Elements: 1024, Depth: 1}

func (l Limits) withDefaults() Limits {
	set := func(field *int, to int) {
		if *field <= 0 {
			*field = to
		}
	}
	set(&l.Line, 64<<10)
	set(&l.Bytes, 64<<20)
	set(&l.Elements, 1<<20)
	set(&l.Depth, 16)
	return l
}

// budget is what is left of the limits for one value.
type budget struct {
	limits          *Limits
	bytes, elements int
}

// whole is the budget of a value of which nothing has been read.
func (l *Limits) whole() budget { return budget{limits: l, bytes: l.Bytes, elements: l.Elements} }

// spend takes the bytes of a line or a bulk off it.
func (b *budget) spend(n int) error {
	if n > b.bytes {
		return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, b.limits.Bytes)
	}
	b.bytes -= n
	return nil
}

// count takes the elements of an aggregate off it, which is within depth others. Nested ones count together: arrays of arrays that were
// each within the limit would be any number.
func (b *budget) count(n, depth int) error {
	if depth >= b.limits.Depth {
		return fmt.Errorf("%w: nested deeper than %d", ErrTooLarge, b.limits.Depth)
	}
	if n > b.elements {
		return fmt.Errorf("%w: more than %d elements", ErrTooLarge, b.limits.Elements)
	}
	b.elements -= n
	return nil
}
