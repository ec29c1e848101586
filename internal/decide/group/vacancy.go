package group

import (
	"slices"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/decide/rank"
	"redkeep/internal/words"
)

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

type rankEntry = rank.Entry

// successorWait is how long the others hold back for the successor that a release names.
const successorWait = 50 * time.Millisecond

// stagger is what each place behind the best waits longer.
const stagger = 10 * time.Millisecond

// tendVacancy elects: it seals this node's server, compares it with the others', and stands when it is its turn.
func (m *Machine) tendVacancy() {
	if m.holder != nil || m.resume != nil || m.admission != nil || m.leaving != nil && !m.leaving.sent || m.ending != nil {
		m.vacancy = nil
		return
	}
	if why := m.voter.Free(m.at); !why.Zero() {
		m.vacancy = nil
		m.why = append(m.why, why)
		return
	}
	if m.vacancy == nil {
		m.beginVacancy()
	}
	if m.candidate != nil {
		m.why = append(m.why, words.Reason{Code: words.Elections, Node: m.setup.Self})
		return
	}
	if !m.data() || m.at < m.nextTry {
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

// sealOwn cuts this node's server from the old master, and reports whether it is cut and stays so.
func (m *Machine) sealOwn() bool {
	v := m.vacancy
	if !m.own.usable(m) || m.own.apart() {
		if v.sealed == 0 {
			v.sealed = m.at
			m.own.sealed = max(m.own.sealed, v.ended)
			m.nextStatus = m.at
		}
		return true
	}
	if m.at >= v.retry {
		m.sealThen(func() {}, func(words.Reason) { v.retry = m.at.Add(20 * time.Millisecond) })
	}
	return false
}

// sealThen orders the seal. What a dead master had sent may first arrive; a silent one has sent nothing for a lease.
func (m *Machine) sealThen(then func(), failed func(words.Reason)) {
	if m.desk.busy {
		failed(words.Reason{Code: words.Elections, Node: m.setup.Self})
		return
	}
	ended := m.voter.Seen()
	var drain time.Duration
	if _, released := m.releases[m.own.masterNode(m)]; released {
		drain = 5 * time.Millisecond
	}
	m.instruct(decide.Seal{RunID: m.own.server.RunID, Drain: drain}, func(d decide.Ordered) {
		if d.Err != "" || !m.own.apart() {
			failed(words.Reason{Code: words.ServerSilent, Node: m.setup.Self, Text: d.Err})
			return
		}
		m.own.sealed = max(m.own.sealed, ended)
		if m.vacancy != nil {
			m.vacancy.sealed = m.at
		}
		m.note(words.Reason{Code: words.Sealed, Node: m.setup.Self, M: int64(m.own.server.Offset)})
		m.nextStatus = m.at
		then()
	})
}

// mustSeal reports whether this node's server still hears an old master while a vote is asked for (rule vote-seals).
func (m *Machine) mustSeal(from words.Node, q decide.Vote) bool {
	if m.setup.Off.Off(decide.VoteSeals) || !m.data() || !m.leased() || !m.own.usable(m) || m.own.apart() {
		return false
	}
	if q.Reclaim || m.own.masterNode(m) == from {
		return false
	}
	return m.voter.WouldVote(m.at, from, decide.PreVote{Releases: q.Releases}).Zero()
}

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

// standAt is this node's turn: at once when it is the best of all that it heard of within a lease, a few round trips later
// when somebody has not spoken yet, and a stagger later for each place behind the best.
func (m *Machine) standAt(place int) words.Instant {
	v := m.vacancy
	turn := v.sealed
	if s, at := m.successor(); s == m.setup.Self {
		return turn
	} else if s != "" {
		turn = max(turn, at.Add(successorWait))
	}
	if place > 1 || !m.allSpoke() {
		turn = max(turn, v.sealed.Add(min(max(3*m.slowest(), 5*time.Millisecond), 50*time.Millisecond)))
	}
	return turn.Add(time.Duration(place-1) * stagger)
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
		if c := p.status.Claim; c != nil && c.Fit && c.Sealed < m.vacancy.ended {
			return false
		}
	}
	return true
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
// restarted stands at once if it held the lease or had all that the holder had; others wait for somebody better.
func (m *Machine) basis(e rank.Entry) (decide.Basis, words.Reason) {
	if !e.Standing.Cold {
		return decide.BasisLineage, words.Reason{}
	}
	newest := m.voter.Register.Newest().Epoch
	if e.Standing.Held && e.Standing.Epoch >= newest || m.inLastSync(m.setup.Self) {
		return decide.BasisCold, words.Reason{}
	}
	if wait := m.vacancy.since.Add(m.setup.ColdStartWait); m.at < wait {
		r := words.Reason{Code: words.ColdWaiting, Node: m.voter.Register.Newest().Holder, N: wait.Sub(m.at).Milliseconds()}
		return 0, r
	}
	if missing := m.missing(e.Standing); missing > 0 {
		return 0, words.Reason{Code: words.DataMissing, Node: m.voter.Register.Newest().Holder, N: missing}
	}
	return decide.BasisCold, words.Reason{}
}

// inLastSync reports whether the last holder, as far as any is known, counted the node as in sync.
func (m *Machine) inLastSync(n words.Node) bool {
	r := m.voter.Register
	return r.InSyncEpoch > 0 && r.InSyncEpoch >= r.Newest().Epoch && slices.Contains(r.InSync, n)
}

// missing is how many bytes recorded anywhere a standing lacks; an epoch that is known and that it lacks counts as one at least.
func (m *Machine) missing(st rank.Standing) int64 {
	r := m.voter.Register
	if newest := r.Newest().Epoch; newest > st.Epoch {
		return max(1, int64(r.Reach-st.Offset))
	}
	if r.InSyncEpoch != st.Epoch {
		return 0
	}
	return max(0, int64(r.Reach-st.Offset))
}

// objection says why this voter holds a candidate's data not good enough: its own server's are better (rule rank-in-vote),
// or were before it fell silent (rule unfit-veto), or the last holder did not count the candidate as in sync (rule witness-memory).
func (m *Machine) objection(from words.Node, c decide.Claim, b decide.Basis, handover bool) words.Reason {
	switch b {
	case decide.BasisChosen:
		return words.Reason{}
	case decide.BasisFirst:
		return m.objectionFirst(from)
	}
	st, ok := rank.Of(c, from, m.voter.Register.Rows, m.setup.Off)
	if !ok {
		return words.Reason{Code: words.NoLineage, Node: from, Other: m.setup.Self}
	}
	if handover {
		return words.Reason{}
	}
	if keys := m.keysKnown(); st.Cold && c.Server.Keys == 0 && keys > 0 {
		return words.Reason{Code: words.ServerEmpty, Node: from, N: keys}
	}
	if why := m.betterOwn(from, st); !why.Zero() {
		return why
	}
	return m.forgotten(from, st)
}

// keysKnown is how many keys this node's server has, or had when it was last recorded. A server that restarted without any
// does not win by its record against one that has some.
func (m *Machine) keysKnown() int64 {
	if !m.data() {
		return 0
	}
	if m.own.known && m.own.server.Keys > 0 {
		return m.own.server.Keys
	}
	return m.own.record.Keys
}

// objectionFirst is for a group that was never leased: a voter whose server holds data of its own gives way to a person only.
func (m *Machine) objectionFirst(from words.Node) words.Reason {
	s := m.own.server
	if len(m.voter.Register.Rows) > 0 {
		return words.Reason{Code: words.NoLineage, Node: from, Other: m.setup.Self}
	}
	if from != m.setup.Self && m.own.known && s.Role == words.RoleMaster && (s.Keys > 0 || len(s.Replicas) > 0) {
		return words.Reason{Code: words.ServersDiffer, Node: m.setup.Self, Other: from, N: s.Keys}
	}
	return words.Reason{}
}

func (m *Machine) betterOwn(from words.Node, st rank.Standing) words.Reason {
	if !m.data() || from == m.setup.Self {
		return words.Reason{}
	}
	off, c := m.setup.Off, m.claim()
	own, ok := rank.Of(c, m.setup.Self, m.voter.Register.Rows, off)
	if !c.Fit {
		if off.Off(decide.UnfitVeto) {
			return words.Reason{}
		}
		// The record is a second old at times: what was last seen of the server counts where it is better.
		rec := rank.Standing{Epoch: m.own.record.Epoch, Offset: m.own.record.Position.Offset}
		if rec.Epoch > 0 && (!ok || rank.Compare(rec, own) > 0) {
			own, ok = rec, true
		}
		if c.Unfit.Code == words.ServerEmpty || c.Unfit.Code == words.ServerForeign {
			return words.Reason{}
		}
	}
	if off.Off(decide.RankInVote) || !ok || rank.Compare(own, st) <= 0 {
		return words.Reason{}
	}
	if !c.Fit && m.patienceOver() {
		m.note(words.Reason{Code: words.LossyElection, Node: from, N: int64(own.Offset - st.Offset), M: int64(m.voter.Seen())})
		return words.Reason{}
	}
	return words.Reason{Code: words.WorseThanOwn, Node: from, Other: m.setup.Self, N: int64(own.Offset - st.Offset)}
}

// forgotten objects, while there is hope for better, to a candidate that the last holder had not counted as in sync.
func (m *Machine) forgotten(from words.Node, st rank.Standing) words.Reason {
	r := m.voter.Register
	if m.setup.Off.Off(decide.WitnessMemory) {
		return words.Reason{}
	}
	newest := r.Newest()
	if st.Held && st.Epoch >= newest.Epoch || newest.Holder == from && !st.Cold || m.inLastSync(from) {
		return words.Reason{} // the last holder itself, or one that had all that it had
	}
	if r.InSyncEpoch < newest.Epoch && st.Epoch >= newest.Epoch {
		return words.Reason{} // nobody here remembers who was in sync, but it has the newest row
	}
	lack := m.missing(st)
	if lack == 0 {
		return words.Reason{}
	}
	if st.Cold {
		return words.Reason{Code: words.DataMissing, Node: r.Newest().Holder, Other: from, N: lack}
	}
	if !m.patienceOver() {
		return words.Reason{Code: words.NotInSync, Node: from, N: lack}
	}
	m.note(words.Reason{Code: words.LossyElection, Node: from, N: lack, M: int64(m.voter.Seen())})
	return words.Reason{}
}

// patienceOver reports whether the group has been without a holder for so long that worse data are better than none.
func (m *Machine) patienceOver() bool {
	return m.vacancy != nil && m.at >= m.vacancy.since.Add(m.setup.Patience)
}

// tendFirst is the first start of a group: an existing master is adopted, several empty servers get one.
func (m *Machine) tendFirst() {
	if !m.own.usable(m) {
		m.why = append(m.why, words.Reason{Code: words.NotSeen, Node: m.setup.Self})
		return
	}
	node, why := rank.First(m.setup.Data, m.claims())
	if node != m.setup.Self {
		if why.Zero() {
			why = words.Reason{Code: words.SomebodyBetter, Node: node}
		}
		m.why = append(m.why, why)
		if why.Code == words.ServersDiffer {
			m.note(why)
		}
		return
	}
	m.stand(decide.BasisFirst, false, false, nil)
}

// standChosen stands because a person said so.
func (m *Machine) standChosen() {
	if !m.own.usable(m) {
		m.why = append(m.why, words.Reason{Code: words.NotSeen, Node: m.setup.Self})
		return
	}
	if m.leased() && !m.sealOwn() {
		return
	}
	m.stand(decide.BasisChosen, false, false, nil)
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
