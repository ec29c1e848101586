package bench

import (
	"time"

	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/writer"
)

// span is a stretch in which a host is known to have acknowledged writes.
type span struct{ from, to clock.Instant }

// spans cuts a local client's log into the stretches in which each write was acknowledged, none more than limit after the
// one before. A stretch begins when its first acknowledgement was read and ends when its last acknowledged write was
// sent: between the two the host was writable for certain. One write alone makes a stretch that ends before it begins.
func spans(log []writer.Write, limit time.Duration) []span {
	var found []span
	open := false
	for _, w := range log {
		switch {
		case !w.OK():
			open = false
		case open && w.Sent.Sub(found[len(found)-1].to) <= limit:
			found[len(found)-1].to = w.Sent
		default:
			found = append(found, span{from: w.Acked, to: w.Sent})
			open = true
		}
	}
	return found
}

// least is what an overlap counts that is proven, but shorter than the clients can tell.
const least = time.Millisecond

// overlap returns for how long two of the logs' hosts were writable at the same time, at the least: one host's write that
// was sent and acknowledged inside another's stretch counts a millisecond.
func overlap(logs [][]writer.Write, limit time.Duration) time.Duration {
	var sum time.Duration
	for i := range logs {
		for j := range logs[:i] {
			for _, a := range spans(logs[i], limit) {
				for _, b := range spans(logs[j], limit) {
					sum += shared(a, b)
				}
			}
		}
	}
	return sum
}

// shared returns how long two stretches overlap.
func shared(a, b span) time.Duration {
	if a.from > a.to {
		a, b = b, a
	}
	if b.from > b.to { // one write, sent at b.to and acknowledged at b.from
		if a.from <= b.to && b.from <= a.to {
			return least
		}
		return 0
	}
	from, to := max(a.from, b.from), min(a.to, b.to)
	if from >= to {
		return 0
	}
	return max(to.Sub(from), least)
}
