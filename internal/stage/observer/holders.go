package observer

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/ether"
)

// Named are the kinds of claims by which others learn the address: those of ARP and of neighbour discovery.
var Named = []ether.Kind{ether.Asks, ether.Replies, ether.Advertises}

// Served are the kinds of claims by which a server can be used. A reset is none: a shut gate answers so.
var Served = []ether.Kind{ether.Accepts}

// silence is how many questions a host leaves without an answer before its stretch is over.
const silence = 4

// Stretches returns for each host the stretches since an instant in which it answered for the address, in the ways given:
// no question but for a few was left open by it.
func (w *Observer) Stretches(address netip.Addr, since clock.Instant, kinds ...ether.Kind) map[string][]clock.Span {
	claims := w.Claims()
	first, _ := slices.BinarySearchFunc(claims, since, func(c Claim, at clock.Instant) int { return cmp.Compare(c.At, at) })
	return stretches(claims[first:], address, silence*w.options.Interval, kinds)
}

// TwoAnswer returns for how long two hosts answered for the address since an instant, in the ways given, at the least:
// one answer within another host's stretch counts a millisecond. What lasts less than an interval may be missed.
func (w *Observer) TwoAnswer(address netip.Addr, since clock.Instant, kinds ...ether.Kind) time.Duration {
	return twoAnswer(w.Stretches(address, since, kinds...))
}

func stretches(claims []Claim, address netip.Addr, limit time.Duration, kinds []ether.Kind) map[string][]clock.Span {
	found := map[string][]clock.Span{}
	for _, c := range claims {
		if c.Addr != address || !slices.Contains(kinds, c.Kind) {
			continue
		}
		of := found[c.By]
		if last := len(of) - 1; last >= 0 && c.At.Sub(of[last].To) <= limit {
			of[last].To = max(of[last].To, c.At)
			continue
		}
		found[c.By] = append(of, clock.Span{From: c.At, To: c.At})
	}
	return found
}

func twoAnswer(found map[string][]clock.Span) time.Duration {
	var sum time.Duration
	var others [][]clock.Span
	for _, spans := range found {
		for _, other := range others {
			sum += clock.Overlap(spans, other)
		}
		others = append(others, spans)
	}
	return sum
}

// First returns when a host first showed after an instant that it has the address, in the ways given; false if it did not.
func (w *Observer) First(by string, address netip.Addr, after clock.Instant, kinds ...ether.Kind) (clock.Instant, bool) {
	for _, c := range w.Claims() {
		if c.At > after && c.By == by && c.Addr == address && slices.Contains(kinds, c.Kind) {
			return c.At, true
		}
	}
	return 0, false
}
