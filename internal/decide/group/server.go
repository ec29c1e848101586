package group

import (
	"slices"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/decide/rank"
	"redkeep/internal/decide/repair"
	"redkeep/internal/words"
)

// ownServer is the server beside this agent.
type ownServer struct {
	known  bool
	server words.Server
	link   link
	copy   freshCopy
	record words.Record
	// sealed is the epoch whose holder reaches the server no more.
	sealed words.Epoch
	// confirmed is the process that was verified as a replica of a holder.
	confirmed words.RunID
	// held is the process that last held the lease here, and heldTo when that was over.
	held   words.RunID
	heldTo words.Instant
	// bannedRun is a process that failed as master, and does not stand before bannedUntil.
	bannedRun   words.RunID
	bannedUntil words.Instant
	// recordAt, followAt and birthAt are when each may be done again.
	recordAt, followAt, birthAt words.Instant
}

// usable reports whether the server answers and is not given up.
func (o *ownServer) usable(m *Machine) bool { return o.known && m.health.Down(m.at).Zero() }

// apart reports whether no master's stream reaches the server.
func (o *ownServer) apart() bool { return o.server.Role == words.RoleMaster || o.server.Fenced() }

// masterNode returns the node whose server this one follows, if it is one of the group's.
func (o *ownServer) masterNode(m *Machine) words.Node {
	if o.server.Role != words.RoleReplica {
		return ""
	}
	for n, addr := range m.setup.Servers {
		if addr.Addr().String() == o.server.Master && addr.Port() == o.server.MasterPort {
			return n
		}
	}
	return ""
}

// seen takes a fresh look at the server.
func (m *Machine) seen(s words.Server) {
	if s.Keys < 0 && s.RunID == m.own.server.RunID {
		s.Keys = m.own.server.Keys
	}
	m.watchCopy(s)
	replaced := m.own.known && s.RunID != m.own.server.RunID
	if replaced {
		m.recordLast()
	}
	if s.DiskFails && (replaced || !m.own.server.DiskFails) {
		m.note(words.Reason{Code: words.ServerDisk, Node: m.setup.Self})
	}
	changed := replaced || !m.own.known || s.Role != m.own.server.Role
	m.own.server, m.own.known = s, true
	m.own.link.look(m.at, s)
	m.health.Seen(m.at)
	if replaced {
		m.own.sealed, m.own.confirmed = 0, ""
	}
	if why := m.unkept(); changed && !why.Zero() {
		m.note(why)
	}
	if changed {
		m.nextStatus = m.at
	}
}

// lost is told that the process has ended or that its connections have.
func (m *Machine) lost(c decide.LossCause) {
	m.health.Lost(c)
	if m.health.Gone() {
		m.recordLast()
		m.own.confirmed, m.own.sealed = "", 0
		m.nextStatus = m.at
	}
}

// claim is what this node says of its own server.
func (m *Machine) claim() decide.Claim {
	c := decide.Claim{Server: m.own.server, Recorded: m.own.record, Sealed: m.own.sealed}
	c.Server.Replicas = nil
	if m.own.server.Role == words.RoleMaster {
		c.Server.Replicas = slices.Clone(m.own.server.Replicas)
	}
	if m.own.apart() && m.vacancy != nil {
		c.Sealed = max(c.Sealed, m.vacancy.ended)
	}
	c.Fresh = m.copyUnsettled()
	c.Unfit = m.unfit()
	c.Fit = c.Unfit.Zero()
	return c
}

// unfit says why the server could not be promoted now; zero where it could.
func (m *Machine) unfit() words.Reason {
	s, self := m.own.server, m.setup.Self
	if !m.own.known {
		return words.Reason{Code: words.NotSeen, Node: self}
	}
	if down := m.health.Down(m.at); !down.Zero() {
		return down
	}
	switch unkept := s.Unkept(); {
	case unkept != "":
		return words.Reason{Code: unkept, Node: self}
	case s.Loading:
		return words.Reason{Code: words.ServerLoading, Node: self}
	case s.Syncing:
		return words.Reason{Code: words.ServerSyncing, Node: self}
	case s.Priority == 0:
		return words.Reason{Code: words.NeverPromote, Node: self}
	case m.own.bannedRun == s.RunID && m.at < m.own.bannedUntil:
		return words.Reason{Code: words.Banned, Node: self, N: m.own.bannedUntil.Sub(m.at).Milliseconds()}
	case m.empty():
		return words.Reason{Code: words.ServerEmpty, Node: self, N: m.own.record.Keys}
	}
	return words.Reason{}
}

