package vrrp

import (
	"net/netip"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// router is one virtual router of this host, RFC 5798's state machine and the steps up and down.
type router struct {
	m     *Machine
	conf  Router
	group *group

	state State
	step  Step
	// told is the state that a Turned was last about.
	told State
	// sourceless says that this host has no address of its own there.
	sourceless bool

	// Of Backup. masterInterval is Master_Adver_Interval; downAt is when Master_Down_Timer fires; preemptAt is when a master of lower
	// priority is not obeyed any more; lesser says that the master is one that is not; held that the timer fired and a trouble was in
	// the way.
	masterInterval    time.Duration
	downAt, preemptAt words.Instant
	master            netip.Addr
	masterHeard       words.Instant
	lesser, held      bool

	// Of Master. advertAt is when Adver_Timer fires; until is the end of the address's lease; sent are advertisements that nobody has
	// said yet to have left, with their instants.
	advertAt, announceAt, answeredAt words.Instant
	burst                            burst
	until                            words.Instant
	sent                             []sending
	yield                            *yielding

	// awaited is the ticket of the present step, stepAt its beginning, and stepUntil its bound. drop and resign say how the way down goes: the address before
	// the role, and with an advertisement of priority 0 at its end.
	awaited           decide.Ticket
	stepAt, stepUntil words.Instant
	drop, resign      bool
	// preempts is that the claim comes before the probe; takenUntil is for how long somebody's answer to it may be one that is going.
	preempts   bool
	takenUntil words.Instant

	rivals  []rival
	refusal Trouble
	// rose and left are for the group, which moves after each Step.
	rose, left bool
}

// sending is an advertisement that has not been answered for.
type sending struct {
	ticket decide.Ticket
	at     words.Instant
}

// mostSendings is how many of them may be on their way; an older one's answer is late by too much to mean anything.
const mostSendings = 4

func newRouter(m *Machine, conf Router) *router {
	return &router{
		m: m, conf: conf, masterInterval: conf.Interval,
		downAt: words.Never, advertAt: words.Never, announceAt: words.Never, until: words.Never, stepUntil: words.Never,
	}
}

// skew and down are the timers of the present priority and master.
func (r *router) skew() time.Duration { return skew(r.conf.Version, r.priority(), r.masterInterval) }
func (r *router) down() time.Duration {
	return masterDown(r.conf.DownAdverts, r.conf.Version, r.priority(), r.masterInterval)
}

// wake returns when time itself is next an event here.
func (r *router) wake() words.Instant {
	next := words.Never
	for _, v := range r.rivals {
		next = min(next, v.until)
	}
	if r.step != Idle {
		next = min(next, r.stepUntil)
	}
	switch {
	case r.state == Master:
		next = words.Earliest(next, r.advertAt, r.announceAt, r.until)
	case r.state == Backup && r.step == Idle:
		next = min(next, r.downAt)
	}
	return next
}

// tend does what is due.
func (r *router) tend() {
	now := r.m.now
	r.forgetRivals()
	if r.step != Idle && now >= r.stepUntil {
		if r.step == Probing && r.awaited == 0 {
			r.next(Probing)
		} else {
			r.stepEnded("no answer")
		}
	}
	if r.state == Master {
		if now >= r.advertAt {
			r.advertise(r.priority())
		}
		if now >= r.announceAt {
			r.announce()
		}
	}
	if r.state == Backup && r.step == Idle && now >= r.downAt {
		r.expire()
	}
}

// guard deals with a turn that comes too late, before anything else is looked at. A host that did not run has lost its
// address, even if its kernel does not know yet; and what it has not heard meanwhile may be waiting in its queues.
func (r *router) guard() {
	now := r.m.now
	switch {
	case r.state == Master && now >= r.until:
		r.lapse()
	case r.state == Backup && r.step == Idle && r.downAt != words.Never && now.Sub(r.downAt) > r.conf.Interval/2:
		r.downAt = now.Add(r.down())
	}
}

// check looks at the router's checks again: it starts, becomes faulty, or begins anew.
func (r *router) check() {
	switch fault := r.faulty(); {
	case !r.m.began || r.m.stopping:
	case fault && r.state != Fault:
		r.fall(Fault, true)
	case fault || r.unknown():
	case (r.state == Initialize || r.state == Fault) && r.step == Idle:
		r.start()
	}
}

// start is RFC 5798, section 6.4.1, the event Startup.
func (r *router) start() {
	r.master, r.preemptAt, r.masterInterval = netip.Addr{}, 0, r.conf.Interval
	r.state, r.downAt = Backup, r.m.now.Add(r.down())
	if r.priority() == owner {
		r.downAt = r.m.now
		return
	}
	r.turned()
}

// stop is the event Shutdown of sections 6.4.2 and 6.4.3.
func (r *router) stop() {
	if r.state != Stopped {
		r.fall(Stopped, true)
	}
}

// turned tells of the state if it was not told yet and all that belongs to it is done.
func (r *router) turned() {
	settled := r.step == Idle || r.step == Standing || r.state == Backup && !r.step.falling()
	if settled && r.told != r.state {
		r.told = r.state
		r.m.do(Turned{r.conf.ID, r.state, r.priority()})
	}
}

// refuse tells why this host is not what it might be, once; allow that it is over.
func (r *router) refuse(t Trouble) {
	if r.refusal != t {
		r.refusal = t
		r.m.do(Report{ID: r.conf.ID, Trouble: t})
	}
}

func (r *router) allow() {
	if r.refusal != (Trouble{}) {
		r.m.do(Report{ID: r.conf.ID, Trouble: r.refusal, Over: true})
		r.refusal = Trouble{}
	}
}
