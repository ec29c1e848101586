package group

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/decide/rank"
	"redkeep/internal/words"
)

// settleTime is for how long the link of a copied server must have been up before it counts although nothing came over it: Redis may
// hold the stream back until the replica's first REPLCONF ACK, which goes once a second.
const settleTime = 1200 * time.Millisecond

// freshCopy tells whether the own server's data are a full copy over whose link nothing has come since (rule copy-settles). What the
// master answered since the copy is nowhere but there, and what voters were told of this node is true of the data before it.
type freshCopy struct {
	fresh bool
	// ended is where the server was when the copy's end was first seen.
	ended words.Offset
	// up is since when its link has been up without a break; 0 while it is down. The copy grows no better meanwhile.
	up words.Instant
}

// watchCopy takes note of a fresh look at the server, before it takes the place of the one before.
func (m *Machine) watchCopy(s words.Server) {
	f := &m.own.copy
	was := f.fresh
	switch {
	case s.Role != words.RoleReplica:
		*f = freshCopy{}
	case m.copiedBy(s):
		*f = freshCopy{fresh: true, ended: s.Offset}
	case f.fresh && s.Offset > f.ended && m.caughtUp(s):
		*f = freshCopy{}
	}
	switch {
	case !f.fresh || !s.LinkUp || s.Syncing:
		f.up = 0
	case f.up == 0:
		f.up = m.at
	case m.at.Sub(f.up) >= settleTime:
		*f = freshCopy{}
	}
	if f.fresh != was {
		m.nextStatus = m.at // the holder says by this who is in sync
	}
}

// copiedBy reports whether a look shows a server that may have been copied since the one before. Of a process that nobody has seen
// before it is not known how it came by its data if it follows a master already; where it restarted fenced, it has them from before.
func (m *Machine) copiedBy(s words.Server) bool {
	old, run := m.own.server, m.own.server.RunID
	if !m.own.known {
		run = m.own.record.RunID
	}
	switch {
	case run == "":
		return s.Syncing
	case s.RunID != run:
		return s.Syncing || !s.Fenced() || m.own.copy.fresh // or what it had was a fresh copy
	case !m.own.known:
		return s.Syncing
	}
	return s.Syncing || old.Syncing || !continues(s, old) || s.Offset < old.Offset
}

// caughtUp reports whether a server has all that its master was last heard to have.
func (m *Machine) caughtUp(s words.Server) bool {
	st, ok := rank.Of(decide.Claim{Server: s}, m.setup.Self, m.voter.Register.Rows, m.setup.Off)
	return ok && m.missing(st) == 0
}

// copyUnsettled reports whether the own server counts as a fresh copy. A switchover's successor does not, whatever its link: the holder has
// compared it with its own server, with all writes paused.
func (m *Machine) copyUnsettled() bool {
	if !m.own.copy.fresh || m.setup.Off.Off(decide.CopySettles) {
		return false
	}
	row := m.voter.Register.Newest()
	r := m.releases[row.Holder]
	return r.Successor != m.setup.Self || r.Epoch < row.Epoch || m.own.server.Offset < r.Offset
}
