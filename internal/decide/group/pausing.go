package group

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// A pause is kept by the voters: each that knows of one votes for nobody who was not asked for. It is progress that it holds
// back and never safety, so that it may be inexact: it is written with the time that is left, and a voter whose agent was
// restarted counts on from there, for up to a minute more than it should; the others, who tell each other what they have left,
// correct that, since the shortest counts.

// pausing is a pause, or the end of one, on its way to a majority of the voters, as the agent that was asked leads it.
type pausing struct {
	id       uint64
	pause    words.Pause
	stored   map[words.Node]bool
	again    words.Instant
	deadline words.Instant
	// bumps counts how often a later version was met, and overtaken: two persons who ask at once must not do that for ever.
	bumps int
}

const (
	pauseRepeat = 50 * time.Millisecond
	pauseBudget = 5 * time.Second
	pauseBumps  = 3
	// pauseWritten is how old the time left on disk may become.
	pauseWritten = time.Minute
)

// pause is the latest that this node knows of, with what is left of it now.
func (m *Machine) pause() words.Pause {
	p := m.voter.Register.Pause
	if p.Left > 0 {
		p.Left = max(0, m.pauseEnd.Sub(m.at))
	}
	return p
}

// whyPaused says that the group is paused; zero where it is not.
func (m *Machine) whyPaused() words.Reason {
	p := m.pause()
	if p.Left <= 0 {
		return words.Reason{}
	}
	return words.Reason{Code: words.Paused, Node: p.By, N: p.Left.Milliseconds(), Text: p.Text}
}

// pauseForbids says why a pause keeps a candidate from being elected. Planned is a switchover or a holder that keeps its hold.
// A switchover's successor, and who a person chose, have been asked for; a master that stays where it was, in the same
// process, is no failover. No rule names this: it only holds progress back, and what it lets through is as safe as without it.
func (m *Machine) pauseForbids(from words.Node, c decide.Claim, b decide.Basis, planned bool, releases []decide.Release) words.Reason {
	why, row := m.whyPaused(), m.voter.Register.Newest()
	stays := row.Holder == from && row.RunID == c.Server.RunID
	if why.Zero() || planned || stays || b == decide.BasisChosen {
		return words.Reason{}
	}
	for _, r := range releases {
		if r.Successor == from && r.Holder == row.Holder && r.Epoch >= row.Epoch {
			return words.Reason{}
		}
	}
	if r := m.releases[row.Holder]; r.Successor == from && r.Epoch >= row.Epoch {
		return words.Reason{}
	}
	return why
}

// pauseHolds says why this node itself has to wait.
func (m *Machine) pauseHolds() words.Reason {
	if m.whyPaused().Zero() || m.chosen.master == m.setup.Self && m.chosen.asked {
		return words.Reason{}
	}
	return m.pauseForbids(m.setup.Self, m.claim(), decide.BasisLineage, false, nil)
}

// askPause begins a pause, or ends one, for a person.
func (m *Machine) askPause(id uint64, p words.Pause) {
	switch {
	case m.admission != nil || m.disk.broken != "":
		m.reply(id, words.Reason{Code: words.NotAdmitted, Node: m.setup.Self, Text: m.disk.broken})
		return
	case m.pausing != nil:
		m.reply(id, words.Reason{Code: words.PauseOvertaken, Node: m.setup.Self})
		return
	}
	p.By, p.Count = m.setup.Self, m.voter.Register.Pause.Count+1
	m.pausing = &pausing{id: id, pause: p, deadline: m.at.Add(pauseBudget)}
	m.leadPause()
}

// leadPause takes the pause on here, and asks everybody for it anew.
func (m *Machine) leadPause() {
	g := m.pausing
	p := g.pause
	g.stored, g.again = map[words.Node]bool{}, m.at
	m.takePause(p)
	m.persist(func() {
		if m.pausing == g && g.pause.Same(p) {
			g.stored[m.setup.Self] = true
		}
	})
}

