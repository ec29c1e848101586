package group

import (
	"redkeep/internal/decide"
	"redkeep/internal/decide/quorum"
	"redkeep/internal/words"
	"time"
)

// candidate is one attempt of this node to be elected: a pre-vote, which changes nothing anywhere, then a vote.
type candidate struct {
	round   *quorum.Round
	reclaim bool
	// forTarget answers the holder whose switchover this node is the target of, instead of going on to the vote.
	forTarget func(ok bool, why words.Reason)
	ask       decide.PreVote
	vote      decide.Vote
	hold      *quorum.Hold
	// voting says that the vote has been sent.
	voting   bool
	again    words.Instant // when the question goes again to those who have not answered
	pause    time.Duration // between the last two; each is longer than the one before
	deadline words.Instant
}

// releasesHeard are passed on with every question: a release is final for what it names.
func (m *Machine) releasesHeard() []decide.Release {
	var list []decide.Release
	for _, n := range append(m.others(), m.setup.Self) {
		if r, ok := m.releases[n]; ok && r.Epoch >= m.voter.Register.Newest().Epoch {
			list = append(list, r)
		}
	}
	return list
}

// stand asks the others whether they would vote for this node, on a basis.
func (m *Machine) stand(b decide.Basis, handover, reclaim bool, forTarget func(bool, words.Reason)) {
	c := &candidate{
		round: quorum.NewRound(m.setup.Random()), reclaim: reclaim, forTarget: forTarget,
		deadline: m.at.Add(m.roundBudget()),
	}
	m.askLater(c, m.askAgain())
	c.ask = decide.PreVote{
		Round: c.round.ID, Claim: m.claim(), Rows: m.copyRegister().Rows, Releases: m.releasesHeard(),
		Handover: handover, Reclaim: reclaim, Basis: b,
	}
	m.candidate = c
	if forTarget == nil && !reclaim {
		m.probeVIP()
	}
	if m.setup.Off.Off(decide.PreVoteFirst) && forTarget == nil {
		m.beginVote(c)
		return
	}
	if why := m.wouldVote(m.setup.Self, c.ask); why.Zero() {
		c.round.Yes(m.setup.Self)
	} else {
		c.round.No(m.setup.Self, why)
	}
	m.sendAll(c.ask)
	m.countPreVotes(c)
}

// roundBudget is how long an attempt may take: no longer than the hold that it would win lasts.
func (m *Machine) roundBudget() time.Duration { return min(m.lasts()*3/4, 2*time.Second) }

// askAgain is the time between two copies of a question: it was lost, or its answer was.
func (m *Machine) askAgain() time.Duration {
	return min(max(3*m.slowest(), 10*time.Millisecond), 50*time.Millisecond)
}

// askLater sets when a question goes again.
func (m *Machine) askLater(c *candidate, pause time.Duration) {
	c.pause = min(pause, max(m.askAgain(), m.setup.Again()))
	c.again = m.at.Add(c.pause)
}

// backoff is how long an attempt that failed holds back before the next. Pauses grow when attempts go on failing: something must
// change first, and nobody else is to be kept awake by them.
func (m *Machine) backoff() time.Duration {
	base := 20 * time.Millisecond << min(max(m.failures-failuresFree, 0), 3)
	return min(base, max(m.setup.Again(), 20*time.Millisecond)) + time.Duration(m.setup.Random()%20_000_000)
}

// failuresFree is how many attempts in a row may fail before the pauses between them grow.
const failuresFree = 5

// absent reports whether no answer is to be expected of a voter.
func (m *Machine) absent(n words.Node) bool { return !m.present(n) }

// hopeless reports whether an attempt has come to nothing. One that reclaims a hold hopes on: it has nothing to lose by waiting.
func (m *Machine) hopeless(c *candidate) (words.Reason, bool) {
	absent := m.absent
	if c.reclaim {
		absent = func(words.Node) bool { return false }
	}
	return c.round.Failed(m.lists(), absent)
}

