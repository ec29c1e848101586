package vrrp

import "redkeep/internal/words"

// fall begins the way down to a state: demote, drop the address, and then, if resign, the advertisement of priority 0. What
// has not been begun on the way up is not undone.
func (r *router) fall(to State, resign bool) {
	was, claimed := r.step, r.state == Master
	r.left = r.left || claimed
	r.state, r.held, r.yield = to, false, nil
	r.downAt, r.advertAt, r.announceAt = words.Never, words.Never, words.Never
	r.sent = r.sent[:0]
	switch {
	case was.falling():
		r.resign = r.resign && resign
	case was <= Claiming:
		r.resign = resign && claimed
		r.settle()
	default:
		r.drop, r.resign = false, resign
		r.next(Demoting)
	}
}

// lapse is that the address's time is over, or that this host did not run for so long that it must be taken for it. The address
// goes before anything else; no successor is invited, since there may be one already.
func (r *router) lapse() {
	r.refuse(Trouble{What: Lapsed, Theirs: r.m.now.Sub(r.until).String() + " late"})
	was := r.step
	r.left, r.state = true, Backup
	r.held, r.yield, r.sent = false, nil, r.sent[:0]
	r.advertAt, r.announceAt, r.until = words.Never, words.Never, words.Never
	r.downAt = r.m.now.Add(r.down())
	r.resign = false
	if was <= Claiming {
		r.settle()
		return
	}
	r.drop = true
	r.next(Dropping)
}

// fallOn goes on after a step down. An address that could not be dropped ends with its lease, and nobody is invited meanwhile.
func (r *router) fallOn(failed bool) {
	if r.step == Dropping {
		r.resign = r.resign && !failed
	}
	switch {
	case r.step == Demoting && !r.drop:
		r.next(Dropping)
	case r.step == Dropping && r.drop:
		r.next(Demoting)
	default:
		r.settle()
	}
}

// settle is the end of the way down.
func (r *router) settle() {
	if r.resign {
		r.advertise(leaving)
	}
	r.step, r.awaited, r.stepUntil, r.until = Idle, 0, words.Never, words.Never
	r.drop, r.resign = false, false
	r.turned()
	r.check()
}
