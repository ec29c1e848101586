package main

import (
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/speak/config"
)

// What an idle agent costs depends on settings of the whole process. They are the command's to make: no room below may change them.
const (
	// timerSlack is how late a thread that only sleeps for a while may be woken. What must be on time has a timer of its own.
	timerSlack = 300 * time.Microsecond
	// slackened is set for the program that has been started anew.
	slackened = "REDKEEP_TIMER_SLACK"
	// groupsPerCore is how many groups one core is plenty for: each costs it some half of a percent.
	groupsPerCore = 32
)

// slacken starts the program anew, in the same process, with timers that the kernel may round. The runtime's monitor sleeps for 20 us
// at a time whenever anything runs, and its thread exists before the program can say how much it matters: a quarter of what an
// idle agent costs. Where it can't be done everything works as well, and costs that.
func slacken() {
	if os.Getenv(slackened) != "" {
		_ = os.Unsetenv(slackened) // what this program starts is not to take it for its own
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

// limitCores has the runtime use as many cores as the groups need. The steps of a beat follow one another, so that a second core
// saves nothing; but the runtime wakes a thread there for each of them, to look for work. That costs an idle agent a quarter
// of its time. Calls to the kernel that wait don't occupy a core. Handshakes of TLS do: where clients have it, there is one more, which
// they leave to the rest. The environment's GOMAXPROCS outranks this.
func limitCores(c *config.Config) {
	if os.Getenv("GOMAXPROCS") != "" {
		return
	}
	cores := 1 + len(c.Groups)/groupsPerCore
	if c.ListenTLS.Port != 0 {
		cores++
	}
	runtime.GOMAXPROCS(min(cores, runtime.NumCPU()))
}
