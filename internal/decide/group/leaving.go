package group

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/decide/takeover"
	"redkeep/internal/words"
)

// takeoverEnd is what a release says beside its reason.
type takeoverEnd struct {
	unfit     bool
	successor words.Node
	offset    words.Offset
	then      func()
}

// leaving is a lease on its way out: shut, reset, released; then the release is repeated until it has been heard.
type leaving struct {
	walk    *takeover.Walk
	release decide.Release
	end     takeoverEnd
	// until is the end of the hold: by then the kernel has shut the gate whatever came of the order to.
	until words.Instant
	sent  bool
	pause time.Duration // between the last two copies of the release
	deaf  map[words.Node]bool
	again words.Instant
	stop  words.Instant
	// failed says that the gate could not be shut.
	failed bool
}

// shutting reports whether the gate is being shut, so that what it refuses must not be taken away yet.
func (l *leaving) shutting() bool {
	return l != nil && l.walk.Now() == takeover.Shut && !l.failed
}

// letGo ends this node's lease. The epoch is over for it for good (rules lapse, release-final).
func (m *Machine) letGo(why words.Reason, end takeoverEnd) {
	h := m.holder
	until, _ := m.holdUntil()
	epoch := max(h.hold.Epoch, h.asked)
	m.holder, m.handover = nil, nil
	if m.candidate != nil && m.candidate.reclaim {
		epoch = max(epoch, m.candidate.vote.Epoch)
		m.candidate = nil
	}
	if m.setup.Off.Off(decide.ReleaseFinal) {
		m.undead = h // the mistake that the rule forbids: a late grant finds what was released
	}
	if end.unfit = end.unfit && !m.setup.Off.Off(decide.UnfitStandsDown); end.unfit {
		m.ban(why)
	}
	m.own.confirmed, m.own.held, m.own.heldTo = "", h.run, m.at
	m.note(why)
	r := decide.Release{
		Epoch: epoch, Holder: m.setup.Self, Session: m.boot.Session, Seq: m.seq,
		Reason: why, Successor: end.successor, Offset: end.offset, Unfit: end.unfit,
	}
	m.leaving = &leaving{walk: takeover.Down(m.setup.Off), release: r, end: end, until: until, deaf: map[words.Node]bool{}}
	m.walkDown()
}

// walkDown takes the next step down. A gate that can't be shut is asked again until the lease has run out by itself;
// nothing is released before it is shut (rule close-before-release).
func (m *Machine) walkDown() {
	l := m.leaving
	switch l.walk.Now() {
	case takeover.Shut:
		m.setGate(decide.GateState{Mode: decide.GateShut}, func(err string) {
			switch {
			case m.leaving != l:
			case err == "":
				l.walk.Done()
				m.walkDown()
			default:
				l.again, l.failed = m.at.Add(m.setup.Again()), true
			}
		})
	case takeover.ResetSockets:
		m.do(decide.ResetClients{Ticket: m.ticket(func(decide.Event) {})})
		l.walk.Done()
		m.walkDown()
	case takeover.DropVIP:
		m.leaveVIP()
		if m.vip.there && !m.vipSilenced() && !m.setup.Off.Off(decide.VIPGoneFirst) {
			return // tendLeaving goes on
		}
		l.walk.Done()
		m.walkDown()
	case takeover.Release:
		m.releaseAll()
		l.walk.Done()
		if l.walk.Now() != takeover.End {
			m.walkDown()
		}
	}
}

func (m *Machine) releaseAll() {
	l := m.leaving
	m.voter.Release(m.at, l.release)
	m.releases[m.setup.Self] = l.release
	for _, n := range m.others() {
		l.deaf[n] = true
		m.send(n, l.release)
	}
	l.sent, l.pause, l.again, l.stop = true, releaseRepeat, m.at.Add(releaseRepeat), m.at.Add(m.setup.Lease)
	m.nextTry = m.at.Add(m.backoff())
	if l.end.then != nil {
		l.end.then()
	}
	m.tellStatus()
}

// releaseRepeat is the time between the first two copies of a release to a node that has not acknowledged it. Later ones come after
// pauses that grow to a beat's.
const releaseRepeat = 15 * time.Millisecond

