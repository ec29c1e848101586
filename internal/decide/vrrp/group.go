package vrrp

import (
	"time"

	"redkeep/internal/words"
)

// group is routers that rise and fall together.
type group struct {
	members []*router
	weights bool
}

// free is when the group may rise, as far as is known: not while a member is on its way down, nor while one hears a master that it
// obeys, beside whom it would fall at once and take the others with it, again and again.
func (g *group) free(now words.Instant, interval time.Duration) words.Instant {
	at := now
	for _, r := range g.members {
		switch {
		case r.step.falling():
			at = max(at, now.Add(interval))
		case r.state == Backup && !r.lesser:
			at = max(at, r.masterUntil())
		}
	}
	return at
}

// parted reports whether a member is master, and another must not become it.
func (g *group) parted() bool {
	master, held := false, false
	for _, r := range g.members {
		master = master || r.state == Master
		held = held || r.state != Master && r.heldUntil() > r.m.now
	}
	return master && held
}

// move has the others follow a member that fell or rose in this turn; falling counts more. A fault concerns all of them anyway.
func (g *group) move() {
	rose, left := false, false
	for _, r := range g.members {
		rose, left = rose || r.rose, left || r.left
		r.rose, r.left = false, false
	}
	switch {
	case left || g.parted():
		for _, r := range g.members {
			g.lower(r)
		}
	case rose:
		for _, r := range g.members {
			if r.state == Backup && r.step == Idle {
				r.expire()
			}
			r.rose = false
		}
	}
}

// lower takes a member down, and has it wait as long as one that heard a master.
func (g *group) lower(r *router) {
	switch {
	case r.state == Master:
		r.fall(Backup, false)
	case r.state == Backup && (r.step == Asking || r.step == Probing):
		r.rest()
	default:
		return
	}
	r.left = false
	r.downAt = r.m.now.Add(r.down())
}
