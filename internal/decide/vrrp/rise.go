package vrrp

import (
	"redkeep/internal/words"
)

// rise begins the way up: ask, probe, claim, promote, address, announce. Each step waits for the one before it. Where a master of
// less right is alive, it has the address until it hears the claim: there the claim comes before the probe.
func (r *router) rise() {
	r.preempts = r.lesser && r.m.now < r.masterUntil()
	r.takenUntil = words.Never
	if r.conf.Asks {
		r.next(Asking)
	} else {
		r.asked()
	}
}

// asked goes on where this host may rise.
func (r *router) asked() {
	if r.preempts {
		r.next(Claiming)
	} else {
		r.next(Probing)
	}
}

// probed goes on after the probe. Whoever leaves the address may be a moment late, and is not reported for it.
func (r *router) probed(failed string) {
	now := r.m.now
	if r.state == Backup && now.Sub(r.stepAt) > r.conf.Interval {
		// A question takes milliseconds. A host that did not run meanwhile may have a master waiting in its queues.
		r.rest()
		return
	}
	if r.takenUntil == words.Never {
		r.takenUntil = now.Add(r.conf.Interval)
	}
	switch {
	case failed == "" && r.preempts:
		r.next(Promoting)
	case failed == "":
		r.next(Claiming)
	case now < r.takenUntil:
		r.stepUntil = min(r.takenUntil, now.Add(r.conf.Interval/probes))
	default:
		r.refuse(Trouble{What: Taken, Theirs: failed})
		r.giveUp()
	}
}

// next begins a step. Tickets of the step before it mean nothing any more.
func (r *router) next(s Step) {
	id := r.conf.ID
	r.step, r.stepAt, r.stepUntil = s, r.m.now, r.m.now.Add(patience)
	if s == Claiming {
		r.claim()
		return
	}
	r.awaited = r.m.ticket(r)
	switch s {
	case Asking:
		r.m.do(Ask{ID: id, Ticket: r.awaited, Question: Claim, Peer: r.master})
	case Probing:
		r.m.do(Probe{id, r.awaited})
	case Promoting:
		r.m.do(Promote{id, r.awaited})
	case Adding:
		r.m.do(SetAddress{id, r.awaited, r.until})
	case Demoting:
		r.m.do(Demote{id, r.awaited})
	case Dropping:
		r.m.do(DropAddress{id, r.awaited})
	}
}

// claim sends the first advertisement, with which the host is the master for the others. Until it has left, there is no lease to
// count, and the time it may take is that of one.
func (r *router) claim() {
	if until := r.holdsAll(); until > r.m.now {
		r.rest()
		r.held, r.downAt = true, until
		return
	}
	r.awaited, r.sent, r.yield, r.answeredAt = 0, r.sent[:0], nil, 0
	r.state, r.rose = Master, true
	r.until = r.m.now.Add(r.conf.Lease)
	r.advertise(r.priority())
}

// done is the answer to a ticket.
func (r *router) done(e Done) {
	if y := r.yield; y != nil && y.ticket == e.Ticket {
		r.answered(y, e.Failed)
		return
	}
	for i, s := range r.sent {
		if s.ticket == e.Ticket {
			r.sent = append(r.sent[:i], r.sent[i+1:]...)
			r.advertised(s, e.Failed)
			return
		}
	}
	if e.Ticket == r.awaited {
		r.stepEnded(e.Failed)
	}
}

// failures are what it is called that a step failed.
var failures = [...]What{
	Asking: Refused, Claiming: Unsent, Promoting: Unpromoted, Adding: Unset, Demoting: Undemoted, Dropping: Undropped,
}

// stepEnded goes on to the next step. One that failed on the way up ends it; the way down goes on.
func (r *router) stepEnded(failed string) {
	r.awaited, r.stepUntil = 0, words.Never
	if r.step == Probing {
		r.probed(failed)
		return
	}
	if failed != "" && r.step != Standing {
		r.refuse(Trouble{What: failures[r.step], Theirs: failed})
	}
	switch {
	case r.step.falling():
		r.fallOn(failed != "")
	case failed != "":
		r.giveUp()
	case r.step == Asking:
		r.asked()
	case r.step == Promoting:
		r.next(Adding)
	case r.step == Adding:
		r.stand()
	}
}

// stand is the end of the way up.
func (r *router) stand() {
	r.step = Standing
	r.allow()
	r.burst = burst{r.conf.Announce.Repeat, r.conf.Announce.Again}
	r.announce()
	r.turned()
}

// giveUp goes back to Backup from a way up that failed, and waits as if a master had been heard. Others are invited if they heard a
// claim.
func (r *router) giveUp() {
	if r.state == Backup {
		r.left = true
		r.rest()
		return
	}
	r.fall(Backup, true)
	r.downAt = r.m.now.Add(r.down())
}
