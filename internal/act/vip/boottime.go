package vip

import (
	"time"

	"golang.org/x/sys/unix"
)

// boottime is a reading of CLOCK_BOOTTIME in nanoseconds. It counts a suspended host's time, so that what is put back by
// it is never on too long.
type boottime int64

func now() boottime {
	var ts unix.Timespec
	// The call cannot fail for a clock that every kernel has; the end of time would put nothing back.
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return boottime(1<<63 - 1)
	}
	return boottime(ts.Nano())
}

func (b boottime) add(d time.Duration) boottime { return b + boottime(d) }

func (b boottime) sub(o boottime) time.Duration { return time.Duration(b - o) }