func (m *Machine) onPreVoted(from words.Node, p decide.PreVoted) {
	c := m.candidate
	m.voter.Saw(p.Seen)
	m.learn(p.Rows)
	if c == nil || c.voting || p.Round != c.round.ID {
		return
	}
	if p.Yes {
		c.round.Yes(from)
	} else {
		c.round.No(from, p.Reason)
	}
	m.countPreVotes(c)
}

func (m *Machine) countPreVotes(c *candidate) {
	if m.candidate != c {
		return
	}
	if c.ask.Basis == decide.BasisChosen && !m.chosen.asked {
		row := m.voter.Register.Newest() // an answer told of an epoch that the person knew nothing of
		m.giveUp(words.Reason{Code: words.Superseded, Node: row.Holder, N: int64(row.Epoch)})
		return
	}
	if row := m.voter.Register.Newest(); row.Epoch > newest(c.ask.Rows) && !m.setup.Off.Off(decide.AsksAnew) {
		// What this node stands on was judged without knowing of that epoch: it may have to wait for better data, and who has
		// said yes may not have known it either (rule asks-anew).
		m.giveUp(words.Reason{Code: words.Superseded, Node: row.Holder, N: int64(row.Epoch)})
		return
	}
	if c.round.Won(m.lists()) {
		if c.forTarget != nil {
			m.candidate = nil
			c.forTarget(true, words.Reason{})
			return
		}
		m.beginVote(c)
		return
	}
	if why, failed := m.hopeless(c); failed {
		m.giveUp(why)
	}
}

// newest is the last epoch of some rows, which are in their order.
func newest(rows []words.Row) words.Epoch {
	if len(rows) == 0 {
		return 0
	}
	return rows[len(rows)-1].Epoch
}

// giveUp ends an attempt; one that had asked for votes is withdrawn, so that the grants that came with them end.
func (m *Machine) giveUp(why words.Reason) {
	c := m.candidate
	m.candidate = nil
	m.failures, m.failedFor = m.failures+1, why
	m.nextTry = m.at.Add(m.backoff())
	if h := m.holder; h != nil {
		// Slots that the vote armed must not be activated for the old epoch's grants.
		h.frozen, h.refused = c.voting, true
		h.asked = max(h.asked, c.vote.Epoch)
	}
	if c.forTarget != nil {
		c.forTarget(false, why)
		return
	}
	m.note(why)
	if !c.voting {
		return
	}
	r := decide.Release{Epoch: c.vote.Epoch, Holder: m.setup.Self, Session: m.boot.Session, Seq: m.seq, Reason: why}
	if c.reclaim {
		return // the hold that is left runs on; its lapse releases both
	}
	m.voter.Release(m.at, r)
	m.releases[m.setup.Self] = r
	m.sendAll(r)
}

// beginVote takes an epoch above all that is known, arms the slot that the votes will stand for, and asks.
func (m *Machine) beginVote(c *candidate) {
	epoch := m.setup.After(m.voter.Seen())
	m.voter.Saw(epoch)
	c.round.Begin(epoch)
	c.voting = true
	c.hold = quorum.NewHold(epoch, m.lasts())
	if h := m.holder; h != nil {
		h.frozen = true
	}
	m.seq++
	if m.gate.asked.Mode == decide.GateSlot {
		c.hold.Reserve(m.gate.asked.Slot, m.seq)
		m.seq++
	}
	seq, slot := m.seq, m.freeSlot(c.hold)
	c.vote = decide.Vote{
		Epoch: epoch, Seq: seq, Lease: m.setup.Lease, Generation: m.voter.Register.Generation,
		Claim: c.ask.Claim, Rows: c.ask.Rows, Releases: m.releasesHeard(), Reclaim: c.reclaim, Basis: c.ask.Basis,
		List: m.list(),
	}
	ask := func() {
		if m.candidate == c {
			c.hold.Sent(seq, slot, m.at)
			m.sendVotes(c)
		}
	}
	if m.setup.Off.Off(decide.ArmBeforeSend) {
		ask()
		return
	}
	t := m.ticket(func(ev decide.Event) {
		if m.candidate != c {
			return
		}
		if err := failed(ev); err != "" {
			m.giveUp(words.Reason{Code: words.GateFailed, Node: m.setup.Self, Text: err})
			return
		}
		ask()
	})
	m.do(decide.Arm{Ticket: t, Slot: slot, For: m.lasts()})
}

