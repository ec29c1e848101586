package group

import (
	"slices"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// peer is what this node knows of another.
type peer struct {
	session words.Session
	heard   words.Instant
	// answered is when it last answered this node, or heard what it answers: both ways between the two were open then.
	answered words.Instant
	status   decide.Status
	has      bool // a status has been heard
	// level says that its server had all that this node's had when it was last heard, and synced that it counts as in sync, too; a
	// holder's only.
	level, synced bool
	// statusAt is when that status came.
	statusAt words.Instant
	rtt      time.Duration
	// lostAt is when it last asked to be readmitted: its vote counts for nobody.
	lostAt words.Instant
	// clash is the generation of which it had another list of voters than this node; 0 for none.
	clash uint64
	// copied is where the node's server was when its present link to a master, or the end of its last full copy, was first heard of:
	// until its offset moves, the link may bring nothing.
	copied words.Offset
	link   link
}

// link tells since when a replica's link to its master is down; 0 while it is up, and for a server that has none to have.
type link struct{ down words.Instant }

// look takes note of a server as it was seen at an instant.
func (l *link) look(at words.Instant, s words.Server) {
	switch {
	case s.Role != words.RoleReplica || s.LinkUp || s.Syncing || s.Fenced():
		l.down = 0
	case l.down == 0:
		l.down = at
	}
}

// stampCopy takes note of a link that is new, or may be, and of a full copy: one of the same history ends far beyond where it began,
// and nothing has come over its link by that. The node's own agent says so too (Claim.Fresh), until that agent is restarted.
func (p *peer) stampCopy(c *decide.Claim) {
	if c == nil {
		return
	}
	old, s := p.status.Claim, c.Server
	if old == nil || old.Server.RunID != s.RunID || !continues(s, old.Server) || old.Server.Syncing || s.Syncing || !s.LinkUp || s.Offset < old.Server.Offset {
		p.copied = s.Offset
	}
}

// continues reports whether a server has gone on where it was: in the same history, or in one that continues it. After a full
// copy Redis remembers no history but the copied one.
func continues(s, old words.Server) bool { return s.ReplID == old.ReplID || s.ReplID2 == old.ReplID }

// counts takes note of the list of voters that a node counts by; list is 0 where its release does not say.
func (m *Machine) counts(p *peer, generation, list uint64) {
	if generation != m.voter.Register.Generation || list == 0 {
		return // also where it has a later one by now: this node stays in the clash until it has that one too
	}
	p.clash = 0
	if list != m.list() {
		p.clash = generation
	}
}

// noted is a reason with its instant.
type noted struct {
	at     words.Instant
	reason words.Reason
}

// receive gives a message to whoever it is for. Messages of a session older than the newest heard are dropped.
func (m *Machine) receive(e decide.Received) {
	p := m.peers[e.From]
	if p == nil {
		if !slices.Contains(m.others(), e.From) {
			return
		}
		p = &peer{}
		m.peers[e.From] = p
	}
	if e.Session < p.session {
		return
	}
	m.heardAgain(p)
	if h := m.holder; h != nil && e.Session > p.session && h.beat.Seq > 0 {
		h.repeatAt = m.at // its agent has just started, and the last beat went by it
	}
	p.session, p.heard = e.Session, m.at
	switch msg := e.Message.(type) {
	case decide.Beat:
		m.counts(p, msg.Generation, msg.List)
		m.onBeat(e.From, e.Session, msg)
	case decide.Grant:
		m.onGrant(e.From, msg)
	case decide.Refuse:
		m.onRefuse(e.From, msg)
	case decide.Status:
		m.onStatus(e.From, p, msg)
	case decide.PreVote:
		m.onPreVote(e.From, msg)
	case decide.PreVoted:
		m.onPreVoted(e.From, msg)
	case decide.Vote:
		m.onVote(e.From, e.Session, msg)
	case decide.Voted:
		m.onVoted(e.From, msg)
	case decide.Release:
		m.onRelease(e.From, msg)
	case decide.ReleaseSeen:
		m.onReleaseSeen(e.From, msg)
	default:
		m.receiveRare(e.From, msg)
	}
}

// receiveRare is for messages that are no part of a lease's or an election's course.
func (m *Machine) receiveRare(from words.Node, message decide.Message) {
	switch msg := message.(type) {
	case decide.Readmit:
		m.onReadmit(from, msg)
	case decide.Readmitted:
		m.onReadmitted(from, msg)
	case decide.Prepare:
		m.onPrepare(from, msg)
	case decide.Prepared:
		m.onPrepared(from, msg)
	case decide.Level:
		m.onLevel(from, msg)
	case decide.Leveled:
		m.onLeveled(from, msg)
	case decide.Choose:
		if m.gone && msg.Anew {
			m.startAnew()
		}
		m.choose(choice{master: msg.Master, acceptLoss: msg.AcceptLoss})
	case decide.Propose:
		m.onPropose(from, msg)
	case decide.Accepted:
		m.onAccepted(from, msg)
	case decide.Depart:
		m.onDepart(from, msg)
	case decide.Pausing:
		m.onPausing(from, msg)
	}
}

// onStatus takes note of what another node says of itself.
func (m *Machine) onStatus(from words.Node, p *peer, s decide.Status) {
	if s.Echo != 0 {
		if rtt := m.at.Sub(s.Echo) - s.Held; rtt >= 0 {
			p.rtt = rtt
			p.answered = max(p.answered, s.Echo)
		}
	}
	p.stampCopy(s.Claim)
	if s.Claim != nil {
		p.link.look(m.at, s.Claim.Server)
	}
	p.status, p.has, p.statusAt = s, true, m.at
	m.counts(p, s.Generation, s.List)
	m.judgeSync(p)
	if s.HasVIP {
		m.succeedVIP(vipBelieved)
	}
	switch {
	case s.Promised && m.gone:
		m.send(from, decide.Depart{Round: departedLong, Final: true})
	case s.Promised && m.holder != nil && m.departure == nil:
		m.revoke()
	}
	m.voter.Saw(s.Seen)
	m.learn(s.Rows)
	m.hearPause(s.Pause)
	if s.Generation < m.voter.Register.Generation && m.admission == nil {
		m.tellList(from)
	}
}

// rows are what this node tells of the lineage. A group that was left and starts anew has no use for those of its former life.
func (m *Machine) rows() []words.Row {
	if m.gone {
		return nil
	}
	return append([]words.Row(nil), m.voter.Register.Rows...)
}

// learn takes the lineage's rows that another knows. A row is a fact, whoever tells it. Who has left learns of a new life by a beat.
func (m *Machine) learn(rows []words.Row) {
	if m.gone {
		return
	}
	r := &m.voter.Register
	for _, row := range rows {
		if row.Epoch == 0 || row.ReplID == "" {
			continue
		}
		i, found := slices.BinarySearchFunc(r.Rows, row.Epoch, func(have words.Row, e words.Epoch) int {
			return int(int64(have.Epoch) - int64(e))
		})
		if found {
			continue
		}
		m.voter.Saw(row.Epoch)
		r.Rows = slices.Insert(slices.Clone(r.Rows), i, row)
		m.disk.dirty = true
	}
	if extra := len(r.Rows) - maxRows; extra > 0 {
		r.Rows = slices.Clone(r.Rows[extra:])
	}
	m.outdate()
}

// maxRows is how much lineage is kept. A server whose history is older has no standing and is copied anew.
const maxRows = 6

// statusEvery is how often nodes tell each other how they are, when nothing changes.
func (m *Machine) statusEvery() time.Duration {
	return min(max(m.setup.Lease/2, 50*time.Millisecond), 500*time.Millisecond)
}

// heardWithin reports whether a node has been heard within a lease.
func (m *Machine) heardWithin(n words.Node, d time.Duration) bool {
	if n == m.setup.Self {
		return true
	}
	p := m.peers[n]
	return p != nil && p.heard != 0 && m.at.Sub(p.heard) <= d
}

// slowest returns the slowest round trip to a node heard of late, within the bounds that a candidate waits by.
func (m *Machine) slowest() time.Duration {
	var rtt time.Duration
	for n, p := range m.peers {
		if m.heardWithin(n, m.setup.Lease) {
			rtt = max(rtt, p.rtt)
		}
	}
	return rtt
}

// tendStatus tells the others how this node is.
func (m *Machine) tendStatus() {
	due := m.nextStatus
	if m.lastBeat.at == m.at || m.holder != nil && m.holder.nextBeat == m.at.Add(m.setup.Beat()) {
		due = due.Add(-min(m.setup.Beat(), m.statusEvery()/2)) // a beat has just woken this node: what is soon due goes with it
	}
	if m.at < due {
		return
	}
	m.tellStatus()
}

// tellStatus tells all others at once.
func (m *Machine) tellStatus() {
	m.nextStatus = m.at.Add(m.statusEvery())
	s := m.status()
	for _, n := range m.others() {
		if p := m.peers[n]; p != nil && p.has {
			s.Echo, s.Held = p.status.Stamp, m.at.Sub(p.statusAt)
		} else {
			s.Echo, s.Held = 0, 0
		}
		m.send(n, s)
	}
}

func (m *Machine) status() decide.Status {
	r := m.voter.Register
	s := decide.Status{
		Seen: m.voter.Seen(), Generation: r.Generation, Digest: m.setup.Digest,
		Free:     m.voter.Free(m.at).Zero(),
		Settled:  m.admission == nil && m.at >= m.voter.Settled(),
		Promised: r.Promised > 0,
		Holder:   m.voter.Grant.Holder, Granted: m.voter.Grant.Epoch,
		Rows:  m.rows(),
		Fence: m.gate.fence, Gate: m.gate.state.Mode, Stamp: m.at, Version: m.setup.Version,
		HasVIP: m.vip.up, Pause: m.pause(), Settings: m.setup.Settings, List: m.list(),
	}
	if g, held := m.voter.Granting(m.at); held {
		s.GrantLeft = g.Until.Sub(m.at)
	}
	if m.data() && (m.own.known || m.own.record.RunID != "") {
		c := m.claim()
		s.Claim = &c
	}
	return s
}

// sameNews reports whether a reason says nothing new: where numbers only count down or up, they are not news.
func sameNews(a, b words.Reason) bool {
	switch b.Code {
	case words.RestartWaiting, words.GrantHeld, words.Elections, words.ColdWaiting, words.Banned, words.Unreachable,
		words.ServerSilent, words.ServerStopped, words.ServerBusy, words.NoMajority, words.Paused:
		a.N, a.M = b.N, b.M
	}
	return a == b
}

// note records a decision or a refusal, once until it changes.
func (m *Machine) note(r words.Reason) {
	for _, old := range slices.Backward(m.recent) {
		if sameNews(old.reason, r) && m.at.Sub(old.at) < 10*time.Second {
			return
		}
	}
	if len(m.recent) >= 64 {
		m.recent = slices.Clone(m.recent[1:])
	}
	m.recent = append(m.recent, noted{m.at, r})
	m.do(decide.Note{Reason: r})
}
