package vrrp

import (
	"net/netip"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// yielding is that somebody of more right was heard, and that it is asked whether to believe it.
type yielding struct {
	ticket decide.Ticket
	from   netip.Addr
	advert Advert
}

// heardAsMaster is RFC 5798, section 6.4.3, for an advertisement.
func (r *router) heardAsMaster(from netip.Addr, a Advert) {
	if a.Priority == leaving {
		r.advertise(r.priority())
		return
	}
	switch {
	case !r.outranked(from, a.Priority):
		r.contend(from)
	case r.conf.Asks:
		r.askToYield(from, a)
	default:
		r.yieldTo(from, a)
	}
}

// clash is that somebody takes itself for the master whom this host can't understand. Two that can't are not told apart by an
// election, so that each must know what it would have said: on the way up the lesser goes back and holds back. A master that
// stands stays, since whoever can reach the segment could end it otherwise; but where there is somebody to ask, that decides.
func (r *router) clash(e Heard) {
	a := e.Advert
	if e.Broken == "" && !r.outranked(e.From, a.Priority) {
		return
	}
	switch {
	case r.step != Standing:
		r.giveUp()
	case r.conf.Asks:
		r.askToYield(e.From, a)
	}
}

// outranked reports whether a master has more right to the addresses.
func (r *router) outranked(from netip.Addr, priority uint8) bool {
	mine := r.priority()
	return priority > mine || priority == mine && !from.Less(r.conf.Source)
}

// askToYield asks whether somebody of more right is to be believed, one at a time.
func (r *router) askToYield(from netip.Addr, a Advert) {
	if r.yield == nil {
		t := r.m.ticket(r)
		r.yield = &yielding{t, from, a}
		r.m.do(Ask{ID: r.conf.ID, Ticket: t, Question: Yield, Peer: from})
	}
}

// yieldTo leaves the address to a master of more right. No priority 0 follows: there is nobody to invite.
func (r *router) yieldTo(from netip.Addr, a Advert) {
	if r.conf.LastWord {
		r.advertise(r.priority())
	}
	r.master, r.masterHeard, r.lesser = from, r.m.now, false
	if r.conf.Version == 3 && a.Interval > 0 {
		r.masterInterval = a.Interval
	}
	r.preemptAt = 0
	r.fall(Backup, false)
	r.downAt = r.m.now.Add(r.down())
}

// contend answers a router of less right that takes itself for the master, so that it steps down, and tells the segment where the
// address really is. RFC 5798 has it discarded and RFC 9568 answered; keepalived answers. Whoever can reach the segment can
// have this done, hence the bound.
func (r *router) contend(from netip.Addr) {
	now := r.m.now
	if r.conf.QuietLower || r.answeredAt != 0 && now.Sub(r.answeredAt) < r.conf.Interval/leastAnswer {
		return
	}
	r.answeredAt = now
	r.advertise(r.priority())
	r.m.do(Contended{r.conf.ID, from})
	if r.step == Standing {
		c := r.conf.Announce
		r.burst = burst{c.LowerRepeat, c.LowerAgain}
		r.announce()
	}
}

// advertise sends one advertisement. One with priority 0 is the last, and starts no timer.
func (r *router) advertise(priority uint8) decide.Ticket {
	c, now := &r.conf, r.m.now
	t := r.m.ticket(r)
	if priority != leaving {
		r.advertAt = now.Add(c.Interval)
		r.sent = append(r.sent, sending{t, now})
		if len(r.sent) > mostSendings {
			delete(r.m.tickets, r.sent[0].ticket)
			r.sent = append(r.sent[:0], r.sent[1:]...)
		}
	}
	r.m.do(Advertise{ID: c.ID, Ticket: t, Link: c.Link, From: c.Source, To: c.to(), Hops: c.Hops, Advert: Advert{
		Version: c.Version, VRID: c.VRID, Priority: priority, Interval: c.Interval, Addresses: c.Addresses,
		Auth: c.Auth, Secret: c.Secret, PlainSum: c.PlainSum,
	}})
	return t
}

// advertised is that an advertisement left, or did not. Only one that left renews the address, from when it was decided on: the others
// wait from then or later.
func (r *router) advertised(s sending, failed string) {
	if r.state != Master {
		return
	}
	if failed != "" {
		r.refuse(Trouble{What: Unsent, Theirs: failed})
		if r.step == Claiming {
			r.giveUp()
		}
		return
	}
	if until := s.at.Add(r.conf.Lease); until > r.until {
		r.until = until
	}
	switch r.step {
	case Claiming:
		if r.preempts {
			r.next(Probing)
		} else {
			r.next(Promoting)
		}
	case Standing:
		r.m.do(SetAddress{ID: r.conf.ID, Until: r.until})
		r.allow()
	}
}

// burst is announcements that are due, and after how long as many again.
type burst struct {
	repeat int
	again  time.Duration
}

// announce tells the segment where the address is, and plans the next time.
func (r *router) announce() {
	c := r.conf.Announce
	now := r.burst
	r.announceAt = words.Never
	switch {
	case now.again > 0:
		r.burst.again, r.announceAt = 0, r.m.now.Add(now.again)
	case c.Refresh > 0:
		r.burst.repeat, r.announceAt = c.RefreshRepeat, r.m.now.Add(c.Refresh)
	}
	if now.repeat > 0 {
		r.m.do(Announce{r.conf.ID, now.repeat})
	}
}

// answered is whether to believe a master of more right.
func (r *router) answered(y *yielding, failed string) {
	r.yield = nil
	switch {
	case r.state != Master:
	case failed == "":
		r.yieldTo(y.from, y.advert)
	default:
		r.m.do(Report{ID: r.conf.ID, Trouble: Trouble{What: Refused, Peer: y.from, Theirs: failed}})
		r.contend(y.from)
	}
}
