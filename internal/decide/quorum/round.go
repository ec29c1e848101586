package quorum

import (
	"redkeep/internal/words"
)

// Round is one attempt to be elected: a pre-vote, then a vote in an epoch that it names. It counts; it does not send.
type Round struct {
	ID    uint64
	Epoch words.Epoch // 0 while it is a pre-vote
	yes   map[words.Node]bool
	no    map[words.Node]words.Reason
}

// NewRound begins an attempt.
func NewRound(id uint64) *Round {
	return &Round{ID: id, yes: map[words.Node]bool{}, no: map[words.Node]words.Reason{}}
}

// Begin turns the attempt from the pre-vote to the vote in an epoch.
func (r *Round) Begin(e words.Epoch) {
	r.Epoch = e
	clear(r.yes)
	clear(r.no)
}

// Yes counts a voter's consent.
func (r *Round) Yes(n words.Node) {
	r.yes[n] = true
	delete(r.no, n)
}

// No counts a refusal; a voter that has said yes in the same step is bound by it.
func (r *Round) No(n words.Node, why words.Reason) {
	if !r.yes[n] {
		r.no[n] = why
	}
}

// Answered reports whether the voter has answered.
func (r *Round) Answered(n words.Node) bool { _, no := r.no[n]; return no || r.yes[n] }

// Said reports whether the voter has said yes. One that refuses a pre-vote may be asked again: its reason may be gone.
func (r *Round) Said(n words.Node) bool { return r.yes[n] }

// Won reports whether a majority said yes.
func (r *Round) Won(l Lists) bool { return l.Majority(func(n words.Node) bool { return r.yes[n] }) }

// Failed reports whether a majority can't be had any more, and one refusal that explains it. Once somebody has refused, nothing is
// expected of those who are absent.
func (r *Round) Failed(l Lists, absent func(words.Node) bool) (words.Reason, bool) {
	out := func(n words.Node) bool {
		_, no := r.no[n]
		return no || len(r.no) > 0 && !r.yes[n] && absent(n)
	}
	if l.Possible(out) {
		return words.Reason{}, false
	}
	for _, n := range l.All() {
		if why, no := r.no[n]; no {
			return why, true
		}
	}
	return words.Reason{Code: words.NoMajority}, true
}
