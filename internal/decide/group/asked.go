package group

import (
	"slices"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/decide/repair"
	"redkeep/internal/words"
)

// choice is a person's choice of a master.
type choice struct {
	master     words.Node
	acceptLoss bool
	// asked says that it has not been carried out yet.
	asked bool
	// after is the newest epoch that was known when it was made: of a later one the person knew nothing.
	after words.Epoch
}

// ending is an agent on its way out.
type ending struct {
	id       uint64
	deadline words.Instant
	// gave says that the handover has been tried; again is when it may be tried once more, after a refusal that passes.
	gave  bool
	again words.Instant
	// done says that the last write is on its way.
	done bool
}

// stopBudget is how long a stopping agent tries to hand over and to see its server follow.
const stopBudget = 4 * time.Second

// asked carries out a request. Every request is answered once with Final.
func (m *Machine) asked(e decide.Asked) {
	if m.voter != nil && m.voter.Register.Left && changes(e.Request) {
		m.reply(e.ID, words.Reason{Code: words.GroupLeft, Node: m.setup.Self})
		return
	}
	switch r := e.Request.(type) {
	case decide.Switchover:
		m.switchover(e.ID, r)
	case decide.Bootstrap:
		m.bootstrap(e.ID, r)
	case decide.Recover:
		m.recover(e.ID, r)
	case decide.Leave:
		m.leave(e.ID)
	case decide.PauseFailover:
		length := min(max(r.For, 0), words.LongestPause)
		m.askPause(e.ID, words.Pause{For: length, Left: length, Text: r.Text})
	case decide.ResumeFailover:
		m.askPause(e.ID, words.Pause{})
	case decide.Stop:
		if m.ending == nil {
			m.ending = &ending{id: e.ID, deadline: m.at.Add(stopBudget)}
			m.succeedVIP(vipParting)
		}
	case decide.Suspend:
		m.persist(func() {
			m.asleep = true
			m.reply(e.ID, words.Reason{})
		})
	default:
		m.do(decide.Reply{ID: e.ID, Final: true, Err: "this version can't do that"})
	}
}

// changes reports whether a request needs a group that is led: one that was let go of takes none of these any more. It takes a
// bootstrap, which starts it anew.
func changes(r decide.Request) bool {
	switch r.(type) {
	case decide.Switchover, decide.Recover, decide.Leave, decide.PauseFailover, decide.ResumeFailover:
		return true
	default:
		return false
	}
}

// reply answers a request for good.
func (m *Machine) reply(id uint64, why words.Reason) {
	r := decide.Reply{ID: id, Final: true, Why: why}
	if !why.Zero() {
		r.Err = why.String()
	}
	m.do(r)
}

func (m *Machine) switchover(id uint64, r decide.Switchover) {
	switch {
	case m.holder == nil || !m.holder.open || !m.holds():
		m.reply(id, words.Reason{Code: words.FollowerOnly, Node: m.setup.Self, Other: m.voter.Grant.Holder})
		return
	case m.handover != nil:
		m.reply(id, words.Reason{Code: words.Elections, Node: m.setup.Self})
		return
	case r.To == m.setup.Self:
		m.do(decide.Reply{ID: id, Final: true, Err: string(r.To) + " is the master already"})
		return
	}
	target, why := r.To, words.Reason{}
	if target == "" {
		target, why = m.bestTarget()
	} else if !m.setup.IsData(target) {
		why = words.Reason{Code: words.Witness, Node: target}
	} else if !slices.Contains(m.level(), target) {
		why = words.Reason{Code: words.NotInSync, Node: target}
		if c, ok := m.claims()[target]; ok && !c.Fit {
			why = c.Unfit
		}
	}
	if !why.Zero() {
		m.reply(id, why)
		return
	}
	m.beginHandover(target, func(why words.Reason) { m.reply(id, why) })
}

