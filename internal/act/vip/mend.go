package vip

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// The pauses before a repair. The first follows at once; programs that fight over an address must not eat the processor.
const (
	firstPause = 10 * time.Millisecond
	longPause  = time.Second
	// calm without damage makes the next repair a first one again.
	calm = 10 * time.Second
)

// mending is what of one address's damage is still to be mended.
type mending struct {
	// damage is what happened; its Kind is zero where nothing did.
	damage Event
	seen   time.Time
	// due is when to mend; zero waits for the device.
	due   time.Time
	pause time.Duration
	last  time.Time // When it was mended last.
}

// hurt notes damage, and when to mend it. Damage on damage keeps the first's time.
func (m *mending) hurt(k Kind, by string, at time.Time) {
	if m.damage.Kind != 0 {
		return
	}
	if at.Sub(m.last) > calm {
		m.pause = 0
	}
	m.damage, m.seen, m.due = Event{Kind: k, By: by}, at, at.Add(m.pause)
	m.pause = min(max(firstPause, 2*m.pause), longPause)
}

// lapse notes that the kernel ended an address that had a life of so long, which is mended like damage.
func (m *mending) lapse(life time.Duration, at time.Time) {
	if m.damage.Kind == 0 {
		m.hurt(Expired, unknown, at)
		m.damage.Life = life
	}
}

// heal forgets the damage.
func (m *mending) heal() { m.damage, m.due = Event{}, time.Time{} }

// mend undoes what was done to an address and is due, and returns what to tell of it.
func (h *Hand) mend(a *address, at time.Time) []Event {
	if a.damage.Kind == 0 || a.due.IsZero() || at.Before(a.due) {
		return nil
	}
	e, done := a.damage, false
	e.Err = nil
	switch {
	case !a.up:
		done, e.Err = h.remove(a)
	case !h.cfg.Holds():
		e.Err = ErrLapsed
	default:
		e.Err = h.put(a)
		done = e.Err == nil
	}
	e.Took = time.Since(a.seen)
	a.last = time.Now()
	switch {
	case e.Err == nil:
		a.heal()
		if a.up {
			a.sayFrom(a.last)
		}
	case errors.Is(e.Err, ErrExpired), errors.Is(e.Err, ErrLapsed):
		a.heal() // The next Set decides.
		a.hush()
	case errors.As(e.Err, new(*NoDeviceError)), errors.Is(e.Err, unix.ENETDOWN), errors.Is(e.Err, unix.EACCES):
		a.due = time.Time{} // Until its device comes.
	default:
		a.due = a.last.Add(a.pause)
		a.pause = min(max(firstPause, 2*a.pause), longPause)
	}
	if !done && e.Err == nil {
		return nil // A stray that had gone by itself.
	}
	if e.Err != nil && a.damage.Kind != 0 {
		told := a.damage.Err != nil
		a.damage.Err = e.Err
		if told {
			return nil // Once that it can't be mended, and once that it is.
		}
	}
	return []Event{h.about(a, e)}
}

// remove deletes an address that others put on this host while it is set down, and reports whether it was there. The kernel knows: its
// news of an IPv6 address of ours may come after we have taken that off again, and names nobody.
func (h *Hand) remove(a *address) (was bool, err error) {
	var errs []error
	for p := range a.places {
		if a.removable(p) {
			there, err := h.drop(a, p)
			was = was || there
			errs = append(errs, err)
		}
	}
	return was, errors.Join(errs...)
}

// about completes an event.
func (h *Hand) about(a *address, e Event) Event {
	e.Group, e.Address = h.cfg.Group, a.Address
	return e
}

// noteLimit bounds the events that wait for the keeper. One that has this many to tell is stuck in OnEvent.
const noteLimit = 64

// note has the keeper tell of something.
func (h *Hand) note(a *address, e Event) {
	if len(h.noted) < noteLimit {
		h.noted = append(h.noted, h.about(a, e))
	}
}
