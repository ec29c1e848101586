package group

import (
	"redkeep/internal/decide"
	"redkeep/internal/decide/rank"
	"redkeep/internal/words"
	"time"
)

type rankEntry = rank.Entry

// successorWait is how long the others hold back at least for the successor that a release names.
const successorWait = 50 * time.Millisecond

// holdBack is how long they do: it has the release to hear first, then asks twice. The two of a pair that stand at once take each other's
// vote, and the one that handed over would be the first to try again.
func (m *Machine) holdBack() time.Duration {
	return min(max(3*m.slowest(), successorWait), m.setup.Lease/2)
}

// stagger is what each place behind the best waits longer.
const stagger = 10 * time.Millisecond

// contest stands when nobody better will.
func (m *Machine) contest() {
	m.order = rank.Order(m.setup.Data, m.claims(), m.voter.Register.Rows, m.setup.Off)
	place := rank.Place(m.order, m.setup.Self)
	if place == 0 {
		m.why = append(m.why, m.outReason())
		return
	}
	if at := m.standAt(place); m.at < at {
		m.why = append(m.why, words.Reason{Code: words.Elections, Node: m.setup.Self, N: at.Sub(m.at).Milliseconds()})
		return
	}
	basis, why := m.basis(m.order[place-1])
	if !why.Zero() {
		m.why = append(m.why, why)
		return
	}
	m.stand(basis, false, false, nil)
}

func (m *Machine) outReason() words.Reason {
	for _, e := range m.order {
		if e.Node == m.setup.Self {
			return e.Out
		}
	}
	return words.Reason{Code: words.Witness, Node: m.setup.Self}
}

// sealWait is how long a server may take to be cut off and to tell: twice the drain, and the ways of the order and the message.
const sealWait = 2*sealDrain + 20*time.Millisecond

// standAt is this node's turn: at once when it is the best of all that it heard of within a lease and all have spoken. Where somebody
// has not, who may have more, it waits for as long as that one's seal takes; behind somebody better, a few round trips and a
// stagger for each place.
func (m *Machine) standAt(place int) words.Instant {
	v := m.vacancy
	turn := v.sealed
	if s, at := m.successor(); s == m.setup.Self {
		return turn
	} else if s != "" {
		turn = max(turn, at.Add(m.holdBack()))
	}
	if place > 1 {
		turn = max(turn, v.sealed.Add(min(max(3*m.slowest(), 5*time.Millisecond), 50*time.Millisecond)))
	}
	if !m.allSpoke() {
		turn = max(turn, v.sealed.Add(min(max(3*m.slowest(), sealWait), 50*time.Millisecond)))
	}
	if place > 1 && m.order[place-1].Standing.Cold {
		// Somebody better has been heard, and has perhaps only started later: it gets its restart wait.
		turn = max(turn, v.since.Add(m.setup.Lease))
	}
	if place > 1 && m.loses(m.order[place-1]) && !m.setup.Off.Off(decide.BestFirst) {
		// Nobody is elected with such data before the patience is over, which is at once for all: the better of them gets a lease's lead.
		turn = max(turn, v.since.Add(m.setup.Patience+m.setup.Lease))
	}
	return turn.Add(time.Duration(place-1) * stagger)
}

// loses reports whether this node's election would lose what the last holder is known to have had: it waits until patience is over.
func (m *Machine) loses(e rank.Entry) bool {
	return !m.counted(m.setup.Self, e.Claim, e.Standing) && m.lack(e.Claim, e.Standing) > 0
}

// contestAt is when this node's turn to stand comes, as far as is known now.
func (m *Machine) contestAt() words.Instant {
	if m.vacancy.sealed == 0 || len(m.order) == 0 {
		return words.Never
	}
	if place := rank.Place(m.order, m.setup.Self); place > 0 {
		return m.standAt(place)
	}
	return words.Never
}

// successor is whom the last release names, and since when the group has been without a holder.
func (m *Machine) successor() (words.Node, words.Instant) {
	r, ok := m.releases[m.voter.Grant.Holder]
	if !ok || r.Successor == "" || r.Epoch < m.vacancy.ended {
		return "", 0
	}
	return r.Successor, m.vacancy.since
}

// allSpoke reports whether every data node heard of within a lease has said where its server was when it was cut off.
func (m *Machine) allSpoke() bool {
	for _, n := range m.setup.Data {
		p := m.peers[n]
		if n == m.setup.Self || p == nil || !m.heardWithin(n, m.setup.Lease) {
			continue
		}
		if r, ok := m.releases[n]; ok && r.Unfit && r.Epoch >= m.vacancy.ended {
			continue
		}
		if c := p.status.Claim; c != nil && (c.Fit || copying(c.Unfit.Code)) && c.Sealed < m.vacancy.ended {
			return false
		}
	}
	return true
}

// copying reports whether a server that is unfit by its last word may be whole by now: its copy has come since.
func copying(why words.Code) bool {
	return why == words.ServerEmpty || why == words.ServerSyncing || why == words.ServerLoading
}

// claims are what every data node heard of late says of its server, and what this one is.
func (m *Machine) claims() map[words.Node]decide.Claim {
	claims := map[words.Node]decide.Claim{}
	for _, n := range m.setup.Data {
		if n == m.setup.Self {
			if m.own.known || m.own.record.RunID != "" {
				claims[n] = m.claim()
			}
			continue
		}
		if p := m.peers[n]; p != nil && p.status.Claim != nil && m.heardWithin(n, 2*m.statusEvery()+m.setup.Lease) {
			c := *p.status.Claim
			if r, ok := m.releases[n]; ok && r.Unfit && r.Epoch >= m.voter.Register.Newest().Epoch && c.Server.RunID == m.voter.Register.Newest().RunID && c.Fit {
				c.Fit, c.Unfit = false, r.Reason
			}
			claims[n] = c
		}
	}
	return claims
}

// basis says on what this node may stand, or what it must wait for. A server that has its history stands on it. One that
// restarted stands at once if it held the lease or had all that the holder had; others wait for somebody better, and so does
// one that came back with an old snapshot.
func (m *Machine) basis(e rank.Entry) (decide.Basis, words.Reason) {
	newest, short := m.voter.Register.Newest(), rank.Short(e.Claim, e.Standing)
	if !e.Standing.Cold && (!short || newest.Holder == m.setup.Self) {
		return decide.BasisLineage, words.Reason{}
	}
	if e.Standing.Held && e.Standing.Epoch >= newest.Epoch || m.counted(m.setup.Self, e.Claim, e.Standing) {
		return decide.BasisCold, words.Reason{}
	}
	if wait := m.vacancy.since.Add(m.setup.ColdStartWait); m.at < wait {
		return 0, words.Reason{Code: words.ColdWaiting, Node: newest.Holder, N: wait.Sub(m.at).Milliseconds()}
	}
	if missing := m.lack(e.Claim, e.Standing); missing > 0 {
		return 0, words.Reason{Code: words.DataMissing, Node: newest.Holder, N: missing}
	}
	if short {
		return decide.BasisLineage, words.Reason{}
	}
	return decide.BasisCold, words.Reason{}
}
