package group

import (
	"maps"
	"slices"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// admission is the time in which an empty or lost store neither votes nor grants (rule readmission).
type admission struct {
	nonce   uint64
	answers map[words.Node]decide.Readmitted
	again   words.Instant
}

const readmitEvery = 200 * time.Millisecond

func (m *Machine) beginAdmission() {
	m.admission = &admission{nonce: m.setup.Random(), answers: map[words.Node]decide.Readmitted{}}
}

// fresh reports whether this store has taken part in nothing yet.
func (m *Machine) fresh() bool {
	return m.voter.Seen() == 0 && m.voter.Register.Vote.Epoch == 0 && !m.boot.Lost
}

func (m *Machine) tendAdmission() {
	a := m.admission
	if a == nil {
		return
	}
	m.why = append(m.why, words.Reason{Code: words.NotAdmitted, Node: m.setup.Self})
	if m.at >= a.again {
		a.again = m.at.Add(readmitEvery)
		m.sendAll(decide.Readmit{Nonce: a.nonce})
	}
}

// onReadmit says what this voter knows, to one that has lost its store or never had one. One that has lost its own knows
// nothing that could be counted.
func (m *Machine) onReadmit(from words.Node, r decide.Readmit) {
	reg := m.voter.Register
	m.peers[from].lostAt = m.at
	if !reg.Admitted && !m.fresh() && !m.setup.Off.Off(decide.Readmission) {
		return
	}
	var newest words.Row
	if !m.gone {
		newest = reg.Newest()
	}
	m.send(from, decide.Readmitted{
		Nonce: r.Nonce, Seen: m.voter.Seen(), Fresh: m.fresh(), Generation: reg.Generation,
		Members: append([]words.Node(nil), reg.Members...), LMax: reg.LMax, Row: newest,
		Pause: m.pause(),
	})
}

// onReadmitted counts answers to this start's nonce. n-m+1 others are needed (m the majority), so that one of them was in
// every majority that this store may have been part of; and they must all be new, or all not.
func (m *Machine) onReadmitted(from words.Node, r decide.Readmitted) {
	a := m.admission
	if a == nil || r.Nonce != a.nonce && !m.setup.Off.Off(decide.ReadmissionNonce) {
		return
	}
	a.answers[from] = r
	m.learn([]words.Row{r.Row})
	m.hearPause(r.Pause)
	fresh, old := 0, 0
	best, clash := a.newestList(m.voter.Register.Members)
	for _, ans := range a.answers {
		if ans.Fresh {
			fresh++
		} else {
			old++
		}
		best.Seen, best.LMax = max(best.Seen, ans.Seen), max(best.LMax, ans.LMax)
	}
	n := len(m.lists().Members)
	if best.Generation > m.voter.Register.Generation {
		n = len(best.Members) // recovered without this node, which votes again when it has been taken in
	}
	need := n - (n/2 + 1) + 1
	switch {
	case clash:
	case old >= need:
		m.admit(best, max(best.LMax, m.setup.Lease))
	case fresh >= need && old == 0 && m.fresh():
		m.admit(best, 0)
	}
}

// newestList returns the answer with the list of voters of the latest generation: this node's own one where there are several of the
// first, which files that differ make. Of a later generation there are several only where persons recovered on both sides of a cut;
// that is a clash, and a person decides it.
func (a *admission) newestList(own []words.Node) (best decide.Readmitted, clash bool) {
	for _, n := range slices.Sorted(maps.Keys(a.answers)) {
		ans := a.answers[n]
		switch {
		case ans.Generation > best.Generation:
			best.Generation, best.Members, clash = ans.Generation, ans.Members, false
		case ans.Generation < best.Generation || sameNodes(ans.Members, best.Members):
		case ans.Generation > 1:
			clash = true
		case sameNodes(ans.Members, own):
			best.Members = ans.Members
		}
	}
	return best, clash
}

func (m *Machine) admit(best decide.Readmitted, wait time.Duration) {
	m.admission = nil
	m.voter.Readmit(best.Seen, best.Generation, best.Members)
	m.voter.Register.LMax = max(m.voter.Register.LMax, wait)
	m.voter.Settle(m.at.Add(wait))
	m.note(words.Reason{Code: words.Readmittance, Node: m.setup.Self, N: int64(best.Seen)})
	m.persist(nil)
	m.nextStatus = m.at
}

func (m *Machine) wakeAdmission() words.Instant {
	if m.admission == nil {
		return words.Never
	}
	return m.admission.again
}