// bootstrap passes a person's choice on to all voters.
func (m *Machine) bootstrap(id uint64, r decide.Bootstrap) {
	if _, held := m.voter.Granting(m.at); held && !m.gone || m.holder != nil {
		m.reply(id, words.Reason{Code: words.HolderHeard, Node: m.voter.Grant.Holder})
		return
	}
	if why := m.clash(); !why.Zero() {
		m.reply(id, why) // it would be forgotten: who counts whose vote is not settled
		return
	}
	if !m.setup.IsData(r.Master) {
		m.reply(id, words.Reason{Code: words.Witness, Node: r.Master})
		return
	}
	if c := m.claims()[r.Master].Server; c.Unkept() != "" {
		m.reply(id, words.Reason{Code: c.Unkept(), Node: r.Master})
		return
	}
	if m.gone {
		m.bootstrapLeft(id, r)
		return
	}
	if m.leased() && !r.AcceptLoss {
		m.reply(id, words.Reason{Code: words.LossNotAccepted, Node: m.voter.Register.Newest().Holder})
		return
	}
	m.sendAll(decide.Choose{Master: r.Master, AcceptLoss: r.AcceptLoss})
	m.choose(choice{master: r.Master, acceptLoss: r.AcceptLoss})
	m.reply(id, words.Reason{})
}

func (m *Machine) choose(c choice) {
	if c.acceptLoss {
		m.voter.Register.Promised = 0 // a person goes on with a group whose departure came to nothing, and answers for it
	}
	c.asked, c.after = c.master == m.setup.Self, m.voter.Register.Newest().Epoch
	m.chosen = c
}

// heed ends a choice when there is a master: it was for one election, and the next goes by rank again.
func (m *Machine) heed(holder words.Node) {
	if m.chosen.master != holder {
		m.chosen = choice{}
	}
	m.chosen.asked = false
}

// outdate ends a choice that has not been carried out when the group turns out to have gone on without it.
func (m *Machine) outdate() {
	if row := m.voter.Register.Newest(); m.chosen.asked && row.Epoch > m.chosen.after && row.Holder != m.setup.Self {
		m.chosen = choice{}
		m.note(words.Reason{Code: words.Superseded, Node: row.Holder, N: int64(row.Epoch)})
	}
}

// tendEnding hands a master over, sees the own server follow, and ends.
func (m *Machine) tendEnding() {
	e := m.ending
	if e == nil {
		return
	}
	late := m.at >= e.deadline
	switch {
	case m.handover != nil && !late:
	case m.holder != nil && m.at < e.again && !late:
	case m.holder != nil && !e.gave && !late:
		e.gave = true
		if target, why := m.bestTarget(); why.Zero() && m.holder.open && m.holds() {
			m.beginHandover(target, func(why words.Reason) {
				if why.Code == words.RestartWaiting {
					e.gave, e.again = false, m.at.Add(50*time.Millisecond)
				}
			})
		}
	case m.holder != nil:
		m.letGo(words.Reason{Code: words.AgentStopped, Node: m.setup.Self}, takeoverEnd{})
	case m.leaving != nil && !late:
	case m.vip.there && !late:
	case !late && m.data() && m.leased() && m.own.usable(m) && m.gate.state.Mode == decide.GateShut && m.mayFollow():
	default:
		m.end(e)
	}
}

// mayFollow reports whether a new master may still come for this server to follow: somebody else can be one.
func (m *Machine) mayFollow() bool {
	return slices.ContainsFunc(m.others(), func(n words.Node) bool { return m.heardWithin(n, m.setup.Lease) })
}

// end leaves the gate as a server without an agent needs it: none in front of a verified replica that would start as one; a
// timed opening in front of one that would start as a master, since nobody would shut it then; shut in front of anything else.
func (m *Machine) end(e *ending) {
	if m.gate.pending > 0 || e.done {
		return
	}
	e.done = true
	if m.data() && m.gate.state.Mode == decide.GateOpen && m.own.confirmed == m.own.server.RunID {
		leave := decide.GateState{Mode: decide.GateAbsent}
		if m.vip.there {
			leave = m.gate.state // an address that could not be taken off is silent behind it, until the kernel takes it
		}
		if !m.own.server.BornFenced && !m.setup.Ungated {
			leave = decide.GateState{Mode: decide.GateOpen, For: repair.ReadsFor}
		}
		m.setGate(leave, func(string) {})
	}
	m.persist(func() {
		m.asleep = true
		m.reply(e.id, words.Reason{})
	})
}

func (m *Machine) wakeEnding() words.Instant {
	if m.ending == nil {
		return words.Never
	}
	return max(m.ending.deadline, m.at.Add(50*time.Millisecond))
}
