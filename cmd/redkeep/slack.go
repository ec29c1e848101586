package main

import (
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// timerSlack is how late a thread that only sleeps for a while may be woken. What must be on time has a timer of its own.
	timerSlack = 300 * time.Microsecond
	// slackened is set for the program that has been started anew.
	slackened = "REDKEEP_TIMER_SLACK"
)

// slacken starts the program anew, in the same process, with timers that the kernel may round. The runtime's monitor sleeps for 20 us
// at a time whenever anything runs, and its thread exists before the program can say how much it matters: a quarter of what an
// idle agent costs. Where it can't be done everything works as well, and costs that.
func slacken() {
	if os.Getenv(slackened) != "" {
		return
	}
	if now, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0); err != nil || now >= int(timerSlack) {
		return
	}
	path, err := os.Executable()
	if err != nil {
		return
	}
	runtime.LockOSThread() // the slack is this thread's until it becomes the new program's
	defer runtime.UnlockOSThread()
	if unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(timerSlack), 0, 0, 0) == nil {
		_ = syscall.Exec(path, os.Args, append(os.Environ(), slackened+"=1"))
	}
}
