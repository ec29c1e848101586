package writer

import (
	"time"

	"redkeep/internal/stage/clock"
)

// Gap is a stretch without an acknowledgement.
type Gap struct {
	// From is the last acknowledgement before it, and To the first after it; or the ends of what was looked at.
	From, To clock.Instant
	// Open says that no acknowledgement came after it.
	Open bool
}

// Length is the time without an acknowledgement.
func (g Gap) Length() time.Duration { return g.To.Sub(g.From) }

// Gaps returns the stretches of at least that length between two instants, in order. The writes may be those of several
// writers, if they are in the order of their acknowledgements.
func Gaps(writes []Write, from, to clock.Instant, atLeast time.Duration) []Gap {
	var gaps []Gap
	note := func(g Gap) {
		if g.Length() >= atLeast {
			gaps = append(gaps, g)
		}
	}
	last := from
	for _, w := range writes {
		if !w.OK() || w.Acked < from {
			continue
		}
		if w.Acked > to {
			break
		}
		note(Gap{From: last, To: w.Acked})
		last = w.Acked
	}
	note(Gap{From: last, To: to, Open: true})
	return gaps
}

// Longest returns the longest gap between two instants, with the stretch to the end as one.
func Longest(writes []Write, from, to clock.Instant) Gap {
	longest := Gap{From: from, To: from}
	for _, g := range Gaps(writes, from, to, 0) {
		if g.Length() > longest.Length() {
			longest = g
		}
	}
	return longest
}
