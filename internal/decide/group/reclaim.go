package group

import (
	"redkeep/internal/decide"
	"redkeep/internal/words"
	"time"
)

// reclaiming reports whether a vote for keeping the hold is under way: no beats go out meanwhile.
func (m *Machine) reclaiming() bool {
	return m.candidate != nil && m.candidate.reclaim && m.candidate.voting
}

// tendReclaim asks for an epoch above a vote that was cast ahead or elsewhere, without letting go: once the margin is gone, or
// when things have been calm for a while, since a voter that refuses this epoch neither grants nor has its server follow
// (rule reclaim).
func (m *Machine) tendReclaim() {
	h := m.holder
	if h == nil || !h.open || m.candidate != nil || m.handover != nil || m.setup.Off.Off(decide.ReclaimHold) {
		return
	}
	renamed := m.renamed()
	if !h.refused && !renamed {
		return
	}
	until, _ := m.holdUntil()
	// Who does not hold has nothing to reclaim: a restarted holder that is refused may have been succeeded long ago.
	calm := m.at >= h.since.Add(m.calmAfter())
	if m.at < m.nextTry || m.at >= until || until.Sub(m.at) > m.lasts()/2 && !calm && !renamed {
		return
	}
	h.refused, h.since = false, m.at
	m.stand(decide.BasisLineage, false, true, nil)
}

// calmAfter is how long a holder that is refused waits with a reclaim that nothing presses for: while there are voters to spare, one
// election comes out of the way of the next; a bare majority has none to spare, and the next that falls silent ends the lease.
func (m *Machine) calmAfter() time.Duration {
	h, granting := m.holder, 0
	for _, n := range m.lists().Members {
		if h.beat.Seq > 0 && h.hold.GrantedBy(n, h.beat.Seq-1) {
			granting++
		}
	}
	if granting > len(m.lists().Members)/2+1 {
		return 2 * m.setup.Lease
	}
	return m.setup.Lease / 2
}

// renamed reports whether the holder's server has given its history another name. Redis does that to a master when its
// first replica comes, since it kept no backlog before, and when the last has been gone for an hour. Only a row that has the
// new name lets the replicas stand, and rows are one to an epoch.
func (m *Machine) renamed() bool {
	s := m.own.server
	return s.RunID == m.holder.run && s.Role == words.RoleMaster && s.ReplID != "" && s.ReplID != m.holder.row.ReplID
}
