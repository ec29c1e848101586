package register

import (
	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// Beat grants the holder's request, from now for the lease that it asks for (rule lease-in-message), or says why not. A
// lease longer than any before must be on disk first: then persist is true, nothing is granted, and a beat that comes after
// Stored will be.
func (v *Voter) Beat(at words.Instant, from words.Node, session words.Session, b decide.Beat) (refusal words.Reason, persist bool) {
	if r := v.refuseBeat(from, session, b); !r.Zero() {
		return r, false
	}
	v.seen = max(v.seen, b.Epoch)
	if b.Lease > v.stored && !v.setup.Off.Off(decide.LMax) {
		v.Register.LMax = max(v.Register.LMax, b.Lease)
		return words.Reason{}, true
	}
	lease := b.Lease
	if v.setup.Off.Off(decide.LeaseInMessage) {
		lease = v.setup.Lease
	}
	m := mark{session, b.Seq}
	v.last[from] = m
	v.Grant = Grant{Holder: from, Epoch: b.Epoch, Until: at.Add(lease), at: m}
	return words.Reason{}, false
}

func (v *Voter) refuseBeat(from words.Node, session words.Session, b decide.Beat) words.Reason {
	vote, g := v.Register.Vote, v.Grant
	off := v.setup.Off
	if r := v.member(); !r.Zero() {
		return r
	}
	if r := v.otherList(b.Generation, b.List); !r.Zero() {
		return r
	}
	if b.Epoch > v.seen+maxJump {
		return words.Reason{Code: words.EpochTooHigh, N: int64(b.Epoch), M: int64(v.seen)}
	}
	if b.Epoch < vote.Epoch && !off.Off(decide.RefuseOlder) {
		return words.Reason{Code: words.OlderEpoch, Node: from, N: int64(b.Epoch), M: int64(vote.Epoch)}
	}
	if b.Epoch < g.Epoch && !off.Off(decide.GrantMonotone) {
		return words.Reason{Code: words.OlderEpoch, Node: from, N: int64(b.Epoch), M: int64(g.Epoch)}
	}
	if !off.Off(decide.VoteNamesHolder) {
		if b.Epoch == vote.Epoch && vote.Holder != from {
			return words.Reason{Code: words.VotedAlready, Node: vote.Holder, N: int64(vote.Epoch)}
		}
		if b.Epoch == g.Epoch && g.Holder != from {
			return words.Reason{Code: words.VotedAlready, Node: g.Holder, N: int64(g.Epoch)}
		}
	}
	return v.refuseMark(from, b.Epoch, mark{session, b.Seq})
}

// refuseMark refuses what its holder has released, and what is older than a request already answered. The very same
// request again is answered again: it was repeated because the answer was lost.
func (v *Voter) refuseMark(from words.Node, e words.Epoch, m mark) words.Reason {
	t := v.tombs[from]
	if e <= t.epoch && !m.above(t.mark) && !v.setup.Off.Off(decide.ReleaseNames) {
		return words.Reason{Code: words.EpochReleased, Node: from, N: int64(t.epoch)}
	}
	if v.last[from].above(m) {
		return words.Reason{Code: words.StaleRequest, Node: from}
	}
	return words.Reason{}
}

// Release ends the grants that it names, and remembers what it names for ever (rules release-names, and the tombstone that
// keeps late beats from being granted again). It reports whether a grant was outstanding that has ended by it.
func (v *Voter) Release(at words.Instant, r decide.Release) bool {
	m := mark{r.Session, r.Seq}
	if !v.Saw(r.Epoch) {
		return false
	}
	if t := v.tombs[r.Holder]; r.Epoch > t.epoch || r.Epoch == t.epoch && m.above(t.mark) {
		v.tombs[r.Holder] = tomb{r.Epoch, m}
	}
	g := &v.Grant
	if g.Holder != r.Holder || g.Released {
		return false
	}
	named := g.Epoch <= r.Epoch && !g.at.above(m)
	if v.setup.Off.Off(decide.ReleaseNames) {
		named = true
	}
	if !named {
		return false
	}
	held := at < g.Until
	g.Released = true
	return held
}

// Released reports whether the holder has released the epoch. A later session of it may hold the epoch again.
func (v *Voter) Released(holder words.Node, e words.Epoch) bool {
	t, ok := v.tombs[holder]
	if g := v.Grant; g.Holder == holder && g.Epoch == e && !g.Released && g.at.above(t.mark) {
		return false
	}
	return ok && t.epoch >= e
}
