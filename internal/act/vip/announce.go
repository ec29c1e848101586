package vip

import (
	"time"

	"redkeep/internal/speak/neighbour"
)

// burst is how many frames leave at once when an address comes: one may be lost, and some switches learn from the second.
const burst = 3

// spaced are the pauses between the frames that follow: 50 ms, 200 ms, 1 s and 2 s after the address came. Links that were
// just plugged in, and hosts that were busy, hear one of them.
var spaced = [...]time.Duration{50 * time.Millisecond, 150 * time.Millisecond, 800 * time.Millisecond, time.Second}

// steadily is the pause between the frames while an address stays: it bounds how long a cache that heard nothing, or
// something else, stays wrong.
const steadily = 30 * time.Second

// saying is the schedule of one address's announcements.
type saying struct {
	// next is when the next one is due; zero is never.
	next time.Time
	// step is how many have been due since the address came.
	step int
	// silenced says that the lease had lapsed when one was due: the next renewal begins anew.
	silenced bool
}

// sayFrom begins the schedule anew at an instant.
func (s *saying) sayFrom(at time.Time) { s.next, s.step, s.silenced = at, 0, false }

// hush ends the schedule.
func (s *saying) hush() { s.next = time.Time{} }

// Announce says once more on the segment where the addresses are, those that are held: after a heal. It returns at once.
func (h *Hand) Announce() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.addresses {
		if a.up && a.on {
			a.sayFrom(time.Now())
		}
	}
	h.wake()
}

// suspect asks whether somebody else has the address that is here: a host that was given it by hand need not say so, and would
// go on answering for it beside this one. Of IPv6 it does not ask: all hosts hear the answer, and would believe it.
func (h *Hand) suspect(a *address, d device) {
	if !a.Addr.Is4() {
		return
	}
	if err := h.segment.send(a.Addr, d.index, neighbour.Probe(a.Addr, d.mac)); err != nil {
		h.log.Debug("probe lost", "addr", a.Addr, "dev", d.name, "err", err)
	}
}

// say sends what of an address's schedule is due. An address whose time has run out says nothing any more; one whose device
// is down begins anew when that comes up.
func (h *Hand) say(a *address, at time.Time) {
	if a.next.IsZero() || at.Before(a.next) {
		return
	}
	d, err := h.carrier(a)
	if err != nil || !d.up || d.deaf != nil || h.segment.mute != nil {
		a.hush()
		return
	}
	frames := 1
	if a.step == 0 {
		frames = burst
	}
	frame := neighbour.Announcement(a.Addr, d.mac)
	for range frames {
		if a.silenced = !h.cfg.Holds(); a.silenced || !a.held(now()) {
			a.hush()
			return
		}
		if err := h.segment.send(a.Addr, d.index, frame); err != nil {
			h.log.Debug("announcement lost", "addr", a.Addr, "dev", d.name, "err", err)
		}
	}
	pause := steadily
	if a.step < len(spaced) {
		pause = spaced[a.step]
	} else {
		h.suspect(a, d)
	}
	a.step++
	a.next = at.Add(pause)
}