// tendLeaving asks for the gate to be shut again where that failed, and repeats the release to those who have not heard it.
func (m *Machine) tendLeaving() {
	l := m.leaving
	switch {
	case l == nil:
	case !l.sent && l.walk.Now() == takeover.DropVIP:
		m.awaitDrop(l)
	case !l.sent:
		m.shutAgain(l)
	case len(l.deaf) == 0 || m.at >= l.stop:
		m.leaving = nil
	case m.at >= l.again:
		l.pause = min(2*l.pause, max(m.setup.Again(), releaseRepeat))
		l.again = m.at.Add(l.pause)
		for _, n := range m.others() {
			if l.deaf[n] {
				m.send(n, l.release)
			}
		}
	}
}

// shutAgain retries a gate that could not be shut. Once the hold is over the kernel has shut it, and the voters' own clocks
// end the epoch: nothing is released then.
func (m *Machine) shutAgain(l *leaving) {
	if l.again == 0 || m.at < l.again {
		return
	}
	if m.at < l.until {
		l.again = 0
		m.walkDown()
		return
	}
	m.leftSilently(l)
}

// awaitDrop goes on when the address is gone. Where no gate covers it, nothing else keeps two hosts from answering for it (rule
// vip-gone-first); but an address that can't be taken off is not waited for longer than the others wait by themselves.
func (m *Machine) awaitDrop(l *leaving) {
	switch {
	case !m.vip.there:
		l.walk.Done()
		m.walkDown()
	case m.at >= l.until:
		m.leftSilently(l)
	}
}

// leftSilently ends the letting go of a lease that has run out by itself.
func (m *Machine) leftSilently(l *leaving) {
	m.leaving = nil
	if l.end.then != nil {
		l.end.then()
	}
}

func (m *Machine) wakeLeaving() words.Instant {
	l := m.leaving
	switch {
	case l != nil && !l.sent && l.walk.Now() == takeover.DropVIP:
		return l.until
	case l == nil, !l.sent && l.again == 0:
		return words.Never
	case !l.sent:
		return l.again
	}
	return min(l.again, l.stop)
}

// onRelease takes a release: its epoch is over for everybody.
func (m *Machine) onRelease(from words.Node, r decide.Release) {
	m.send(from, decide.ReleaseSeen{Epoch: r.Epoch, Session: r.Session, Seq: r.Seq})
	if old, ok := m.releases[r.Holder]; ok && (old.Epoch > r.Epoch || old.Epoch == r.Epoch && old.Session == r.Session && old.Seq >= r.Seq) {
		return
	}
	m.releases[r.Holder] = r
	ended := m.voter.Release(m.at, r)
	if h := m.target; h != nil && r.Successor != m.setup.Self {
		m.target = nil
	}
	if !ended {
		return
	}
	m.note(words.Reason{Code: words.Released, Node: r.Holder, N: int64(r.Epoch), Text: string(r.Reason.Code)})
	m.nextStatus = m.at
}

func (m *Machine) onReleaseSeen(from words.Node, r decide.ReleaseSeen) {
	if l := m.leaving; l != nil && l.sent && r.Epoch == l.release.Epoch && r.Seq == l.release.Seq {
		delete(l.deaf, from)
	}
}

// ban keeps a server that failed as master from standing for a while. A new process is judged anew.
func (m *Machine) ban(why words.Reason) {
	if why.Code == words.ServerGone || why.Code == words.ServerReplaced {
		return
	}
	ban := 3 * time.Second
	if why.Code == words.PromotionLate {
		ban = m.setup.Patience
	}
	m.own.bannedRun, m.own.bannedUntil = m.own.server.RunID, m.at.Add(ban)
}

// slept ends a lease that this agent slept through, before anything else is done. A shorter sleep is no silence of the server's.
func (m *Machine) slept(e decide.Slept) {
	m.health.Slept(m.at, e.For)
	if e.For < m.setup.Lease {
		return
	}
	why := words.Reason{Code: words.AgentSlept, Node: m.setup.Self, N: e.For.Milliseconds()}
	if m.holder != nil {
		m.letGo(why, takeoverEnd{})
		return
	}
	if m.resume != nil {
		m.resume = nil
	}
}
