package group

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/decide/quorum"
	"redkeep/internal/decide/takeover"
	"redkeep/internal/words"
)

// holder is this node's lease: its hold, its heartbeats, and how far it has come in taking over.
type holder struct {
	hold *quorum.Hold
	// walk is the way up; nil once the row is open.
	walk *takeover.Walk
	open bool
	row  words.Row
	// firstBy is when a hold must have been reached for the first time.
	firstBy words.Instant
	// budget is when the promotion must have succeeded.
	budget   words.Instant
	nextBeat words.Instant
	arming   bool
	// beat is the last one sent; repeatAt is when it goes again to those who have not answered.
	beat     decide.Beat
	repeatAt words.Instant
	// refused says that a voter has voted ahead, or for another in this very epoch: it grants nothing until the hold is
	// reclaimed. since is when that was last tried, or the election was won.
	refused bool
	since   words.Instant
	// asked is the highest epoch that a reclaim has asked votes for: they are grants, and a release names them too.
	asked words.Epoch
	// frozen keeps slots from being activated while a reclaim arms slots of another hold.
	frozen bool
	// run is the process that the votes were for (rule same-process).
	run words.RunID
	// trail is where the own server was in the last seconds, for in-sync-by-offset.
	trail []trailPoint
	// accepted are the voters that have the proposed list of voters on disk; proposeAt is when it is proposed again, and
	// committing says that it is on its way into the register.
	accepted   map[words.Node]bool
	proposeAt  words.Instant
	committing bool
}

type trailPoint struct {
	at     words.Instant
	offset words.Offset
}

// lasts is how long a hold lasts from its request.
func (m *Machine) lasts() time.Duration { return m.setup.Lease - m.setup.Allowance() }

// holdUntil returns the end of the hold; the zero Instant where there is none.
func (m *Machine) holdUntil() (words.Instant, words.Seq) {
	if m.holder == nil {
		return 0, 0
	}
	until, seq, ok := m.holder.hold.Until(m.lists())
	if !ok {
		return 0, 0
	}
	return until, seq
}

// HoldUntil returns until when this node holds the lease; an instant that is past where it holds none.
func (m *Machine) HoldUntil() words.Instant {
	if m.voter == nil {
		return 0
	}
	until, _ := m.holdUntil()
	return until
}

// holds reports whether the lease is held now.
func (m *Machine) holds() bool {
	until, _ := m.holdUntil()
	return m.at < until
}

// tendHolder lets go of a lease that has lapsed or whose server is down, and keeps it otherwise.
func (m *Machine) tendHolder() {
	h := m.holder
	if h == nil {
		return
	}
	if why := m.mustLetGo(); !why.Zero() {
		m.letGo(why, takeoverEnd{unfit: !blameless(why.Code)})
		return
	}
	if m.at >= h.nextBeat && !h.arming && !m.reclaiming() {
		m.beat()
	}
	if h.repeatAt != 0 && m.at >= h.repeatAt {
		m.repeatBeat()
	}
	m.walkUp()
	if m.unpause && !m.desk.busy {
		m.unpause = false
		m.instruct(decide.Unpause{}, func(decide.Ordered) {})
	}
	m.tendReclaim()
}

// blameless reports whether a lease that ends for a reason says nothing against the server.
func blameless(c words.Code) bool {
	return c == words.LeaseLapsed || c == words.Superseded || c == words.ListsClash
}

// mustLetGo says why the holder can't go on; zero while it can.
func (m *Machine) mustLetGo() words.Reason {
	h := m.holder
	if down := m.health.Down(m.at); !down.Zero() {
		return down
	}
	if why := m.clash(); !why.Zero() {
		return why
	}
	if why := m.newer(); !why.Zero() {
		return why
	}
	if m.own.server.RunID != h.run && !m.setup.Off.Off(decide.SameProcess) {
		return words.Reason{Code: words.ServerReplaced, Node: m.setup.Self}
	}
	if h.open && m.own.server.Role == words.RoleReplica {
		return words.Reason{Code: words.RoleTaken, Node: m.setup.Self}
	}
	if f := m.gate.failing; h.open && f != 0 && m.at >= f.Add(m.lasts()) {
		return words.Reason{Code: words.GateFailed, Node: m.setup.Self, Text: "the lease is granted and can't be used"}
	}
	if m.setup.Off.Off(decide.Lapse) {
		return words.Reason{}
	}
	until, _ := m.holdUntil()
	if until == 0 && m.at >= h.firstBy || until != 0 && m.at >= until {
		return words.Reason{Code: words.LeaseLapsed, Node: m.setup.Self, N: int64(h.hold.Epoch)}
	}
	if h.walk != nil && m.at >= h.budget && !m.setup.Off.Off(decide.UnfitStandsDown) {
		return words.Reason{Code: words.PromotionLate, Node: m.setup.Self}
	}
	return words.Reason{}
}

