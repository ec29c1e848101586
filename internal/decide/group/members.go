package group

import (
	"slices"

	"redkeep/internal/decide"
	"redkeep/internal/decide/quorum"
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
	case m.clash().Zero() && m.lists().Majority(m.voterHeard):
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
	reg.Admitted, reg.Promised = true, 0
	m.persist(func() {
		m.note(words.Reason{Code: words.RecoveredAlone, Node: m.setup.Self, N: int64(reg.Generation)})
		m.choose(choice{master: m.setup.Self, acceptLoss: true})
		m.alone, m.nextTry, m.failures = &aloneRequest{id: id}, m.at, 0
	})
}

// list is the digest of the list of voters in force here.
func (m *Machine) list() uint64 { return words.ListDigest(m.voter.Register.Members) }

// clash says that another node has a different list of the generation that is in force here. Past the first generation only persons make
// such, who recovered on both sides of a cut, each sure that the other was gone: both sides may have acknowledged writes since, and
// nobody here can tell which count. So nobody is master until a person recovers once more, which makes a later generation (rule
// lists-clash).
func (m *Machine) clash() words.Reason {
	r := m.voter.Register
	if r.Generation < 2 || m.admission != nil || m.setup.Off.Off(decide.PersistedMembers) || m.setup.Off.Off(decide.ListsClash) {
		return words.Reason{}
	}
	for _, n := range m.others() {
		if p := m.peers[n]; p != nil && p.clash == r.Generation {
			return words.Reason{Code: words.ListsClash, Node: n, Other: m.setup.Self, N: int64(r.Generation)}
		}
	}
	return words.Reason{}
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
	if !sameNodes(m.voter.Register.Members, m.setup.Voters) && m.allBack() {
		m.propose()
	}
}

// allBack reports whether every voter of the file is heard, under the list in force, with the same file.
func (m *Machine) allBack() bool {
	for _, n := range m.setup.Voters {
		if n == m.setup.Self {
			continue
		}
		p := m.peers[n]
		if p == nil || !m.heardWithin(n, m.setup.Lease) || p.status.Generation != m.voter.Register.Generation || p.status.Digest != m.setup.Digest {
			return false
		}
	}
	return true
}

// propose asks the file's voters to take the new list as pending, once a beat until it is committed. The holder itself counts
// by the new list only when that list's majority has granted it: otherwise its hold would end by its own proposal.
func (m *Machine) propose() {
	h := m.holder
	if m.at < h.proposeAt {
		return
	}
	h.proposeAt = m.at.Add(m.setup.Again())
	for _, n := range m.others() {
		m.send(n, decide.Propose{Epoch: h.hold.Epoch, Generation: m.voter.Register.Generation + 1, Members: slices.Clone(m.setup.Voters)})
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
	if r.PendingGen == p.Generation && sameNodes(r.Pending, p.Members) {
		m.send(from, decide.Accepted{Generation: p.Generation})
		return
	}
	r.Pending, r.PendingGen = slices.Clone(p.Members), p.Generation
	m.persist(func() { m.send(from, decide.Accepted{Generation: p.Generation}) })
}

func (m *Machine) onAccepted(from words.Node, a decide.Accepted) {
	if h := m.holder; h != nil && a.Generation == m.voter.Register.Generation+1 {
		if h.accepted == nil {
			h.accepted = map[words.Node]bool{m.setup.Self: true}
		}
		h.accepted[from] = true
		m.commitList()
	}
}

// commitList takes the new list when majorities of both lists have it on disk and grant this hold: pending first, then
// committed, each on disk before the next step. Both must have granted the very request that the gate points at: its slot
// outlives an older one, and whoever hears of the new list may elect by it as soon as its own grant is over.
func (m *Machine) commitList() {
	h, r := m.holder, &m.voter.Register
	both := quorum.Lists{Members: r.Members, Pending: m.setup.Voters}
	until, seq, held := h.hold.Until(both)
	if h.committing || !held || seq < h.hold.Active || m.at >= until || !both.Majority(func(n words.Node) bool { return h.accepted[n] }) {
		return
	}
	h.committing = true
	r.Pending, r.PendingGen = slices.Clone(m.setup.Voters), r.Generation+1
	m.persist(func() {
		if m.holder != h {
			return
		}
		r.Members, r.Generation = r.Pending, r.PendingGen
		r.Pending, r.PendingGen = nil, 0
		h.accepted, h.committing = nil, false
		m.note(words.Reason{Code: words.ListCommitted, N: int64(r.Generation)})
		m.persist(func() {
			for _, n := range m.others() {
				m.tellList(n)
			}
		})
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