// takePause makes a version this node's own.
func (m *Machine) takePause(p words.Pause) {
	was, r := m.whyPaused(), &m.voter.Register
	r.Pause, m.pauseEnd = p, m.at.Add(min(p.Left, words.LongestPause))
	m.disk.dirty, m.nextStatus = true, m.at
	switch now := m.whyPaused(); {
	case !now.Zero():
		m.note(now)
	case !was.Zero():
		m.unpaused(words.Reason{Code: words.PauseLifted, Node: p.By})
	}
}

// unpaused lets elections go on. The time of the pause counts for no patience: whoever has better data may just have come back.
func (m *Machine) unpaused(why words.Reason) {
	m.note(why)
	if m.bereft != 0 {
		m.bereft = m.at
	}
	if m.vacancy != nil {
		m.vacancy.since = m.at
	}
}

// hearPause takes what another knows: a later version, or less time that is left of this one.
func (m *Machine) hearPause(p words.Pause) {
	own := m.pause()
	switch {
	case p.Newer(own) && m.pausing != nil && m.pausing.bumps < pauseBumps:
		// What this agent was asked for is later than what it had not heard of.
		m.pausing.bumps++
		m.pausing.pause.Count = p.Count + 1
		m.leadPause()
	case p.Newer(own):
		m.takePause(p)
	case p.Same(own) && p.Left < own.Left:
		m.pauseEnd = m.at.Add(p.Left)
	}
}

// onPausing answers, once it is on disk, with the latest that is known here; or counts such an answer.
func (m *Machine) onPausing(from words.Node, msg decide.Pausing) {
	g := m.pausing
	if msg.Answer && g != nil && msg.Pause.Same(g.pause) {
		g.stored[from] = true
		return
	}
	m.hearPause(msg.Pause)
	if msg.Answer || m.disk.broken != "" {
		return
	}
	p := m.pause()
	yes := func() { m.send(from, decide.Pausing{Pause: p, Answer: true}) }
	if m.pauseStored.Same(p) {
		yes()
		return
	}
	m.persist(func() {
		m.pauseStored = p
		yes()
	})
}

// tendPausing ends a pause in time, keeps what is left of it on disk, and asks those who have not answered.
func (m *Machine) tendPausing() {
	p := &m.voter.Register.Pause
	if p.Left > 0 && m.at >= m.pauseEnd {
		p.Left = 0
		m.disk.dirty, m.nextStatus = true, m.at
		m.unpaused(words.Reason{Code: words.PauseOver, Node: p.By})
	}
	if p.Left > 0 && m.at >= m.disk.wrote.Add(pauseWritten) {
		m.disk.dirty = true
	}
	g := m.pausing
	switch {
	case g == nil:
	case !g.pause.Same(*p):
		m.endPausing(words.Reason{Code: words.PauseOvertaken, Node: p.By})
	case m.lists().Majority(func(n words.Node) bool { return g.stored[n] }):
		m.endPausing(words.Reason{})
	case m.at >= g.deadline:
		m.failPausing()
	case m.at >= g.again:
		g.again = m.at.Add(pauseRepeat)
		for _, n := range m.others() {
			if !g.stored[n] {
				m.send(n, decide.Pausing{Pause: m.pause()})
			}
		}
	}
}

func (m *Machine) endPausing(why words.Reason) {
	id := m.pausing.id
	m.pausing = nil
	m.reply(id, why)
}

// failPausing takes back a pause that no majority has: it would hold elections back without preventing them. The end of a pause
// stays, since it is right whoever hears of it.
func (m *Machine) failPausing() {
	g := m.pausing
	why := words.Reason{Code: words.NoMajority, Node: m.setup.Self, N: int64(len(g.stored)), M: int64(len(m.lists().Members))}
	if g.pause.Left > 0 {
		m.takePause(words.Pause{Count: g.pause.Count + 1, By: m.setup.Self, For: g.pause.For})
	} else {
		why.Text = "the pause is over here, and for whoever is heard later"
	}
	m.endPausing(why)
}

func (m *Machine) wakePausing() words.Instant {
	at := words.Never
	if m.voter.Register.Pause.Left > 0 {
		at = m.pauseEnd
		if m.disk.broken == "" && !m.gone {
			at = min(at, m.disk.wrote.Add(pauseWritten))
		}
	}
	if g := m.pausing; g != nil {
		at = min(at, g.again, g.deadline)
	}
	return at
}
