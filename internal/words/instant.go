package words

import (
	"fmt"
	"time"
)

// Instant is a reading of one node's CLOCK_MONOTONIC_RAW in nanoseconds. It is never slewed by time daemons, and it is
// never compared with another node's. The zero Instant lies before everything that a running node has seen.
type Instant int64

// Never is after every instant that a node will see.
const Never Instant = 1<<63 - 1

// Add returns the instant d later; it stays Never if it was.
func (i Instant) Add(d time.Duration) Instant {
	if i == Never {
		return Never
	}
	return i + Instant(d)
}

// Sub returns the time from j to i.
func (i Instant) Sub(j Instant) time.Duration { return time.Duration(i - j) }

// String prints milliseconds since the clock's start.
func (i Instant) String() string {
	if i == Never {
		return "never"
	}
	return fmt.Sprintf("%.3fms", float64(i)/1e6)
}

// Earliest returns the first of the instants given.
func Earliest(first Instant, more ...Instant) Instant {
	for _, m := range more {
		first = min(first, m)
	}
	return first
}
