package writer

import (
	"time"

	"redkeep/internal/stage/clock"
)

// Gap is a stretch without an acknowledgement.
type Gap struct {
	// From is the last acknowledgement before it, and To the first after it; or, where there is none, the ends of the
	// time that was looked at.
	From, To clock.Instant
	// Open says that no acknowledgement came after it.
	Open bool
}

// Length is the time without an acknowledgement.
func (g Gap) Length() time.Duration { return g.To.Sub(g.From) }

// Gaps returns the stretches of at least that length that touch the time between two instants, in order and whole: one
// that a fault at from opened began with the last acknowledgement before it. The writes may be those of several writers,
// if they are in the order of their acknowledgements.
func Gaps(writes []Write, from, to clock.Instant, atLeast time.Duration) []Gap {
	var gaps []Gap
	note := func(g Gap) {
		if g.Length() >= atLeast {
			gaps = append(gaps, g)
		}
	}
	last := from
	for _, w := range writes {
		switch {
		case !w.OK():
			continue
		case w.Acked <= from:
			last = w.Acked
			continue
		}
		note(Gap{From: last, To: w.Acked})
		last = w.Acked
		if w.Acked >= to {
			return gaps
		}
	}
	note(Gap{From: last, To: to, Open: true})
	return gaps
}

// Longest returns the longest of the gaps that touch the time between two instants.
func Longest(writes []Write, from, to clock.Instant) Gap {
	longest := Gap{From: from, To: from}
	for _, g := range Gaps(writes, from, to, 0) {
		if g.Length() > longest.Length() {
			longest = g
		}
	}
	return longest
}