// newer says that a later epoch is another node's (rule newer-stays). Where a majority votes, nobody is elected beside a hold. The two of a pair
// that were cut off from one another both are, and the newer one stays: also where it holds no more, since its data are those that
// both voters now take for the better ones.
func (m *Machine) newer() words.Reason {
	row := m.voter.Register.Newest()
	if m.setup.Turns <= 1 || row.Epoch <= m.holder.hold.Epoch || row.Holder == m.setup.Self || m.setup.Off.Off(decide.NewerStays) {
		return words.Reason{}
	}
	return words.Reason{Code: words.Superseded, Node: row.Holder, N: int64(row.Epoch)}
}

// beat asks for the lease once more: a slot is armed first, and the message leaves when the kernel has said so (rule
// arm-before-send).
func (m *Machine) beat() {
	h := m.holder
	h.nextBeat = m.at.Add(m.setup.Beat())
	m.seq++
	seq, slot := m.seq, m.freeSlot(h.hold)
	if m.setup.Off.Off(decide.ArmBeforeSend) {
		m.sendBeat(seq, slot)
		return
	}
	h.arming = true
	t := m.ticket(func(ev decide.Event) {
		if m.holder != h {
			return
		}
		h.arming = false
		if err := failed(ev); err != "" {
			m.note(words.Reason{Code: words.GateFailed, Node: m.setup.Self, Text: err})
			return
		}
		if !m.reclaiming() {
			m.sendBeat(seq, slot)
		}
	})
	m.do(decide.Arm{Ticket: t, Slot: slot, For: m.lasts()})
}

func (m *Machine) sendBeat(seq words.Seq, slot int) {
	h := m.holder
	h.hold.Sent(seq, slot, m.at)
	m.stampTrail()
	h.beat = decide.Beat{
		Epoch: h.hold.Epoch, Seq: seq, Lease: m.setup.Lease, Generation: m.voter.Register.Generation,
		RunID: m.own.server.RunID, Position: m.own.server.Position, Keys: m.own.server.Keys,
		InSync: m.inSync(), Row: m.voter.Register.Newest(), List: m.list(),
	}
	m.rememberReach(h.beat.Epoch, h.beat)
	m.sendAll(h.beat)
	h.repeatAt = m.at.Add(m.setup.Again() / 2)
	refusal, persist := m.voter.Beat(m.at, m.setup.Self, m.boot.Session, h.beat)
	if persist {
		m.promise()
	}
	if refusal.Zero() && !persist {
		h.hold.Granted(m.setup.Self, seq)
		m.activate()
	}
}

// repeatBeat sends the last beat again to those who have not granted it, until the next one is due: a voter answers the same request again.
func (m *Machine) repeatBeat() {
	h := m.holder
	h.repeatAt = 0
	if m.reclaiming() {
		return
	}
	if again := m.at.Add(m.setup.Again() / 2); again < h.nextBeat {
		h.repeatAt = again
	}
	for _, n := range m.lists().All() {
		if n != m.setup.Self && !h.hold.GrantedBy(n, h.beat.Seq) {
			m.send(n, h.beat)
		}
	}
}

// onGrant counts a grant of this session's (rule session-echo).
func (m *Machine) onGrant(from words.Node, g decide.Grant) {
	if m.holder == nil && m.undead != nil && (m.leaving == nil || m.leaving.sent) {
		m.holder = m.undead
	}
	h := m.holder
	if h == nil || g.Epoch != h.hold.Epoch {
		return
	}
	if g.Session != m.boot.Session && !m.setup.Off.Off(decide.SessionEcho) {
		return
	}
	m.answersAgain(from)
	if m.setup.Off.Off(decide.HoldFromSend) && h.hold.Knows(g.Seq) {
		h.hold.Sent(g.Seq, h.hold.SlotOf(g.Seq), m.at) // the mistake that the rule forbids: counted from the grant
	}
	h.hold.Granted(from, g.Seq)
	if m.allGranted(h.beat.Seq) {
		h.repeatAt = 0
	}
	m.activate()
	if h.accepted != nil {
		m.commitList() // it may have waited for this grant
	}
}

// allGranted reports whether every voter has granted a beat, so that it need not be repeated.
func (m *Machine) allGranted(seq words.Seq) bool {
	for _, n := range m.lists().All() {
		if !m.holder.hold.GrantedBy(n, seq) {
			return false
		}
	}
	return true
}

