package group

import "redkeep/internal/words"

// vacancy is the time without a holder, as this node sees it.
type vacancy struct {
	// since is when the group was last without an open master; attempts in between that came to nothing don't count.
	since words.Instant
	// ended is the epoch that is over: a server is sealed for it once nothing of its holder reaches it any more.
	ended words.Epoch
	// sealed is when this node's own server was; 0 before.
	sealed words.Instant
	told   bool
	// retry is when an order to seal that failed goes again.
	retry words.Instant
}

// tendVacancy elects: it seals this node's server, compares it with the others', and stands when it is its turn.
func (m *Machine) tendVacancy() {
	if m.holder != nil || m.resume != nil || m.admission != nil || m.leaving != nil && !m.leaving.sent || m.ending != nil {
		m.vacancy = nil
		return
	}
	if why := m.clash(); !why.Zero() {
		m.vacancy = nil
		m.why = append(m.why, why)
		m.note(why)
		return
	}
	if why := m.voter.Free(m.at); !why.Zero() {
		m.vacancy = nil
		m.why = append(m.why, why)
		return
	}
	if b := m.lastBeat; m.voter.Grant.Epoch < b.epoch && m.heldElsewhere(m.voter.Register.Newest()) {
		m.vacancy = nil // its beats are refused here, for now: it is the master all the same
		m.why = append(m.why, words.Reason{Code: words.HolderHeard, Node: b.from})
		return
	}
	if m.vacancy == nil {
		m.beginVacancy()
	}
	if m.candidate != nil {
		m.why = append(m.why, words.Reason{Code: words.Elections, Node: m.setup.Self})
		return
	}
	if why := m.pauseHolds(); !why.Zero() {
		m.why = append(m.why, why)
		return
	}
	if !m.data() {
		return
	}
	if why := m.unkept(); !why.Zero() {
		m.why = append(m.why, why)
		return
	}
	if m.at < m.nextTry {
		if m.failures > 0 {
			m.why = append(m.why, m.failedFor)
		}
		return
	}
	if m.chosen.master == m.setup.Self && m.chosen.asked {
		m.standChosen()
		return
	}
	if !m.leased() {
		m.tendFirst()
		return
	}
	if !m.endKnown() || !m.lists().Majority(m.present) {
		m.why = append(m.why, words.Reason{Code: words.NoMajority, Node: m.setup.Self, N: int64(m.freeVoters()), M: int64(len(m.lists().Members))})
		return
	}
	if !m.sealOwn() {
		return
	}
	m.contest()
}

func (m *Machine) beginVacancy() {
	g := m.voter.Grant
	if m.bereft == 0 {
		m.bereft = m.at
	}
	m.vacancy = &vacancy{since: m.bereft, ended: max(g.Epoch, m.voter.Register.Newest().Epoch, m.voter.Register.Vote.Epoch)}
	if m.leased() && g.Holder != "" && !g.Released && g.Holder != m.setup.Self {
		m.note(words.Reason{Code: words.HolderLost, Node: g.Holder, N: int64(g.Epoch)})
	}
	m.nextStatus = m.at // the others count who is free
	if m.leaving == nil && m.data() && m.leased() {
		m.probeVIP() // ahead of standing: the answer takes about as long as the election
	}
}

// endKnown reports whether the last holder's epoch is known to be over: it was released, or a majority has no grant
// outstanding. One node that can't hear the holder must not cut its server from it.
func (m *Machine) endKnown() bool {
	if r, ok := m.releases[m.voter.Grant.Holder]; ok && r.Epoch >= m.voter.Grant.Epoch {
		return true
	}
	return m.lists().Majority(m.free)
}

func (m *Machine) free(n words.Node) bool {
	if n == m.setup.Self {
		return true
	}
	p := m.peers[n]
	return p != nil && p.status.Free && m.at.Sub(p.statusAt) <= 2*m.statusEvery()+m.setup.Lease/2
}

// present reports whether a node is heard: no vote is asked for by one that can't hear a majority.
func (m *Machine) present(n words.Node) bool {
	return m.heardWithin(n, m.setup.Lease+2*m.statusEvery())
}

func (m *Machine) freeVoters() int {
	count := 0
	for _, n := range m.lists().Members {
		if m.free(n) {
			count++
		}
	}
	return count
}

func (m *Machine) wakeVacancy() words.Instant {
	v := m.vacancy
	if v == nil {
		if g, held := m.voter.Granting(m.at); held {
			return g.Until
		}
		if at := m.voter.Settled(); m.at < at {
			return at
		}
		return words.Never
	}
	if m.candidate != nil || !m.data() {
		return words.Never
	}
	at := words.Never
	for _, next := range []words.Instant{m.nextTry, v.retry, m.contestAt(), v.since.Add(m.setup.ColdStartWait), v.since.Add(m.setup.Patience)} {
		if next > m.at {
			at = min(at, next)
		}
	}
	return at
}
