package sentinel

import (
	"time"

	"redkeep/internal/words"
)

// tendInstance does what is due for an instance, and says when to look again.
func (m *Machine) tendInstance(i *instance) words.Instant {
	next := m.sendDue(i)
	if m.tilt {
		return min(next, m.tiltSince.Add(m.periods.Tilt))
	}
	next = min(next, m.checkSubjectively(i))
	if i.kind == master {
		next = min(next, m.tendMaster(i.group))
	}
	return max(next, m.now.Add(time.Millisecond))
}

// tendMaster goes on with whatever a master that is down needs.
func (m *Machine) tendMaster(g *group) words.Instant {
	m.checkObjectively(g)
	next := min(m.startIfNeeded(g), m.advance(g))
	return min(next, m.askAll(g, false))
}

// prompt looks at a group's master now: something has happened that it may have waited for.
func (m *Machine) prompt(g *group) { m.rouse(&g.master.timer, m.now) }

// sendDue sends the INFO and the hello that are due, and says when the next are. Both may wait a little for a ping to travel with.
func (m *Machine) sendDue(i *instance) words.Instant {
	if !i.link.open() {
		return words.Never
	}
	next := words.Never
	if i.kind != sentinel && !i.infoAsked {
		at := i.infoAt.Add(m.infoPeriod(i)) + m.patience(i)
		if stray := m.strayUntil(i); i.infoAt < stray {
			at = min(at, stray)
		}
		if i.infoAt == 0 || at <= m.now {
			m.askInfo(i)
		} else {
			next = min(next, m.unhurried(i, at))
		}
	}
	if !i.greeting && m.mayGreet(i) {
		if at := i.greetedAt.Add(m.periods.Publish).Add(late); i.greetedAt == 0 || at <= m.now {
			m.greet(i)
		} else {
			next = min(next, together(at))
		}
	}
	return next
}

// strayUntil is when a server that calls itself a master beside the group's own is to be made a replica, 0 for all others. It is asked
// for its role then; the Sentinels do so one after the other, so that one order is enough.
func (m *Machine) strayUntil(i *instance) words.Instant {
	if i.kind != replica || !i.saysMaster || i.promotedInThis {
		return 0
	}
	return i.roleSince.Add(4*m.periods.Publish + time.Duration(1+m.rank(i.group))*stagger)
}

// patience is by how much an INFO may be late: not at all while something happens to the server.
func (m *Machine) patience(i *instance) words.Instant {
	if m.infoPeriod(i) < m.periods.Info {
		return 0
	}
	return words.Instant(late)
}

// together moves what has time to the next of the instants that many such things share: a thousand groups cost much less when their
// pings leave by the dozen, and are answered so. What an outage is noticed by, and all that follows it, is not moved.
func together(at words.Instant) words.Instant {
	return (at + words.Instant(bundle) - 1) / words.Instant(bundle) * words.Instant(bundle)
}

// unhurried is together for an INFO, unless something happens to the server.
func (m *Machine) unhurried(i *instance, at words.Instant) words.Instant {
	if m.patience(i) == 0 {
		return at
	}
	return together(at)
}

// sendAlong sends with a ping what would soon be due by itself: one packet instead of two.
func (m *Machine) sendAlong(i *instance) {
	if !i.link.open() || len(i.link.users) > 1 {
		return
	}
	if i.kind != sentinel && !i.infoAsked && m.since(i.infoAt) > m.infoPeriod(i)/16*15 {
		m.askInfo(i)
	}
	if !i.greeting && m.mayGreet(i) && m.since(i.greetedAt) > m.periods.Publish/8*7 {
		m.greet(i)
	}
}

// infoPeriod is how often a server is asked for INFO: a replica more often while its master is down or being replaced, or where it has
// lost it, and much more often while an order that it was given takes effect, since others wait for that.
func (m *Machine) infoPeriod(i *instance) time.Duration {
	g := i.group
	switch {
	case i.kind == replica && (i.reconf == reconfSent || i.reconf == reconfInProgress || i == g.failover.promoted && g.failover.state == waitPromotion):
		return min(hurried, m.periods.Info)
	case i.kind == replica && (g.master.oDown || g.failover.under() || i.infoAt != 0 && i.linkDown > 0):
		return min(busyInfo, m.periods.Info)
	default:
		return m.periods.Info
	}
}

func (m *Machine) askInfo(i *instance) {
	m.do(AskInfo{i.link.id, i.id, i.group.word("INFO")})
	i.link.pending++
	i.infoAsked = true
}

// mayGreet reports whether a hello can be sent: who observes sends none, and before the connection stands its own address on it is not known.
func (m *Machine) mayGreet(i *instance) bool {
	return !m.setup.Observe && i.link.commands.state == up
}

func (m *Machine) greet(i *instance) {
	g := i.group
	m.do(Greet{i.link.id, i.id, g.word("PUBLISH"), Hello{
		Addr: m.self(i.link), ID: m.myID, CurrentEpoch: m.currentEpoch,
		Group: g.name, Master: m.told(g.address()), ConfigEpoch: g.configEpoch,
	}})
	i.link.pending++
	i.greeting = true
}

// told is an address as others are told it: Host is what they read.
func (m *Machine) told(a Address) Address { a.Host = m.show(a); return a }

// self is this Sentinel's address for who is at the other end of a link.
func (m *Machine) self(l *link) Address {
	port := m.setup.Port
	if m.setup.TLSPort != 0 {
		port = m.setup.TLSPort
	}
	if m.announcePort != 0 {
		port = m.announcePort
	}
	if m.announceIP != "" {
		return At(m.announceIP, port)
	}
	return Address{l.localText, l.local, port, true}
}

// onGreeted notes that a hello was taken; one that was not is sent again with the next ping at the latest.
func (m *Machine) onGreeted(i *instance, ok bool) {
	i.greeting = false
	if ok {
		i.greetedAt = m.now
	}
	next := m.now.Add(m.periods.Ping)
	if ok {
		next = together(m.now.Add(m.periods.Publish).Add(late))
	}
	m.rouse(&i.timer, next)
}

// greetAll has everybody of the group told at once how things are.
func (m *Machine) greetAll(g *group) {
	g.all(func(i *instance) {
		i.greetedAt = 0
		m.rouse(&i.timer, m.now)
	})
}