// unkept says why the own server is left alone; zero where it is not.
func (m *Machine) unkept() words.Reason {
	if why := m.own.server.Unkept(); why != "" {
		return words.Reason{Code: why, Node: m.setup.Self}
	}
	return words.Reason{}
}

// empty reports whether the server restarted without the keys that it is known to have had.
func (m *Machine) empty() bool {
	s, r := m.own.server, m.own.record
	return r.Keys > 0 && s.Keys == 0 && s.RunID != r.RunID
}

// tendServer does with the own server and its gate what a node that does not hold the lease does.
func (m *Machine) tendServer() {
	if h := m.holder; h != nil && h.open && m.handover == nil {
		m.tendBirth() // a master that restarts must not be one, the first of all
	}
	if m.holder != nil || m.leaving != nil && !m.leaving.sent || m.resume != nil || !m.data() {
		return
	}
	if m.ending != nil && m.ending.done {
		return // the gate is left as a server without an agent needs it
	}
	if !m.unkept().Zero() {
		// Before it was seen, it may have been behind a gate as any server is that the agent knows nothing of.
		m.wantGate(decide.GateState{Mode: decide.GateAbsent})
		return
	}
	row := m.voter.Register.Newest()
	beyond := rank.Beyond(m.own.server.Position, row, m.voter.Register.Rows)
	if beyond < 0 && m.own.record.Epoch > 0 {
		beyond = rank.Beyond(m.own.record.Position, row, m.voter.Register.Rows)
	}
	p := repair.Next(repair.View{
		Self: m.setup.Self, Server: m.own.server, Known: m.own.known && !m.health.Gone(), Leased: m.leased(),
		Row: row, Beyond: beyond, Master: m.setup.Servers[row.Holder], Held: m.heldElsewhere(row), Lapsed: m.lapsed(row),
		Record: m.own.record, Confirmed: m.own.confirmed, Chosen: m.chosen.master == row.Holder && row.Holder != "",
		Gate: m.gate.state, Off: m.setup.Off,
	})
	if !p.Why.Zero() {
		m.why = append(m.why, p.Why)
		m.note(p.Why)
	}
	if p.Confirm {
		m.confirm()
	}
	if p.Gate.Mode == decide.GateOpen && m.gate.state.Mode == decide.GateShut && m.readersAwaitVIP() {
		p.Gate = m.gate.state
	}
	m.wantGate(p.Gate)
	m.follow(p.Order)
	m.tendBirth()
}

// lapsed reports whether the own server is a process that held the lease, and a lease's time has passed since without it: if it could
// be elected again, it would have been.
func (m *Machine) lapsed(row words.Row) bool {
	run := m.own.server.RunID
	was := run != "" && (run == m.own.held || row.Holder == m.setup.Self && row.RunID == run)
	return was && m.at >= max(m.own.heldTo, m.born).Add(m.setup.Lease)
}

// heldElsewhere reports whether the row's holder holds still, as far as this node knows: it grants it, or has heard its beat of late.
func (m *Machine) heldElsewhere(row words.Row) bool {
	if row.Holder == m.setup.Self || row.Holder == "" {
		return false
	}
	b := m.lastBeat
	if b.from == row.Holder && b.epoch == row.Epoch && m.at.Sub(b.at) < m.setup.Lease && !m.voter.Released(row.Holder, row.Epoch) {
		return true
	}
	return false
}

// confirm takes note that the server was verified as the holder's replica: from here on its position grows in its row.
func (m *Machine) confirm() {
	if m.own.confirmed == m.own.server.RunID || m.desk.busy {
		return
	}
	m.own.confirmed, m.own.sealed = m.own.server.RunID, 0
	m.note(words.Reason{Code: words.Following, Node: m.setup.Self, Other: m.voter.Register.Newest().Holder})
	m.nextStatus = m.at
}

