package sim

import (
	"time"

	"redkeep/internal/words"
)

// clock is a host's two clocks: CLOCK_MONOTONIC_RAW, which voters and holders measure with, and the one that the kernel's
// timers run on, which time daemons slew. Neither is what the simulator calls true time.
type clock struct {
	born   time.Duration // true time of the host's boot
	offset words.Instant
	raw    float64 // seconds of RAW per true second
	kernel float64 // seconds of the kernel's timers per true second
	jiffy  time.Duration
}

// read returns what RAW says at a true time.
func (c clock) read(at time.Duration) words.Instant {
	return c.offset + words.Instant(float64(at-c.born)*c.raw)
}

// when returns the true time at which RAW reaches an instant, rounded up.
func (c clock) when(i words.Instant) time.Duration {
	return c.born + time.Duration(float64(i-c.offset)/c.raw) + 2
}

// span returns how long in true time a kernel timer of d runs.
func (c clock) span(d time.Duration) time.Duration { return time.Duration(float64(d) / c.kernel) }
