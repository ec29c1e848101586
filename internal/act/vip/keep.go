package vip

import (
	"context"
	"time"
)

// keep mends and announces, each in its time, until the context ends, and tells what it did.
func (h *Hand) keep(ctx context.Context) error {
	timer := time.NewTimer(steadily)
	defer timer.Stop()
	for {
		events, next := h.tend()
		for _, e := range events {
			h.cfg.OnEvent(e)
		}
		if next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-h.kick:
		case <-timer.C:
		}
	}
}

// tend does what is due for all addresses, and returns what to tell, and when something is due again (zero: never).
func (h *Hand) tend() (events []Event, next time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.addresses {
		at := time.Now()
		events = append(events, h.mend(a, at)...)
		events = append(events, h.answer(a, at)...)
		h.say(a, at)
		next = soonest(next, soonest(a.due, soonest(a.next, a.answerAt)))
	}
	events = append(events, h.noted...)
	h.noted = nil
	return events, next
}
