package agent

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"redkeep/internal/words"
)

// now reads the clock that the machines reckon with. It is not slewed, and it does not count a suspended host's sleep.
func now() words.Instant { return words.Instant(read(unix.CLOCK_MONOTONIC_RAW)) }

// awake reads the clock that does count a suspended host's sleep, for noticing that the loop did not run.
func awake() time.Duration { return time.Duration(read(unix.CLOCK_BOOTTIME)) }

// read asks the kernel without telling Go's scheduler, which would expect the call to block and wake a thread to watch it.
func read(clock uintptr) int64 {
	var ts unix.Timespec
	if _, _, err := unix.RawSyscall(unix.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&ts)), 0); err != 0 {
		panic("read the clock: " + err.Error()) // it exists on every kernel that Go runs on
	}
	return ts.Nano()
}

// jiffy is the grain of the kernel's timers, which the coarse clocks advance by. Where it can't be told it is taken for the
// coarsest in use, HZ=100: an allowance may be too long, never too short.
func jiffy() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGetres(unix.CLOCK_MONOTONIC_COARSE, &ts); err != nil || ts.Nano() < int64(time.Millisecond) {
		return 10 * time.Millisecond
	}
	return time.Duration(ts.Nano())
}
