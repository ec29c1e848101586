package group

import (
	"slices"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// lastBeat is the last heartbeat that this voter granted or could have.
type lastBeat struct {
	from  words.Node
	epoch words.Epoch
	at    words.Instant
}

// onBeat grants the holder's request, or refuses it.
func (m *Machine) onBeat(from words.Node, session words.Session, b decide.Beat) {
	if b.Row.Epoch != 0 {
		m.learn([]words.Row{b.Row})
	}
	why, persist := m.voter.Beat(m.at, from, session, b)
	if persist {
		m.promise()
		return
	}
	noVoter := why.Code == words.NotMember && b.Generation == m.voter.Register.Generation
	if (why.Code == words.VotedAlready || noVoter) && b.Row.Epoch == b.Epoch {
		// Only who was elected beats: it is the master all the same, and this node's server follows it.
		m.lastBeat = lastBeat{from, b.Epoch, m.at}
	}
	if !why.Zero() {
		m.refuse(from, b.Epoch, session, b.Seq, why)
		return
	}
	if h := m.holder; h != nil && h.hold.Epoch < b.Epoch {
		m.letGo(words.Reason{Code: words.Superseded, Node: from, N: int64(b.Epoch)}, takeoverEnd{})
	}
	// The target of a switchover asks while the holder is heard: that is what it is asked for.
	if c := m.candidate; c != nil && c.forTarget == nil && c.vote.Epoch < b.Epoch && m.holder == nil {
		m.giveUp(words.Reason{Code: words.HolderHeard, Node: from})
	}
	fresh := m.lastBeat.epoch != b.Epoch || m.lastBeat.from != from
	m.lastBeat = lastBeat{from, b.Epoch, m.at}
	m.vacancy = nil
	m.rememberReach(b.Epoch, b)
	m.send(from, decide.Grant{Epoch: b.Epoch, Session: session, Seq: b.Seq, Lease: b.Lease})
	if b.Row.Epoch == b.Epoch {
		m.bereft = 0
		m.heed(b.Row.Holder)
		m.announce(b.Row)
	}
	if fresh {
		m.nextStatus = m.at
	}
}

// rememberReach keeps what the holder says of itself and of who is in sync (rule witness-memory). It goes to disk lazily,
// but at once where somebody is no longer in sync: if all agents restarted now, nobody else would know that he is not.
func (m *Machine) rememberReach(e words.Epoch, b decide.Beat) {
	if b.Row.Epoch != e {
		return // it has not opened yet: what the holder before it said still counts
	}
	r := &m.voter.Register
	if e < r.InSyncEpoch {
		return
	}
	lost := slices.ContainsFunc(r.InSync, func(n words.Node) bool { return !slices.Contains(b.InSync, n) })
	urgent := e != r.InSyncEpoch || lost
	if r.Reach != b.Position.Offset {
		m.disk.dirty = true
	}
	r.InSyncEpoch, r.InSync, r.Reach = e, append([]words.Node(nil), b.InSync...), b.Position.Offset
	if urgent && m.disk.broken == "" {
		m.persist(nil)
	}
}
