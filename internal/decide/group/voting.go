package group

import (
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
	if m.gone && b.Row.Epoch == b.Epoch && b.Epoch > m.voter.Register.Newest().Epoch {
		m.startAnew() // the others have, and this node missed it: when the group was left nobody could be elected in a later epoch
	}
	if b.Row.Epoch != 0 {
		m.learn([]words.Row{b.Row})
	}
	why, persist := m.voter.Beat(m.at, from, session, b)
	if persist {
		m.promise()
		return
	}
	noVoter := why.Code == words.NotMember && b.Generation == m.voter.Register.Generation && (b.List == 0 || b.List == m.list())
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
	m.vacancy, m.failures = nil, 0
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
// but at once where the set has changed: if all hosts went down now, nobody else would know who may win, and who may not.
func (m *Machine) rememberReach(e words.Epoch, b decide.Beat) {
	if b.Row.Epoch != e {
		return // it has not opened yet: what the holder before it said still counts
	}
	r := &m.voter.Register
	if e < r.InSyncEpoch {
		return
	}
	urgent := e != r.InSyncEpoch || !sameNodes(r.InSync, b.InSync) || r.ReachKeys == 0 && b.Keys > 0
	if r.Reach != b.Position.Offset {
		m.disk.dirty = true
	}
	r.InSyncEpoch, r.InSync, r.Reach, r.ReachKeys = e, append([]words.Node(nil), b.InSync...), b.Position.Offset, max(0, b.Keys)
	if urgent && m.disk.broken == "" {
		m.persist(nil)
	}
}

// onPreVote answers without any change of state.
func (m *Machine) onPreVote(from words.Node, p decide.PreVote) {
	m.learn(p.Rows)
	why := m.wouldVote(from, p)
	answer := decide.PreVoted{Round: p.Round, Yes: why.Zero(), Reason: why, Seen: m.voter.Seen(), Rows: m.rows()}
	if m.data() && m.own.known {
		c := m.claim()
		answer.Claim = &c
	}
	m.send(from, answer)
}

// wouldVote says why this voter would not vote for a candidate now.
func (m *Machine) wouldVote(from words.Node, p decide.PreVote) words.Reason {
	if m.disk.broken != "" {
		return words.Reason{Code: words.NotAdmitted, Node: m.setup.Self, Text: m.disk.broken}
	}
	if p.Handover && m.voter.Grant.Holder != "" {
		if at := m.at; at < m.voter.Settled() {
			return m.voter.WouldVote(at, from, p)
		}
	} else if why := m.voter.WouldVote(m.at, from, p); !why.Zero() {
		return why
	}
	if p.Reclaim && m.voter.Register.Newest().Holder == from {
		return words.Reason{}
	}
	if why := m.pauseForbids(from, p.Claim, p.Basis, p.Handover || p.Reclaim, p.Releases); !why.Zero() {
		return why
	}
	return m.objection(from, p.Claim, p.Basis, p.Handover)
}

// onVote gives this node's vote, or says why not. Its own server is cut from the old master first (rule vote-seals), and the
// vote is on disk before it is told (rule durable-vote).
func (m *Machine) onVote(from words.Node, session words.Session, q decide.Vote) {
	m.learn(q.Rows)
	refuse := func(why words.Reason) { m.refuse(from, q.Epoch, session, q.Seq, why) }
	if m.disk.broken != "" {
		refuse(words.Reason{Code: words.NotAdmitted, Node: m.setup.Self, Text: m.disk.broken})
		return
	}
	again := m.voter.Register.Vote.Epoch == q.Epoch && m.voter.Register.Vote.Holder == from
	if why := m.pauseForbids(from, q.Claim, q.Basis, q.Reclaim || again, q.Releases); !why.Zero() {
		refuse(why)
		return
	}
	if m.mustSeal(from, q) {
		if m.desk.busy {
			return // the server has an order already, perhaps this very seal: the candidate will ask again
		}
		m.sealThen(func() { m.onVote(from, session, q) }, func(why words.Reason) { refuse(why) })
		return
	}
	if !again && !(q.Reclaim && m.voter.Register.Newest().Holder == from) {
		if why := m.objection(from, q.Claim, q.Basis, false); !why.Zero() {
			refuse(why)
			return
		}
	}
	if why := m.voter.Vote(m.at, from, session, q); !why.Zero() {
		refuse(why)
		return
	}
	if m.candidate != nil && m.candidate.voting && m.candidate.vote.Epoch <= q.Epoch {
		m.giveUp(words.Reason{Code: words.Superseded, Node: from, N: int64(q.Epoch)})
	}
	m.nextTry = max(m.nextTry, m.at.Add(m.backoff()))
	m.persist(func() {
		m.voter.Voted(m.at, from, q)
		m.send(from, decide.Voted{Epoch: q.Epoch, Session: session, Seq: q.Seq, Lease: q.Lease})
	})
}

// refuse answers a beat or a vote request with a no, and with this voter's list where the asker's is older.
func (m *Machine) refuse(to words.Node, e words.Epoch, session words.Session, seq words.Seq, why words.Reason) {
	r := m.voter.Register
	m.send(to, decide.Refuse{
		Epoch: e, Session: session, Seq: seq, Seen: m.voter.Seen(), Reason: why,
		Generation: r.Generation, Members: append([]words.Node(nil), r.Members...),
	})
}
