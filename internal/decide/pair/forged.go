package pair

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// forgery counts the advertisements in the other node's name for which its agent asked nobody. Anybody on the segment can write them. Nothing
// is decided by that: as long as the agent is heard they are worth nothing, and one that has gone silent may have sent them. People are told.
type forgery struct {
	// heard is when the other agent last said something, unasked how many advertisements have come since it last asked for a lease, or kept one.
	heard   words.Instant
	unasked int
	// at is when there last were too many, 0 for never, and since when there first were, with no pause. noted is when that was last told.
	at, since, noted words.Instant
}

// mostUnasked is how many advertisements may come on one request: it is repeated for as long as the segment does not answer, six times at most.
const mostUnasked = 10

// leastAlarm is for how long at least the picture tells of them after the last of too many.
const leastAlarm = 10 * time.Second

// suspect takes note of an advertisement in the other node's name.
func (m *Machine) suspect() {
	f := &m.forgery
	if f.heard == 0 || m.at.Sub(f.heard) > m.setup.Down {
		f.unasked = 0
		return
	}
	if f.unasked++; f.unasked <= mostUnasked {
		return
	}
	if f.at == 0 || m.at.Sub(f.at) > m.alarm() {
		f.since = m.at
	}
	f.at = m.at
	if why := m.forged(); !why.Zero() && (f.noted == 0 || m.at.Sub(f.noted) >= noteEvery) {
		f.noted = m.at
		m.out = append(m.out, decide.Note{Reason: why})
	}
}

// alarm is for how long the picture tells of them.
func (m *Machine) alarm() time.Duration { return max(leastAlarm, m.setup.Down) }

// forged says that somebody advertises in the other node's name; zero where nobody did lately. Too many at one time are no sign of that: an agent or a
// host that did not run for a while gets what has waited for it in a burst, and advertisements come by another way than requests.
func (m *Machine) forged() words.Reason {
	if f := m.forgery; f.at == 0 || m.at.Sub(f.at) > m.alarm() || f.at.Sub(f.since) < m.setup.Down {
		return words.Reason{}
	}
	return words.Reason{Code: words.AdvertForged, Node: m.other()}
}

// other is the node that this one is a pair with.
func (m *Machine) other() words.Node {
	for _, n := range m.setup.Voters {
		if n != m.setup.Self && n != Segment {
			return n
		}
	}
	return ""
}
