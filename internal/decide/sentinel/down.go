package sentinel

import (
	"strconv"

	"redkeep/internal/words"
)

// checkSubjectively says whether an instance is down as far as this Sentinel can tell: it has not answered a ping, or has been without a
// connection and a good answer, for down-after; a master also if it has called itself a replica for too long, or has restarted and not
// answered since. It returns when the answer may next change by itself.
func (m *Machine) checkSubjectively(i *instance) words.Instant {
	g, l := i.group, i.link
	next := m.now.Add(g.downAfter)
	silent := words.Never
	switch {
	case l.pinged != 0:
		silent = l.pinged.Add(g.downAfter)
	case i.disconnected():
		silent = l.alive.Add(g.downAfter)
	}
	demoted, rebooted := words.Never, words.Never
	if i.kind == master && !i.saysMaster {
		demoted = i.roleSince.Add(g.downAfter + 2*m.periods.Info)
	}
	if i.kind == master && i.rebooted && g.rebootDownAfter > 0 {
		rebooted = i.rebootedSince.Add(g.rebootDownAfter)
	}
	at := words.Earliest(silent, demoted, rebooted)
	m.setDown(i, at < m.now)
	if at >= m.now && at != words.Never {
		next = min(next, at+1)
	}
	return next
}

// setDown notes a change, and tells it.
func (m *Machine) setDown(i *instance, is bool) {
	if i.sDown == is {
		return
	}
	i.sDown = is
	if i.kind == master {
		m.press()
	}
	if is {
		i.sDownSince = m.now
		m.notice(Warning, "+sdown", i)
	} else {
		i.killedScript = false
		m.notice(Warning, "-sdown", i)
	}
	m.prompt(i.group)
}

// checkObjectively says whether enough Sentinels call the master down. What they said is forgotten in askAll.
func (m *Machine) checkObjectively(g *group) {
	i, agree := g.master, 0
	if i.sDown {
		agree = 1
		for _, s := range g.sentinels {
			if s.saysDown {
				agree++
			}
		}
	}
	is := i.sDown && agree >= g.quorum
	switch {
	case is && !i.oDown:
		i.oDown, i.oDownSince = true, m.now
		m.notice(Warning, "+odown", i, "#quorum", strconv.Itoa(agree)+"/"+strconv.Itoa(g.quorum))
		m.hurryReplicas(g)
	case !is && i.oDown:
		i.oDown = false
		m.notice(Warning, "-odown", i)
	}
}

// hurryReplicas asks the replicas for news: one of them is about to be chosen.
func (m *Machine) hurryReplicas(g *group) {
	for _, r := range g.replicas {
		m.rouse(&r.timer, m.now)
	}
}

// checkTilt notices that this process was stopped, or had no turn, for so long that what it believes of others is worth
// nothing. Sentinel compares the times of its timer; here it is by how much a turn came too late.
func (m *Machine) checkTilt() {
	late := m.Wake()
	if late != words.Never && m.now.Sub(late) > m.periods.TiltTrigger && late != 0 {
		m.tilt, m.tiltSince = true, m.now
		m.announce(Warning, "+tilt", "#tilt mode entered")
		m.rouseAll()
	}
	if m.tilt && m.since(m.tiltSince) >= m.periods.Tilt {
		m.tilt = false
		m.announce(Warning, "-tilt", "#tilt mode exited")
		m.rouseAll()
	}
}
