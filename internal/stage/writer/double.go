package writer

import (
	"time"

	"redkeep/internal/stage/clock"
)

// Stretches cuts the log of a client that stays with one server into the stretches in which each write was acknowledged,
// none more than limit after the one before. A stretch begins when its first acknowledgement was read and ends when its
// last acknowledged write was sent: between the two the server was writable for certain. One write alone makes a span
// that ends before it begins.
func Stretches(log []Write, limit time.Duration) []clock.Span {
	var found []clock.Span
	open := false
	for _, w := range log {
		switch {
		case !w.OK():
			open = false
		case open && w.Sent.Sub(found[len(found)-1].To) <= limit:
			found[len(found)-1].To = w.Sent
		default:
			found = append(found, clock.Span{From: w.Acked, To: w.Sent})
			open = true
		}
	}
	return found
}

// Overlap returns for how long two of the logs' servers were writable at the same time, at the least: one write that was
// sent and acknowledged inside another server's stretch counts a millisecond.
func Overlap(logs [][]Write, limit time.Duration) time.Duration {
	var sum time.Duration
	for i := range logs {
		for j := range logs[:i] {
			sum += clock.Overlap(Stretches(logs[i], limit), Stretches(logs[j], limit))
		}
	}
	return sum
}
