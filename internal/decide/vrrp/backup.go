package vrrp

import (
	"net/netip"

	"redkeep/internal/words"
)

// heardAsBackup is RFC 5798, section 6.4.2, for an advertisement.
func (r *router) heardAsBackup(from netip.Addr, a Advert) {
	now := r.m.now
	fresh := now < r.masterUntil()
	if a.Priority == leaving {
		// Only the master can leave. One that was replaced and says so late must not have its successor replaced.
		if !fresh || from == r.master {
			r.downAt, r.master = min(r.downAt, now.Add(r.skew())), netip.Addr{}
		}
		return
	}
	if !r.obeys(a.Priority) {
		// Another one of less right does not hide a master that is obeyed; that one itself may have come down since it was last heard.
		if !fresh || r.lesser || from == r.master {
			r.master, r.masterHeard, r.lesser = from, now, true
		}
		return
	}
	if r.step == Asking || r.step == Probing {
		r.rest()
	}
	r.master, r.masterHeard, r.lesser, r.held = from, now, false, false
	if r.conf.Version == 3 {
		r.masterInterval = a.Interval
	}
	r.downAt = now.Add(r.down())
	r.allow()
}

// masterUntil is until when a master counts as alive that was heard; 0 where there is none.
func (r *router) masterUntil() words.Instant {
	if !r.master.IsValid() {
		return 0
	}
	return r.masterHeard.Add(r.down())
}

// obeys reports whether a master of that priority is left alone.
func (r *router) obeys(priority uint8) bool {
	if priority >= r.priority() {
		r.preemptAt = 0
		return true
	}
	if r.conf.NoPreempt && r.conf.Priority != owner {
		return true
	}
	if r.conf.PreemptDelay == 0 {
		return false
	}
	if r.preemptAt == 0 {
		r.preemptAt = r.m.now.Add(r.conf.PreemptDelay)
	}
	return r.m.now < r.preemptAt
}

// expire is Master_Down_Timer: this host begins to rise, unless somebody is there whom it only can't understand.
func (r *router) expire() {
	now := r.m.now
	if until := r.holdsAll(); until > now {
		r.held, r.downAt = true, until
		return
	}
	if r.group != nil {
		if free := r.group.free(now, r.conf.Interval); free > now {
			r.downAt = free
			return
		}
	}
	r.held, r.downAt = false, words.Never
	r.rise()
}

// holdsAll is heldUntil of the router and those that it moves with.
func (r *router) holdsAll() words.Instant {
	until := r.heldUntil()
	if r.group != nil {
		for _, member := range r.group.members {
			until = max(until, member.heldUntil())
		}
	}
	return until
}

// rest goes back to waiting for the master, from a step that has changed nothing yet.
func (r *router) rest() {
	r.step, r.awaited, r.stepUntil = Idle, 0, words.Never
	if r.downAt == words.Never {
		r.downAt = r.m.now.Add(r.down())
	}
}
