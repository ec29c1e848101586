package group

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/decide/rank"
	"redkeep/internal/decide/takeover"
	"redkeep/internal/words"
)

// promotionBudget is how long an elected node's server may take to become a writable master.
func (m *Machine) promotionBudget() time.Duration {
	return min(max(m.setup.DownAfter, m.setup.Lease), 5*time.Second)
}

// elected begins the lease of an epoch that this node has won.
func (m *Machine) elected(c *candidate) {
	old := m.holder
	h := &holder{
		hold: c.hold, run: c.vote.Claim.Server.RunID, firstBy: m.at.Add(m.setup.Lease),
		budget: m.at.Add(m.promotionBudget()), nextBeat: m.at, since: m.at,
	}
	m.candidate, m.vacancy, m.holder, m.failures = nil, nil, h, 0
	if m.leaving != nil && m.leaving.sent && !m.setup.Off.Off(decide.ReleaseCurrent) {
		m.leaving = nil // what this epoch's beats say is newer: nobody must hear the old release behind it (rule release-current)
	}
	m.note(words.Reason{Code: words.Elected, Node: m.setup.Self, N: int64(h.hold.Epoch)})
	if c.reclaim && old != nil && old.open {
		h.open, h.trail = true, old.trail
		m.openRow()
		m.activate()
		return
	}
	m.noteLack()
	h.walk = takeover.Up(m.setup.Off)
	m.walkUp()
}

// walkUp takes the next step up. Each starts only while the hold is valid; it is called again when a hold is reached.
func (m *Machine) walkUp() {
	h := m.holder
	if h == nil || h.walk == nil || !m.holds() || m.desk.busy || m.gate.pending > 0 || m.at < m.gate.retryAt {
		return
	}
	switch h.walk.Now() {
	case takeover.PointGate:
		until, seq := m.holdUntil()
		m.point(until, seq, func(err string) {
			if m.holder == h && err == "" {
				h.walk.Done()
				m.walkUp()
			}
		})
	case takeover.Promote:
		m.instruct(decide.Promote{RunID: h.run}, func(d decide.Ordered) { m.promoted(h, d) })
	case takeover.TakeVIP:
		m.takeVIP()
		h.walk.Done()
		m.walkUp()
	case takeover.OpenRow:
		h.walk = nil
		m.openRow()
	}
}

// promoted looks at what came of the promotion: the process that was voted for must be a master now.
func (m *Machine) promoted(h *holder, d decide.Ordered) {
	if m.holder != h {
		return
	}
	same := d.Server.RunID == h.run || m.setup.Off.Off(decide.SameProcess)
	if d.Err != "" || !same || d.Server.Role != words.RoleMaster {
		m.letGo(words.Reason{Code: words.PromotionLate, Node: m.setup.Self, Text: d.Err}, takeoverEnd{unfit: true})
		return
	}
	if m.setup.Off.Off(decide.SameProcess) {
		h.run = d.Server.RunID
	}
	h.walk.Done()
	m.walkUp()
}

// openRow writes this epoch's row and tells everybody. It is written when the gate opens and not at promotion: a server
// that was promoted and never opened must not outrank data that were acknowledged elsewhere.
func (m *Machine) openRow() {
	h := m.holder
	s := m.own.server
	h.open, h.walk = true, nil
	m.bereft = 0
	h.row = words.Row{Epoch: h.hold.Epoch, Holder: m.setup.Self, RunID: s.RunID, ReplID: s.ReplID, From: s.Offset, Continues: s.ReplID2}
	m.learn([]words.Row{h.row})
	m.own.sealed, m.own.confirmed = 0, ""
	m.stampTrail()
	for _, p := range m.peers {
		m.judgeSync(p)
	}
	m.heed(m.setup.Self)
	m.recordNow()
	m.note(words.Reason{Code: words.Writable, Node: m.setup.Self, N: int64(h.row.Epoch), M: int64(h.row.From)})
	m.announce(h.row)
	m.persist(nil)
	h.nextBeat = m.at
	m.tellStatus()
}

// noteLack says what this node's server lacks of what the last holder was heard to have, or of what another server here
// holds. What a cold server has can't be told: its record is up to a second older.
func (m *Machine) noteLack() {
	st, ok := rank.Of(m.claim(), m.setup.Self, m.voter.Register.Rows, m.setup.Off)
	if !ok || st.Cold {
		return
	}
	lack, who := m.missing(st), m.voter.Register.Newest().Holder
	claims := m.claims()
	for _, n := range m.setup.Data {
		other, ok := rank.Of(claims[n], n, m.voter.Register.Rows, m.setup.Off)
		if ok && other.Epoch == st.Epoch && int64(other.Offset-st.Offset) > lack {
			lack, who = int64(other.Offset-st.Offset), n
		}
	}
	if lack > 0 {
		m.note(words.Reason{Code: words.LossyElection, Node: m.setup.Self, Other: who, N: lack, M: int64(m.holder.hold.Epoch)})
	}
}

// announce tells clients of a new master, once per epoch: the holder when it opens, the others when they hear of that.
func (m *Machine) announce(row words.Row) {
	if row.Epoch <= m.announced.Epoch {
		return
	}
	old := m.announced.Holder
	m.announced = row
	m.succeedVIP(vipLinger)
	if old != row.Holder {
		m.do(decide.Announce{Epoch: row.Epoch, Old: old, New: row.Holder})
	}
}
