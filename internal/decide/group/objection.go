package group

import (
	"redkeep/internal/decide"
	"redkeep/internal/decide/rank"
	"redkeep/internal/words"
	"slices"
)

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
	return m.forgotten(from, c, st)
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

// keysKnown is how many keys this node's server has, or had when it was last recorded; on a witness, the last holder's. A server that restarted without any
// does not win by its record against one that has some.
func (m *Machine) keysKnown() int64 {
	if !m.data() {
		return m.voter.Register.ReachKeys
	}
	if m.own.known && m.own.server.Keys > 0 {
		return m.own.server.Keys
	}
	return m.own.record.Keys
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
func (m *Machine) forgotten(from words.Node, c decide.Claim, st rank.Standing) words.Reason {
	r, short := m.voter.Register, rank.Short(c, st)
	if m.setup.Off.Off(decide.WitnessMemory) {
		return words.Reason{}
	}
	newest := r.Newest()
	if st.Held && st.Epoch >= newest.Epoch || newest.Holder == from && !st.Cold || m.counted(from, c, st) {
		return words.Reason{} // the last holder itself, or one that had all that it had
	}
	if r.InSyncEpoch < newest.Epoch && st.Epoch >= newest.Epoch && !c.Fresh {
		return words.Reason{} // nobody here remembers who was in sync, but it has the newest row
	}
	lack := m.lack(c, st)
	if lack == 0 {
		return words.Reason{}
	}
	if st.Cold || short {
		return words.Reason{Code: words.DataMissing, Node: r.Newest().Holder, Other: from, N: lack}
	}
	if !m.patienceOver() {
		return words.Reason{Code: words.NotInSync, Node: from, N: lack}
	}
	m.note(words.Reason{Code: words.LossyElection, Node: from, N: lack, M: int64(m.voter.Seen())})
	return words.Reason{}
}

// inLastSync reports whether the last holder, as far as any is known, counted the node as in sync.
func (m *Machine) inLastSync(n words.Node) bool {
	r := m.voter.Register
	return r.InSyncEpoch > 0 && r.InSyncEpoch >= r.Newest().Epoch && slices.Contains(r.InSync, n)
}

// counted reports whether the last holder counted a candidate as in sync with the data that it has. It had others where the server came
// back with an old snapshot, or was copied since (rule copy-settles).
func (m *Machine) counted(n words.Node, c decide.Claim, st rank.Standing) bool {
	return m.inLastSync(n) && !rank.Short(c, st) && !c.Fresh
}

// lack is how many bytes a candidate lacks of what is recorded anywhere. A fresh copy lacks what nobody knows of: what its master wrote
// since, which is more than was last heard of it; so does one that restarted then and stands by its record.
func (m *Machine) lack(c decide.Claim, st rank.Standing) int64 {
	if c.Fresh {
		return max(1, m.missing(st))
	}
	return m.missing(st)
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

// patienceOver reports whether the group has been without a holder for so long that worse data are better than none.
func (m *Machine) patienceOver() bool {
	return m.vacancy != nil && m.at >= m.vacancy.since.Add(m.setup.Patience)
}