// follow gives the order, once the gate in front of a server whose role is not confirmed is shut.
func (m *Machine) follow(o decide.Order) {
	if o == nil || m.desk.busy || m.at < m.own.followAt || m.gate.pending > 0 || m.candidate != nil {
		return
	}
	if m.own.server.Role == words.RoleMaster && m.gate.state.Mode != decide.GateShut && !m.setup.Ungated {
		return
	}
	if _, demote := o.(decide.Demote); !demote {
		m.own.followAt = m.at.Add(50 * time.Millisecond)
	}
	m.instruct(o, func(d decide.Ordered) {
		if d.Err != "" {
			m.own.followAt = m.at.Add(200 * time.Millisecond)
			m.note(words.Reason{Code: words.ServerSilent, Node: m.setup.Self, Text: d.Err})
		}
	})
}

// tendBirth has the server's own file start it fenced (rule born-fenced).
func (m *Machine) tendBirth() {
	if !m.leased() || !m.own.usable(m) || !m.unkept().Zero() || m.own.server.BornFenced || m.desk.busy || m.at < m.own.birthAt || m.setup.Off.Off(decide.BornFenced) {
		return
	}
	m.own.birthAt = m.at.Add(time.Minute)
	m.instruct(decide.FenceBirth{}, func(decide.Ordered) {})
}

// tendRecord keeps what a restarted server could not tell: at each change of role, and each second in which it moved.
func (m *Machine) tendRecord() {
	if m.own.usable(m) && m.recordable() {
		s, r := m.own.server, m.own.record
		moved := r.Position != s.Position || r.RunID != s.RunID || r.Keys != s.Keys
		// That there are keys is recorded without delay: it is what a server that comes back empty is known by.
		first := r.Keys == 0 && s.Keys > 0
		if r.Role != m.roleToRecord() || first || moved && m.at >= m.own.recordAt {
			m.recordNow()
			m.disk.dirty = true
		}
	}
	if m.disk.dirty && m.at >= m.disk.wrote.Add(time.Second) && m.disk.broken == "" {
		m.persist(nil)
	}
}

// recordable reports whether the server's history is the group's: a server that restarted must not overwrite what is known of it.
func (m *Machine) recordable() bool {
	if m.own.server.Loading || m.own.server.Syncing || m.own.server.Keys < 0 || !m.unkept().Zero() {
		return false
	}
	st, ok := rank.Of(decide.Claim{Server: m.own.server}, m.setup.Self, m.voter.Register.Rows, decide.Rules{})
	short := m.own.confirmed != m.own.server.RunID && rank.Short(decide.Claim{Server: m.own.server, Recorded: m.own.record}, st)
	return ok && !short
}

// recordLast keeps where a process was when it was last seen: its successor will not know, and the record on disk is a second old.
func (m *Machine) recordLast() {
	if m.own.known && m.own.record.Position != m.own.server.Position && m.recordable() {
		m.recordNow()
		m.disk.dirty = true
	}
}

// roleToRecord is the server's role. A master that has been demoted to the dead end has all that it had: it is recorded as the master that it was.
func (m *Machine) roleToRecord() words.Role {
	s, r := m.own.server, m.own.record
	if s.Fenced() && r.Role == words.RoleMaster && r.RunID == s.RunID && r.Position.ReplID == s.ReplID {
		return words.RoleMaster
	}
	return s.Role
}

func (m *Machine) recordNow() {
	s := m.own.server
	st, _ := rank.Of(decide.Claim{Server: s}, m.setup.Self, m.voter.Register.Rows, decide.Rules{})
	m.own.record = words.Record{Epoch: st.Epoch, Role: m.roleToRecord(), Position: s.Position, RunID: s.RunID, Keys: s.Keys}
	m.own.recordAt = m.at.Add(time.Second)
	m.voter.Register.Record = m.own.record
}

func (m *Machine) wakeRecord() words.Instant {
	if m.disk.dirty && m.disk.broken == "" {
		return m.disk.wrote.Add(time.Second)
	}
	return words.Never
}
