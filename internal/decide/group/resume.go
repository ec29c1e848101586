package group

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/decide/quorum"
	"redkeep/internal/words"
)

// resuming is the first moment of a restarted agent: the kernel is left as it is until the server has been looked at.
type resuming struct {
	until words.Instant
	// epoch is that of the lease that this node held; 0 on a replica's node.
	epoch words.Epoch
}

// resumeWait is how long a restarted agent waits for its first look at the server.
const resumeWait = 500 * time.Millisecond

// beginResume decides, before anything else, whether this start may go on where the last one ended: same boot, the
// register says that this node holds the epoch that it voted for last, and the gate was left as an agent leaves it.
func (m *Machine) beginResume() {
	r := m.voter.Register
	if !m.boot.SameBoot || !m.data() || !r.Admitted || m.boot.Lost {
		return
	}
	if m.gate.state.Mode == decide.GateAbsent && !m.setup.Ungated {
		return // somebody has flushed it: shut first, stand again
	}
	row := r.Newest()
	switch {
	case row.Holder == m.setup.Self && r.Vote.Holder == m.setup.Self && row.Epoch == r.Vote.Epoch && m.gate.state.Mode != decide.GateOpen:
		m.resume = &resuming{until: m.at.Add(resumeWait), epoch: row.Epoch}
	case m.gate.state.Mode == decide.GateOpen:
		m.resume = &resuming{until: m.at.Add(resumeWait)}
	}
}

// tendResume looks at the server once it has been seen: the process that the register knows, in the role that it had, goes
// on undisturbed; anything else is shut.
func (m *Machine) tendResume() {
	r := m.resume
	if r == nil {
		return
	}
	if m.at >= r.until || m.health.Gone() {
		m.resume = nil
		return
	}
	if !m.own.known {
		return
	}
	m.resume = nil
	s, rec := m.own.server, m.voter.Register.Record
	switch {
	case r.epoch == 0 && s.Role == words.RoleReplica && s.RunID == rec.RunID:
		m.own.confirmed = s.RunID
		m.note(words.Reason{Code: words.ReadsOpen, Node: m.setup.Self})
	case r.epoch > 0 && s.Role == words.RoleMaster && s.RunID == m.voter.Register.Newest().RunID:
		m.resumeHold(r.epoch)
	}
}

// resumeHold goes on beating in the epoch that this node held, with its new session.
func (m *Machine) resumeHold(e words.Epoch) {
	h := &holder{
		hold: quorum.NewHold(e, m.lasts()), open: true, row: m.voter.Register.Newest(), run: m.own.server.RunID,
		firstBy: m.at.Add(m.setup.Lease), nextBeat: m.at, since: m.at,
	}
	if m.gate.state.Mode == decide.GateSlot {
		m.seq++
		h.hold.Reserve(m.gate.state.Slot, m.seq)
	}
	if m.gate.state.Mode == decide.GateReplication {
		m.instruct(decide.Unpause{}, func(decide.Ordered) {})
	}
	m.holder, m.vacancy, m.bereft = h, nil, 0
	m.note(words.Reason{Code: words.Resumed, Node: m.setup.Self, N: int64(e)})
}

func (m *Machine) wakeResume() words.Instant {
	if m.resume == nil {
		return words.Never
	}
	return m.resume.until
}
