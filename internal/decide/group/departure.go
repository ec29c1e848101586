package group

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// departure is the group being let go of for good, as the holder leads it. First every voter promises, on disk, to vote for
// nobody ever again, and goes on granting; when all have, no other master can come, and the gates can go without one
// refused connection.
type departure struct {
	id       uint64
	round    uint64
	answered map[words.Node]bool
	// final says that the promises are all there and the gates go.
	final    bool
	again    words.Instant
	deadline words.Instant
}

const (
	departRepeat = 50 * time.Millisecond
	departBudget = 5 * time.Second
)

// leave begins a departure. It is the holder's to lead, and every voter must be there: one that is not would come back to a group that is gone.
func (m *Machine) leave(id uint64) {
	if m.holder == nil || !m.holder.open || !m.holds() || m.handover != nil || m.departure != nil {
		m.reply(id, words.Reason{Code: words.FollowerOnly, Node: m.setup.Self, Other: m.voter.Grant.Holder})
		return
	}
	for _, n := range m.others() {
		if !m.heardWithin(n, m.setup.Lease) {
			m.reply(id, words.Reason{Code: words.Unreachable, Node: n})
			return
		}
	}
	m.rounds++
	m.departure = &departure{id: id, round: m.round(), answered: map[words.Node]bool{}, again: m.at, deadline: m.at.Add(departBudget)}
}

// tendDeparture asks those who have not answered, and takes the next step when all have.
func (m *Machine) tendDeparture() {
	d := m.departure
	if d == nil {
		return
	}
	if m.at >= d.deadline && !d.final {
		m.departure = nil
		m.revoke()
		m.reply(d.id, words.Reason{Code: words.Unreachable, Node: m.unanswered(d)})
		return
	}
	if m.unanswered(d) == "" {
		m.departed(d)
		return
	}
	if m.at < d.again {
		return
	}
	d.again = m.at.Add(departRepeat)
	for _, n := range m.others() {
		if !d.answered[n] {
			m.send(n, decide.Depart{Round: d.round, Final: d.final})
		}
	}
}

func (m *Machine) unanswered(d *departure) words.Node {
	for _, n := range m.others() {
		if !d.answered[n] {
			return n
		}
	}
	return ""
}

// departed goes on when all have answered: to the gates after the promises, and to the end after the gates.
func (m *Machine) departed(d *departure) {
	if d.final {
		m.departure = nil
		m.do(decide.Reply{ID: d.id, Final: true, Text: m.departText()})
		return
	}
	d.final, d.answered, d.again = true, map[words.Node]bool{}, m.at
	m.depart()
}

// depart takes Redkeep away from this node's server, which keeps the role that it has.
func (m *Machine) depart() {
	m.voter.Register.Left = true
	m.holder, m.candidate, m.vacancy = nil, nil, nil
	m.gone = true
	m.note(words.Reason{Code: words.GroupLeft, Node: m.setup.Self})
	m.persist(nil)
	if !m.data() {
		return
	}
	m.setGate(decide.GateState{Mode: decide.GateAbsent}, nil)
	m.departVIP()
	if !m.unkept().Zero() {
		return
	}
	m.instruct(decide.UnfenceBirth{}, func(o decide.Ordered) {
		if o.Err != "" {
			m.note(words.Reason{Code: words.ServerSilent, Node: m.setup.Self, Text: o.Err})
		}
	})
}

// departVIP takes the address off the host of a group that is let go of: nobody would move it from now on, and an address that
// stays behind when its master has gone is worse than none.
func (m *Machine) departVIP() {
	if m.vip.there {
		m.note(words.Reason{Code: words.VIPRemoved, Node: m.setup.Self})
		m.dropVIP()
	}
}

// departText is what the person who asked is told at the end.
func (m *Machine) departText() string {
	if !m.setup.VIP {
		return ""
	}
	return "the group's virtual address is gone with it; its clients need another way to the master"
}

// round numbers the attempts of all holders of this node's agents: a later session's are later.
func (m *Machine) round() uint64 { return uint64(m.boot.Session)<<16 | uint64(m.rounds) }

// revoke ends the promises of attempts that came to nothing: the group goes on, and needs its votes.
func (m *Machine) revoke() {
	m.voter.Register.Promised, m.disk.dirty = 0, true
	m.sendAll(decide.Depart{Round: m.round(), Revoke: true})
}

// onDepart promises, on disk, to vote for nobody any more; and lets go when all have. A promise counts for its own attempt
// alone, and one that has been revoked is not given again by a late copy of its question.
func (m *Machine) onDepart(from words.Node, p decide.Depart) {
	r := &m.voter.Register
	if p.Answer {
		if d := m.departure; d != nil && p.Final == d.final && p.Round == d.round {
			d.answered[from] = true
		}
		return
	}
	yes := func() { m.send(from, decide.Depart{Round: p.Round, Answer: true, Final: p.Final}) }
	switch {
	case m.gone:
		yes()
	case p.Final && r.Promised > 0 && (p.Round == r.Promised || p.Round == departedLong):
		m.depart()
		yes()
	case p.Revoke:
		m.onRevoke(from, p.Round)
	case from == m.promisedTo && (p.Round <= m.revoked || p.Round < r.Promised):
	case !p.Final && m.voter.Grant.Holder == from:
		if from != m.promisedTo {
			m.revoked = 0
		}
		r.Promised, m.promisedTo = p.Round, from
		m.persist(func() {
			if r.Promised == p.Round {
				yes()
			}
		})
	}
}

// departedLong is the round of a Final from a node that has left before, perhaps in another life: who leaves does so only when
// all have promised, so that whoever is still promised missed the end.
const departedLong = 0

// onRevoke takes a promise back: one to the sender, of that attempt or one before it; or one to a holder that has been
// succeeded by the sender, whose attempt is over whatever became of it.
func (m *Machine) onRevoke(from words.Node, round uint64) {
	r := &m.voter.Register
	if from == m.promisedTo {
		m.revoked = max(m.revoked, round)
	}
	if from == m.promisedTo && r.Promised <= round || from != m.promisedTo && from == m.voter.Grant.Holder {
		r.Promised, m.disk.dirty = 0, true
	}
}

func (m *Machine) wakeDeparture() words.Instant {
	if m.departure == nil {
		return words.Never
	}
	return min(m.departure.again, m.departure.deadline)
}
