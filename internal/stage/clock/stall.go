package clock

import (
	"fmt"
	"sync"
	"time"
)

const (
	// tick is how often a Watcher looks at the clock.
	tick = 5 * time.Millisecond
	// noise is lateness that is not worth recording: a timer's slack and one ordinary turn of the scheduler.
	noise = 2 * time.Millisecond
	// stallLimit bounds what a Watcher keeps; a machine that stalls oftener is of no use for measuring anyway.
	stallLimit = 1 << 16
)

// Stall is a stretch in which what was due did not run.
type Stall struct {
	// At is when the thread should have run.
	At Instant
	// Late is how much later it did.
	Late time.Duration
}

// Watcher wakes every 5 ms and notes how late it was: the kernel's lateness and this process's own, which both reach
// the writers that this process runs.
type Watcher struct {
	pacer  *Pacer
	mu     sync.Mutex // guards stalls
	stalls []Stall
	done   chan struct{}
}

// Watch starts a watcher. Its Stop must be called.
func Watch() (*Watcher, error) {
	pacer, err := NewPacer()
	if err != nil {
		return nil, fmt.Errorf("watch for stalls: %w", err)
	}
	w := &Watcher{pacer: pacer, done: make(chan struct{})}
	go w.run() // ends at Stop
	return w, nil
}

// Stop ends the watcher and returns all that it saw. It may be called again.
func (w *Watcher) Stop() []Stall {
	w.pacer.Close()
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

func (w *Watcher) run() {
	defer close(w.done)
	for {
		due := Now().Add(tick)
		if w.pacer.Wait(due) != nil {
			return
		}
		if late := Now().Sub(due); late >= noise {
			w.note(Stall{At: due, Late: late})
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