// activate points the gate at the newest slot that a majority stands behind. The step carries no time: done late, it
// points at a slot that has run out.
func (m *Machine) activate() {
	h := m.holder
	until, seq := m.holdUntil()
	if seq == 0 || seq <= h.hold.Active || m.at >= until || h.frozen {
		return
	}
	pointed := h.walk == nil || h.walk.Past(takeover.PointGate)
	if !pointed || m.handover.closed() {
		m.walkUp()
		return
	}
	m.point(until, seq, nil)
}

// point activates the slot of a request.
func (m *Machine) point(until words.Instant, seq words.Seq, then func(err string)) {
	h := m.holder
	h.hold.Active = seq
	slot := h.hold.SlotOf(seq)
	if m.setup.Off.Off(decide.ArmBeforeSend) || m.setup.Off.Off(decide.HoldFromSend) {
		// The mistake that the rules forbid: the time left is computed here and applied later.
		m.do(decide.Arm{Ticket: m.ticket(func(decide.Event) {}), Slot: slot, For: until.Sub(m.at)})
	}
	m.setGate(decide.GateState{Mode: decide.GateSlot, Slot: slot}, then)
}

// stampTrail keeps where the own server was in the last two seconds.
func (m *Machine) stampTrail() {
	h := m.holder
	h.trail = append(h.trail, trailPoint{m.at, m.own.server.Offset})
	for len(h.trail) > 2 && m.at.Sub(h.trail[1].at) >= time.Second {
		h.trail = h.trail[1:]
	}
}

// inSync returns the data nodes whose server had, when last heard, all that this one had a second earlier. One that is not
// heard stays for a lease: a holder that has become deaf must not strike out those who could succeed it.
func (m *Machine) inSync() []words.Node { return m.judged(func(p *peer) bool { return p.synced }) }

// level returns the data nodes that a switchover may go to. A fresh copy is one of them, which a failover must not trust: a switchover
// compares once more, with all writes paused.
func (m *Machine) level() []words.Node { return m.judged(func(p *peer) bool { return p.level }) }

// judged returns the data nodes of which something was found when they were last heard, not too long ago.
func (m *Machine) judged(is func(*peer) bool) []words.Node {
	var list []words.Node
	for _, n := range m.setup.Data {
		if p := m.peers[n]; p != nil && is(p) && m.at.Sub(p.statusAt) <= m.setup.Lease+m.statusEvery() {
			list = append(list, n)
		}
	}
	return list
}

// judgeSync says whether a node's server is in sync, as it is heard: by offset, since a link that is up may bring nothing
// (rule in-sync-by-offset). After a full copy a server gets nothing for up to a second: it counts when its offset has moved,
// or when nothing was written since, by its own agent's word too: this node's last look at its own server may be older than the copy
// (rule copy-settles). It counts in this server's history alone (rule same-history).
func (m *Machine) judgeSync(p *peer) {
	h, c := m.holder, p.status.Claim
	p.level, p.synced = false, false
	if h == nil || c == nil || !c.Fit || len(h.trail) == 0 {
		return
	}
	s, own := c.Server, m.own.server
	if m.setup.Off.Off(decide.InSyncByOffset) {
		p.level, p.synced = s.LinkUp, s.LinkUp
		return
	}
	live := s.Offset > p.copied || s.Offset >= own.Offset
	p.level = (partOf(s, own) || m.setup.Off.Off(decide.SameHistory)) && live && s.Offset >= h.trail[0].offset
	p.synced = p.level && !c.Fresh
}

// partOf reports whether a replica's data are a part of its master's history: of the present one, or of the one that it continues, and
// not beyond where. An old master that has not been copied yet is farther at times, with bytes that nobody else has.
func partOf(replica, master words.Server) bool {
	return replica.ReplID == master.ReplID || replica.ReplID == master.ReplID2 && master.ReplID2 != "" && replica.Offset < master.Second
}

// wakeHolder is when the holder next has something to do.
func (m *Machine) wakeHolder() words.Instant {
	h := m.holder
	if h == nil {
		return words.Never
	}
	at := words.Never
	if !h.arming && !m.reclaiming() {
		at = h.nextBeat
	}
	if h.repeatAt != 0 {
		at = min(at, h.repeatAt)
	}
	if until, _ := m.holdUntil(); until != 0 {
		at = min(at, until)
	} else {
		at = min(at, h.firstBy)
	}
	if h.walk != nil {
		at = min(at, h.budget)
	}
	return at
}
