package clock

import "time"

// Span is a stretch of time. One whose From is not before its To is a single look: what it saw was so at some instant
// between To and From.
type Span struct{ From, To Instant }

// Length is how long the span lasted for certain; 0 for one that was seen once.
func (s Span) Length() time.Duration { return max(s.To.Sub(s.From), 0) }

// least is what an overlap counts that is proven, but shorter than those who looked can tell.
const least = time.Millisecond

// Overlap returns for how long spans of both lists lasted at the same time, at the least: one look that fell into a span
// of the other list counts a millisecond.
func Overlap(a, b []Span) time.Duration {
	var sum time.Duration
	for _, one := range a {
		for _, other := range b {
			sum += shared(one, other)
		}
	}
	return sum
}

// shared returns how long two spans overlap.
func shared(a, b Span) time.Duration {
	if a.From >= a.To {
		a, b = b, a
	}
	if b.From >= b.To { // one look, which fell between b.To and b.From
		if a.From <= b.To && b.From <= a.To {
			return least
		}
		return 0
	}
	from, to := max(a.From, b.From), min(a.To, b.To)
	if from >= to {
		return 0
	}
	return max(to.Sub(from), least)
}
