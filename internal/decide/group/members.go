package group

import (
	"slices"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// aloneRequest is a recovery under way: it is answered when this node's server is writable.
type aloneRequest struct{ id uint64 }

// recover makes this node the only voter. A person has said that the others are gone; nothing here can know.
func (m *Machine) recover(id uint64, r decide.Recover) {
	refuse := func(why words.Reason) { m.reply(id, why) }
	_, held := m.voter.Granting(m.at)
	switch {
	case !m.data():
		refuse(words.Reason{Code: words.Witness, Node: m.setup.Self})
		return
	case m.holder != nil || held:
		refuse(words.Reason{Code: words.HolderHeard, Node: m.voter.Grant.Holder})
		return
	case m.lists().Majority(m.voterHeard):
		refuse(words.Reason{Code: words.HolderHeard, Text: "a majority of the voters answers"})
		return
	case !r.AcceptLoss:
		refuse(words.Reason{Code: words.LossNotAccepted, Node: m.voter.Register.Newest().Holder})
		return
	}
	reg := &m.voter.Register
	reg.Generation++
	reg.Members, reg.Pending, reg.PendingGen = []words.Node{m.setup.Self}, nil, 0
	m.admission = nil
	reg.Admitted = true
	m.persist(func() {
		m.note(words.Reason{Code: words.RecoveredAlone, Node: m.setup.Self, N: int64(reg.Generation)})
		m.choose(choice{master: m.setup.Self, acceptLoss: true})
		m.alone = &aloneRequest{id: id}
	})
}

// voterHeard reports whether a node has been heard of late and has a vote: one whose store is lost has none.
func (m *Machine) voterHeard(n words.Node) bool {
	p := m.peers[n]
	lost := p != nil && p.lostAt != 0 && m.at.Sub(p.lostAt) <= 2*readmitEvery
	return m.heardWithin(n, 2*m.setup.Lease) && !lost
}

// supersede adopts a newer list of voters that another has committed. A node that is not on it votes no more, and holds
// nothing, until the holder takes it in again.
func (m *Machine) supersede(generation uint64, members []words.Node) {
	r := &m.voter.Register
	if generation <= r.Generation || len(members) == 0 || m.admission != nil {
		return
	}
	r.Generation, r.Members, r.Pending, r.PendingGen = generation, slices.Clone(members), nil, 0
	m.note(words.Reason{Code: words.ListCommitted, N: int64(generation)})
	if m.holder != nil && !slices.Contains(members, m.setup.Self) {
		m.letGo(words.Reason{Code: words.NotMember, Node: m.setup.Self}, takeoverEnd{})
	}
	m.persist(nil)
	m.nextStatus = m.at
}

// tendMembers answers a recovery, tells stragglers the list in force, and takes the file's voters in again when all of
// them are back: pending first, by majorities of both lists, then committed the same way (rule persisted-members).
func (m *Machine) tendMembers() {
	h := m.holder
	if h == nil || !h.open || !m.holds() {
		return
	}
	if m.alone != nil {
		m.reply(m.alone.id, words.Reason{})
		m.alone = nil
	}
	r := &m.voter.Register
	if len(r.Pending) > 0 || sameNodes(r.Members, m.setup.Voters) {
		return
	}
	for _, n := range m.setup.Voters {
		p := m.peers[n]
		if n != m.setup.Self && (p == nil || !m.heardWithin(n, m.setup.Lease) || p.status.Generation != r.Generation || p.status.Digest != m.setup.Digest) {
			return
		}
	}
	r.Pending, r.PendingGen = slices.Clone(m.setup.Voters), r.Generation+1
	m.persist(func() { m.accepted(m.setup.Self) })
	m.proposeAgain()
}

// proposeAgain sends the pending list to all that it names; it goes with each beat until it is committed.
func (m *Machine) proposeAgain() {
	r := m.voter.Register
	for _, n := range m.lists().All() {
		if n != m.setup.Self {
			m.send(n, decide.Propose{Epoch: m.holder.hold.Epoch, Generation: r.PendingGen, Members: r.Pending})
		}
	}
}

// onPropose takes a list on, pending or committed, and says so once it is on disk.
func (m *Machine) onPropose(from words.Node, p decide.Propose) {
	r := &m.voter.Register
	if p.Commit {
		m.supersede(p.Generation, p.Members)
		return
	}
	if p.Generation != r.Generation+1 || m.admission != nil || p.Epoch < r.Vote.Epoch {
		return
	}
	r.Pending, r.PendingGen = slices.Clone(p.Members), p.Generation
	m.persist(func() { m.send(from, decide.Accepted{Generation: p.Generation}) })
}

func (m *Machine) onAccepted(from words.Node, a decide.Accepted) {
	if a.Generation == m.voter.Register.PendingGen {
		m.accepted(from)
	}
}

// accepted counts one voter of the pending list, and commits it when majorities of both lists have it.
func (m *Machine) accepted(n words.Node) {
	h, r := m.holder, &m.voter.Register
	if h == nil || len(r.Pending) == 0 {
		return
	}
	if h.accepted == nil {
		h.accepted = map[words.Node]bool{m.setup.Self: true} // who proposes has it on disk, or on its way there before this
	}
	h.accepted[n] = true
	if !m.lists().Majority(func(n words.Node) bool { return h.accepted[n] }) {
		return
	}
	h.accepted = nil
	r.Members, r.Generation = r.Pending, r.PendingGen
	r.Pending, r.PendingGen = nil, 0
	m.note(words.Reason{Code: words.ListCommitted, N: int64(r.Generation)})
	m.persist(func() {
		for _, n := range m.others() {
			m.tellList(n)
		}
	})
}

// tellList tells a node whose list is older the one in force.
func (m *Machine) tellList(n words.Node) {
	r := m.voter.Register
	m.send(n, decide.Propose{Generation: r.Generation, Members: slices.Clone(r.Members), Commit: true})
}

func sameNodes(a, b []words.Node) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// beginDefinition goes on under the data nodes that the group last agreed on: a file that was edited on one node must not have
// it count otherwise than the rest. Status names the difference.
func (m *Machine) beginDefinition() {
	m.file = m.setup.Data
	if data := m.voter.Register.Data; len(data) > 0 {
		m.setup.Data = slices.Clone(data)
	}
}

// tendDefinition takes the file's data nodes when every voter's file says the same.
func (m *Machine) tendDefinition() {
	if sameNodes(m.voter.Register.Data, m.file) {
		return
	}
	for _, n := range m.lists().All() {
		p := m.peers[n]
		if n != m.setup.Self && (p == nil || !p.has || p.status.Digest != m.setup.Digest) {
			return
		}
	}
	m.setup.Data = slices.Clone(m.file)
	m.voter.Register.Data = slices.Clone(m.file)
	m.disk.dirty = true
}
