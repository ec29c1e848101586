package sockets

import (
	"math/bits"

	"redkeep/internal/words"
)

// The wheel's ticks have 2^grain nanoseconds, 134 ms; it turns once in 69 s. A deadline is noticed up to a tick late, and
// never early.
const (
	grain = 27
	spots = 512
)

// wheel finds the connections whose deadlines may have come. A connection stands at a tick that is not later than its earliest
// deadline, and is looked at then: a deadline that moves away, as with each input, costs nothing.
type wheel struct {
	at    int64 // the last tick that was looked at
	spots [spots]*Conn
	used  [spots / 64]uint64
}

// put has a connection looked at when the instant has passed, or earlier.
func (w *wheel) put(c *Conn, due words.Instant) {
	tick := min(max(int64(due)>>grain, w.at)+1, w.at+spots-1)
	if c.tick != 0 {
		if c.tick <= tick {
			return
		}
		w.remove(c)
	}
	i := tick % spots
	c.tick, c.before, c.after = tick, nil, w.spots[i]
	if c.after != nil {
		c.after.before = c
	}
	w.spots[i] = c
	w.used[i/64] |= 1 << (i % 64)
}

// remove takes a connection off, if it is on.
func (w *wheel) remove(c *Conn) {
	if c.tick == 0 {
		return
	}
	i := c.tick % spots
	if c.before != nil {
		c.before.after = c.after
	} else {
		w.spots[i] = c.after
	}
	if c.after != nil {
		c.after.before = c.before
	}
	if w.spots[i] == nil {
		w.used[i/64] &^= 1 << (i % 64)
	}
	c.tick, c.before, c.after = 0, nil, nil
}

// turn calls for each connection whose tick has come, after taking it off.
func (w *wheel) turn(now words.Instant, look func(*Conn)) {
	to := int64(now) >> grain
	w.at = max(w.at, to-spots)
	for w.at < to {
		w.at++
		for c := w.spots[w.at%spots]; c != nil; c = w.spots[w.at%spots] {
			w.remove(c)
			look(c)
		}
	}
}

// next returns the instant at which turn has something to do.
func (w *wheel) next() words.Instant {
	first := (w.at + 1) % spots
	for i := range int64(len(w.used) + 1) {
		word := (first/64 + i) % int64(len(w.used))
		set := w.used[word]
		if i == 0 {
			set &= ^uint64(0) << (first % 64)
		}
		if set == 0 {
			continue
		}
		spot := word*64 + int64(bits.TrailingZeros64(set))
		return words.Instant((w.at + 1 + (spot-first+spots)%spots) << grain)
	}
	return words.Never
}