// sendVotes asks for the votes. The candidate's own is written meanwhile, and counted only when it is on disk.
func (m *Machine) sendVotes(c *candidate) {
	m.sendAll(c.vote)
	m.askLater(c, m.askAgain())
	why := words.Reason{Code: words.NotAdmitted, Node: m.setup.Self, Text: m.disk.broken}
	if m.disk.broken == "" {
		why = m.pauseForbids(m.setup.Self, c.vote.Claim, c.vote.Basis, c.reclaim, c.vote.Releases)
	}
	if why.Zero() {
		why = m.voter.Vote(m.at, m.setup.Self, m.boot.Session, c.vote)
	}
	if !why.Zero() {
		c.round.No(m.setup.Self, why)
		m.countVotes(c)
		return
	}
	m.persist(func() {
		if m.candidate != c {
			return
		}
		m.voter.Voted(m.at, m.setup.Self, c.vote)
		m.countVote(c, m.setup.Self)
	})
}

func (m *Machine) countVote(c *candidate, from words.Node) {
	c.round.Yes(from)
	if !m.setup.Off.Off(decide.VoteIsGrant) {
		c.hold.Granted(from, c.vote.Seq)
	}
	m.countVotes(c)
}

func (m *Machine) countVotes(c *candidate) {
	if c.round.Won(m.lists()) {
		m.elected(c)
		return
	}
	if why, failed := m.hopeless(c); failed {
		m.giveUp(why)
	}
}

func (m *Machine) onVoted(from words.Node, v decide.Voted) {
	c := m.candidate
	if v.Session != m.boot.Session && !m.setup.Off.Off(decide.SessionEcho) {
		return
	}
	if c == nil || !c.voting || v.Epoch != c.vote.Epoch {
		if h := m.holder; h != nil && h.hold.Epoch == v.Epoch && !m.setup.Off.Off(decide.VoteIsGrant) {
			h.hold.Granted(from, v.Seq)
			m.activate()
		}
		return
	}
	m.countVote(c, from)
}

// onRefuse learns why: a candidate counts it, and a holder whom a voter has voted past reclaims its hold.
func (m *Machine) onRefuse(from words.Node, r decide.Refuse) {
	m.voter.Saw(r.Seen)
	m.supersede(r.Generation, r.Members)
	if r.Session != m.boot.Session {
		return
	}
	if c := m.candidate; c != nil && c.voting && r.Epoch == c.vote.Epoch && r.Seq == c.vote.Seq {
		c.round.No(from, r.Reason)
		m.countVotes(c)
		return
	}
	if h := m.holder; h != nil && r.Epoch == h.hold.Epoch {
		m.answersAgain(from)
		switch r.Reason.Code {
		case words.OlderEpoch, words.EpochReleased, words.VotedAlready:
			h.refused = true
		}
	}
}

// tendCandidate repeats questions and ends an attempt that takes too long.
func (m *Machine) tendCandidate() {
	c := m.candidate
	if c == nil {
		return
	}
	if m.at >= c.deadline {
		m.giveUp(words.Reason{Code: words.NoMajority, Node: m.setup.Self})
		return
	}
	if m.at < c.again {
		return
	}
	m.askLater(c, 2*c.pause)
	for _, n := range m.others() {
		switch {
		case c.round.Said(n):
		case !c.voting:
			m.send(n, c.ask)
		case c.round.Answered(n):
		case c.hold.Knows(c.vote.Seq):
			m.send(n, c.vote)
		}
	}
}

func (m *Machine) wakeCandidate() words.Instant {
	if m.candidate == nil {
		return words.Never
	}
	return min(m.candidate.again, m.candidate.deadline)
}
