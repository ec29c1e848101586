package register

import (
	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// WouldVote says why this voter would not vote for the candidate now, without any change (rule pre-vote). releases are
// those that the candidate has heard: they are final for what they name, whoever passes them on.
func (v *Voter) WouldVote(at words.Instant, from words.Node, p decide.PreVote) words.Reason {
	if r := v.votes(); !r.Zero() {
		return r
	}
	if at < v.settle {
		return words.Reason{Code: words.RestartWaiting, Node: v.setup.Self, N: v.settle.Sub(at).Milliseconds()}
	}
	g, held := v.Granting(at)
	if !held || g.Holder == from || v.setup.Off.Off(decide.VoteWaitsGrant) || p.Handover {
		return words.Reason{}
	}
	for _, r := range p.Releases {
		if r.Holder == g.Holder && g.Epoch <= r.Epoch && !g.at.above(mark{r.Session, r.Seq}) {
			return words.Reason{}
		}
	}
	return words.Reason{Code: words.GrantHeld, Node: g.Holder, N: g.Until.Sub(at).Milliseconds()}
}

// Vote gives the vote, in memory, or says why not. The caller persists Register before it answers, and calls Voted when it
// is on disk (rule durable-vote).
func (v *Voter) Vote(at words.Instant, from words.Node, session words.Session, q decide.Vote) words.Reason {
	for _, r := range q.Releases {
		v.Release(at, r)
	}
	if r := v.refuseVote(at, from, session, q); !r.Zero() {
		return r
	}
	v.seen = max(v.seen, q.Epoch)
	v.Register.Vote = words.Ballot{Epoch: q.Epoch, Holder: from, RunID: q.Claim.Server.RunID}
	v.Register.Seen = v.seen
	v.Register.LMax = max(v.Register.LMax, q.Lease)
	if !v.setup.Off.Off(decide.VoteIsGrant) {
		m := mark{session, q.Seq}
		v.last[from] = m
		v.Grant = Grant{Holder: from, Epoch: q.Epoch, Until: at.Add(q.Lease), at: m}
	}
	return words.Reason{}
}

func (v *Voter) refuseVote(at words.Instant, from words.Node, session words.Session, q decide.Vote) words.Reason {
	off, vote := v.setup.Off, v.Register.Vote
	if r := v.otherList(q.Generation, q.List); !r.Zero() {
		return r
	}
	if q.Epoch > v.seen+maxJump {
		return words.Reason{Code: words.EpochTooHigh, N: int64(q.Epoch), M: int64(v.seen)}
	}
	again := q.Epoch == vote.Epoch && vote.Holder == from && vote.RunID == q.Claim.Server.RunID
	if q.Epoch <= vote.Epoch && !again {
		if off.Off(decide.VoteNamesHolder) && q.Epoch == vote.Epoch {
			return words.Reason{}
		}
		return words.Reason{Code: words.VotedAlready, Node: vote.Holder, N: int64(vote.Epoch)}
	}
	if q.Epoch < v.seen {
		return words.Reason{Code: words.OlderEpoch, Node: from, N: int64(q.Epoch), M: int64(v.seen)}
	}
	if r := v.WouldVote(at, from, decide.PreVote{}); !r.Zero() {
		return r
	}
	return v.refuseMark(from, q.Epoch, mark{session, q.Seq})
}

// Voted refreshes the grant that goes with a vote, now that the vote is on disk and the answer leaves.
func (v *Voter) Voted(at words.Instant, from words.Node, q decide.Vote) {
	if v.Grant.Holder == from && v.Grant.Epoch == q.Epoch && !v.Grant.Released {
		v.Grant.Until = max(v.Grant.Until, at.Add(q.Lease))
	}
}

// Readmit admits the store above the highest epoch that the others know, in which it votes for nobody (rule readmission).
func (v *Voter) Readmit(seen words.Epoch, generation uint64, members []words.Node) {
	v.seen = max(v.seen, seen)
	v.Register.Admitted = true
	v.Register.Seen = v.seen
	v.Register.Vote = words.Ballot{Epoch: v.seen}
	v.Register.Generation, v.Register.Members = generation, members
}
