package group

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/decide/rank"
	"redkeep/internal/words"
)

// bootstrapLeft starts a group again that was let go of, on a person's word. Every voter must be there, as when it was left. What
// became of the data since then nobody knows: the master is the one that a first start would adopt, or the person accepts a loss.
func (m *Machine) bootstrapLeft(id uint64, r decide.Bootstrap) {
	for _, n := range m.others() {
		if !m.heardWithin(n, max(m.setup.Lease, 2*m.statusEvery())) {
			m.reply(id, words.Reason{Code: words.Unreachable, Node: n})
			return
		}
	}
	if !r.AcceptLoss {
		node, why := rank.First(m.setup.Data, m.claims())
		if why.Zero() && node != r.Master {
			why = words.Reason{Code: words.SomebodyBetter, Node: node}
		}
		if !why.Zero() {
			m.reply(id, why)
			return
		}
	}
	m.sendAll(decide.Choose{Master: r.Master, AcceptLoss: r.AcceptLoss, Anew: true})
	m.startAnew()
	m.choose(choice{master: r.Master, acceptLoss: r.AcceptLoss})
	m.reply(id, words.Reason{})
}

// startAnew makes this node one of a group that was never leased: until there is a master nothing is touched, neither a gate nor a
// server. What keeps two masters apart stays: the highest epoch, the last vote, the longest lease, the list of voters. What was
// known of the data goes, since they have been changed since by whoever liked to.
func (m *Machine) startAnew() {
	old := m.voter.Register
	m.voter.Register = words.Register{
		Admitted: old.Admitted, Generation: old.Generation, Members: old.Members, PendingGen: old.PendingGen, Pending: old.Pending,
		Data: old.Data, Vote: old.Vote, Seen: m.voter.Seen(), LMax: old.LMax, Pause: old.Pause, BootID: old.BootID,
	}
	m.gone, m.nextStatus = false, m.at
	m.own.record, m.own.sealed, m.own.confirmed, m.own.held = words.Record{}, 0, "", ""
	m.announced, m.releases, m.lastBeat, m.bereft = words.Row{}, map[words.Node]decide.Release{}, lastBeat{}, 0
	m.nextTry, m.failures, m.failedFor = m.at.Add(anewAfter), 0, words.Reason{}
	m.vip.minded = false
	if !old.Admitted {
		m.beginAdmission()
	}
	m.persist(nil)
}

// anewAfter is how long a node that starts anew waits before it stands: the others have to have heard of it too.
const anewAfter = 20 * time.Millisecond
