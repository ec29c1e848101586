package group

import (
	"slices"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

const (
	// settled is for how long the preferred node must have been in sync before the group goes back to it: one that comes and goes
	// would take the master with it each time.
	settled = 3 * time.Second
	// preferAgain is the pause after a switchover to it that came to nothing.
	preferAgain = 30 * time.Second
)

// preferring is the holder's way back to the preferred node: a switchover like one that a person asks for, so that nothing is lost.
type preferring struct {
	since words.Instant // it has been in sync; 0 while it is not
	next  words.Instant
}

// tendPreferring goes back to the preferred node when its server has been in sync for a while. A paused group stays where it is.
func (m *Machine) tendPreferring() {
	to := m.setup.Prefer
	h := m.holder
	able := to != "" && to != m.setup.Self && m.setup.FailBack && h != nil && h.open && m.handover == nil && m.ending == nil &&
		m.pauseHolds().Zero() && slices.Contains(m.level(), to)
	if !able {
		m.prefers.since = 0
		return
	}
	if m.prefers.since == 0 {
		m.prefers.since = m.at
	}
	if m.at < m.wakePreferring() {
		return
	}
	m.note(words.Reason{Code: words.FailingBack, Node: to, Other: m.setup.Self})
	m.beginHandover(to, func(why words.Reason) {
		if !why.Zero() {
			m.prefers.next = m.at.Add(preferAgain)
		}
	})
}

func (m *Machine) wakePreferring() words.Instant {
	if m.prefers.since == 0 {
		return words.Never
	}
	return max(m.prefers.since.Add(settled), m.prefers.next)
}

// window opens or closes the hours in which the group may go back.
func (m *Machine) window(w decide.FailBackWindow) { m.setup.FailBack = w.Open }
