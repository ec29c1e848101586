package peermsg

import "redkeep/internal/decide"

// The messages of an election.

func (w *wire) preVote(m *decide.PreVote) {
	unsigned(w, &m.Round)
	w.claim(&m.Claim)
	w.rows(&m.Rows)
	w.releases(&m.Releases)
	w.flags(&m.Handover, &m.Reclaim)
	choice(w, &m.Basis, decide.BasisChosen)
	w.settled(&m.Claim)
}

func (w *wire) preVoted(m *decide.PreVoted) {
	unsigned(w, &m.Round)
	w.flags(&m.Yes)
	w.reason(&m.Reason)
	unsigned(w, &m.Seen)
	w.maybeClaim(&m.Claim)
	w.rows(&m.Rows)
	w.settled(m.Claim)
}

func (w *wire) vote(m *decide.Vote) {
	unsigned(w, &m.Epoch)
	unsigned(w, &m.Seq)
	w.duration(&m.Lease)
	unsigned(w, &m.Generation)
	w.claim(&m.Claim)
	w.rows(&m.Rows)
	w.releases(&m.Releases)
	w.flags(&m.Reclaim)
	choice(w, &m.Basis, decide.BasisChosen)
	if w.more() {
		w.random(&m.List)
	}
	w.settled(&m.Claim)
}

func (w *wire) voted(m *decide.Voted) {
	unsigned(w, &m.Epoch)
	unsigned(w, &m.Session)
	unsigned(w, &m.Seq)
	w.duration(&m.Lease)
}
