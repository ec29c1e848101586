package clock

import (
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// tick is how often a Watcher looks at the clock.
	tick = 5 * time.Millisecond
	// noise is lateness that is not worth recording: a timer's slack and one ordinary turn of the scheduler.
	noise = 2 * time.Millisecond
	// stallLimit bounds what a Watcher keeps; a machine that stalls oftener is of no use for measuring anyway.
	stallLimit = 1 << 16
)

// Stall is a stretch in which the machine did not run a thread that was ready.
type Stall struct {
	// At is when the thread should have run.
	At Instant
	// Late is how much later it did.
	Late time.Duration
}

// Watcher wakes every 5 ms on a thread of its own and notes how late it was.
type Watcher struct {
	mu     sync.Mutex // guards stalls
	stalls []Stall
	once   sync.Once // closes stop
	stop   chan struct{}
	done   chan struct{}
}

// Watch starts a watcher. Its Stop must be called.
func Watch() *Watcher {
	w := &Watcher{stop: make(chan struct{}), done: make(chan struct{})}
	go w.run() // ends at Stop, within a tick
	return w
}

// Stop ends the watcher and returns all that it saw. It may be called again.
func (w *Watcher) Stop() []Stall {
	w.once.Do(func() { close(w.stop) })
	<-w.done
	return w.Stalls(0, Now())
}

// Stalls returns those that touch the stretch from one instant to another, in order.
func (w *Watcher) Stalls(from, to Instant) []Stall {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []Stall
	for _, s := range w.stalls {
		if s.At <= to && s.At.Add(s.Late) >= from {
			found = append(found, s)
		}
	}
	return found
}

// Worst returns the longest stall that touches the stretch; 0 when there was none of 2 ms or more.
func (w *Watcher) Worst(from, to Instant) time.Duration {
	var worst time.Duration
	for _, s := range w.Stalls(from, to) {
		worst = max(worst, s.Late)
	}
	return worst
}

// run sleeps in the kernel rather than on a Go timer, so that what it measures is the machine and not this program's
// own queue of timers. The thread is locked for the same reason.
func (w *Watcher) run() {
	defer close(w.done)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		due := Now().Add(tick)
		sleepUntil(due)
		if late := Now().Sub(due); late >= noise {
			w.note(Stall{At: due, Late: late})
		}
		select {
		case <-w.stop:
			return
		default:
		}
	}
}

func (w *Watcher) note(s Stall) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.stalls) < stallLimit {
		w.stalls = append(w.stalls, s)
	}
}

func sleepUntil(due Instant) {
	ts := unix.NsecToTimespec(int64(due))
	for unix.ClockNanosleep(unix.CLOCK_BOOTTIME, unix.TIMER_ABSTIME, &ts, nil) == unix.EINTR {
		// The Go runtime preempts threads with a signal; the sleep's end is absolute, so it simply goes on.
		continue
	}
}
