package group

import (
	"slices"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/decide/rank"
	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// Picture is what faces may know of this group, as of the last step.
func (m *Machine) Picture() picture.Group {
	p := picture.Group{
		Name: m.setup.Group, Self: m.setup.Self, RedisPort: m.setup.Servers[m.anyData()].Port(),
		HasVIP: m.vip.up, VIPWhy: m.vipWhy(), Lease: m.setup.Lease, Gate: m.gate.state.String(), Fence: m.gate.fence, FenceWhy: m.gate.why,
	}
	if m.voter == nil {
		p.State = picture.StateFollower
		return p
	}
	p.State, p.Generation = m.state(), m.voter.Register.Generation
	m.pictureMaster(&p)
	for _, n := range append([]words.Node{m.setup.Self}, m.others()...) {
		p.Members = append(p.Members, m.member(n, p))
	}
	m.pictureOrder(&p)
	m.picturePause(&p)
	if why := m.clash(); !why.Zero() && !m.gone {
		p.Ready, p.Why = false, []words.Reason{why}
	}
	for _, n := range m.recent {
		p.Recent = append(p.Recent, picture.Noted{Ago: m.at.Sub(n.at), Reason: n.reason})
	}
	return p
}

func (m *Machine) anyData() words.Node {
	if len(m.setup.Data) == 0 {
		return ""
	}
	return m.setup.Data[0]
}

func (m *Machine) state() picture.State {
	switch {
	case m.admission != nil:
		return picture.StateReadmit
	case m.voter.Register.Left:
		return picture.StateLeft
	case m.holder != nil && m.holder.open:
		return picture.StateHolder
	case m.holder != nil:
		return picture.StateTakeover
	case m.leaving != nil && !m.leaving.sent:
		return picture.StateLetGo
	case m.candidate != nil && m.candidate.forTarget == nil:
		return picture.StateCandidate
	default:
		return picture.StateFollower
	}
}

// pictureMaster says who is master: this node's own hold is the surest, then what it grants.
func (m *Machine) pictureMaster(p *picture.Group) {
	row := m.voter.Register.Newest()
	if h := m.holder; h != nil {
		p.Epoch = h.hold.Epoch
		if until, _ := m.holdUntil(); m.at < until {
			p.HoldLeft = until.Sub(m.at)
		}
		if h.open {
			p.Master, p.Writable = m.setup.Self, p.HoldLeft > 0 && !m.handover.closed()
		}
		return
	}
	p.Master, p.Epoch = row.Holder, row.Epoch
	p.Writable = m.heldElsewhere(row)
}

func (m *Machine) member(n words.Node, g picture.Group) picture.Member {
	mem := picture.Member{Node: n, Data: m.setup.IsData(n), Lag: -1}
	for _, v := range m.lists().All() {
		mem.Voter = mem.Voter || v == n
	}
	if n == m.setup.Self {
		mem.Server, mem.Known = m.own.server, m.own.known
		mem.Unfit = m.unfit()
		mem.Fence, mem.Gate, mem.Version = m.gate.fence, m.gate.state.String(), m.setup.Version
	} else {
		m.memberHeard(&mem, n)
	}
	if !mem.Data {
		mem.Unfit = words.Reason{Code: words.Witness, Node: n}
	}
	mem.Fit = mem.Unfit.Zero()
	mem.InSync = m.countedInSync(n)
	mem.Lag = m.lag(mem, g)
	return mem
}

func (m *Machine) memberHeard(mem *picture.Member, n words.Node) {
	mem.Heard = -1
	p := m.peers[n]
	if p == nil || p.heard == 0 {
		mem.Unfit = words.Reason{Code: words.Unreachable, Node: n}
		return
	}
	mem.Heard = m.at.Sub(p.heard)
	mem.Fence, mem.Version = p.status.Fence, p.status.Version
	mem.Gate = decide.GateState{Mode: p.status.Gate}.String()
	mem.Differs = p.has && p.status.Digest != m.setup.Digest
	mem.OtherSettings = p.has && p.status.Settings != 0 && p.status.Settings != m.setup.Settings
	if c := p.status.Claim; c != nil {
		mem.Server, mem.Known, mem.Unfit = c.Server, c.Server.RunID != "", c.Unfit
	} else {
		mem.Unfit = words.Reason{Code: words.NotSeen, Node: n}
	}
	if mem.Heard > m.setup.Lease+2*m.statusEvery() {
		mem.Unfit = words.Reason{Code: words.Unreachable, Node: n, N: mem.Heard.Milliseconds()}
	}
}

func (m *Machine) countedInSync(n words.Node) bool {
	for _, s := range m.voter.Register.InSync {
		if s == n {
			return true
		}
	}
	return false
}

// lag is how far behind the master's server a replica of its history is.
func (m *Machine) lag(mem picture.Member, g picture.Group) int64 {
	if !mem.Known || g.Master == "" || mem.Node == g.Master {
		return -1
	}
	master := m.own.server
	if g.Master != m.setup.Self {
		p := m.peers[g.Master]
		if p == nil || p.status.Claim == nil {
			return -1
		}
		master = p.status.Claim.Server
	}
	if master.ReplID == "" || master.ReplID != mem.Server.ReplID {
		return -1
	}
	return max(0, int64(master.Offset-mem.Server.Offset))
}

// pictureOrder says who would win now, and whether a failover could succeed.
func (m *Machine) pictureOrder(p *picture.Group) {
	order := rank.Order(m.setup.Data, m.claims(), m.voter.Register.Rows, m.setup.Off)
	place, linked := 0, false
	var unlinked words.Reason
	for _, e := range order {
		c := picture.Candidate{Node: e.Node, Out: m.whyOut(e, p)}
		if e.Node == p.Master && p.Writable {
			continue
		}
		if c.Out.Zero() && p.Writable && !m.countedInSync(e.Node) {
			c.Out = words.Reason{Code: words.NotInSync, Node: e.Node}
			if why := m.noLink(e.Node); !why.Zero() {
				c.Out = why // waiting would not help
			}
		}
		if mem, _ := p.Member(e.Node); c.Out.Zero() && mem.Server.DiskFails {
			c.Out = words.Reason{Code: words.ServerDisk, Node: e.Node} // it would be elected, and refuse the write that proves it
		}
		if c.Out.Zero() {
			place++
			c.Place = place
			why := m.noLink(e.Node)
			if linked = linked || why.Zero() || !p.Writable; unlinked.Zero() {
				unlinked = why
			}
		}
		p.Candidates = append(p.Candidates, c)
	}
	quorate := m.lists().Majority(func(n words.Node) bool { return n != p.Master && m.present(n) })
	waiting, settled := m.unsettled(p.Master)
	p.Ready = linked && quorate && settled && (p.Writable || m.leased())
	switch {
	case !p.Writable:
		p.Why = append([]words.Reason(nil), m.why...)
	case place == 0 && len(p.Candidates) > 0:
		p.Why = []words.Reason{p.Candidates[0].Out}
	case place > 0 && !linked:
		p.Why = []words.Reason{unlinked}
	case !quorate:
		p.Why = m.absentVoters(p)
	case !settled:
		p.Why = []words.Reason{{Code: words.RestartWaiting, Node: waiting}}
	}
	if mem, _ := p.Member(p.Master); p.Writable && mem.Server.DiskFails {
		p.Why = append([]words.Reason{{Code: words.ServerDisk, Node: p.Master}}, p.Why...)
	}
}

// unlinkedFor is how long a replica's link may be down before no failover is promised on it: each change of masters takes it down.
const unlinkedFor = 3 * time.Second

// noLink says that a replica's link is down for long. While nothing is written it has all that its master has, and would be
// elected; but that is luck, and ends with the next write.
func (m *Machine) noLink(n words.Node) words.Reason {
	down := m.own.link.down
	if n != m.setup.Self {
		down = 0
		if p := m.peers[n]; p != nil {
			down = p.link.down
		}
	}
	if down == 0 || m.at.Sub(down) < unlinkedFor {
		return words.Reason{}
	}
	return words.Reason{Code: words.NoLink, Node: n, N: m.at.Sub(down).Milliseconds()}
}

// picturePause says that nobody would be elected, however good the candidates are.
func (m *Machine) picturePause(p *picture.Group) {
	why := m.whyPaused()
	if why.Zero() || m.gone {
		return
	}
	k := m.pause()
	p.Pause = picture.Pause{By: k.By, For: k.For, Left: k.Left, Text: k.Text}
	p.Ready = false
	others := slices.DeleteFunc(slices.Clone(p.Why), func(r words.Reason) bool { return r.Code == words.Paused })
	p.Why = append([]words.Reason{why}, others...)
}

// whyOut says for people what keeps a server from being elected, where the rank's own reason would lead them astray.
func (m *Machine) whyOut(e rank.Entry, p *picture.Group) words.Reason {
	mem, _ := p.Member(e.Node)
	switch {
	case e.Out.Zero() && m.undecided():
		for _, r := range m.why {
			if r.Code == words.ServersDiffer {
				return r
			}
		}
	case e.Out.Code == words.NotSeen && mem.Unfit.Code == words.Unreachable:
		// That its server has not answered says nothing, where its host does not.
		return mem.Unfit
	case e.Out.Code == words.NoLineage && p.Writable:
		// The master has that point, and this one is on its way to it.
		return words.Reason{Code: words.NotInSync, Node: e.Node}
	}
	return e.Out
}

// undecided reports whether a person has to choose among servers that hold different data.
func (m *Machine) undecided() bool {
	return slices.ContainsFunc(m.why, func(r words.Reason) bool { return r.Code == words.ServersDiffer })
}

// unsettled returns a voter that is in its restart wait, and whether a majority without the master is not.
func (m *Machine) unsettled(master words.Node) (words.Node, bool) {
	var waiting words.Node
	ok := m.lists().Majority(func(n words.Node) bool {
		settled := n == m.setup.Self && m.at >= m.voter.Settled()
		if p := m.peers[n]; n != m.setup.Self && p != nil {
			settled = p.status.Settled
		}
		if !settled {
			waiting = n
		}
		return n != master && settled
	})
	return waiting, ok
}

// absentVoters says whom a failover would lack. That there is a majority now, with the master, makes it no case for recovery.
func (m *Machine) absentVoters(p *picture.Group) []words.Reason {
	var absent []words.Reason
	for _, n := range m.lists().All() {
		if n == p.Master || m.present(n) {
			continue
		}
		why := words.Reason{Code: words.Unreachable, Node: n}
		if peer := m.peers[n]; peer != nil && peer.heard != 0 {
			why.N = m.at.Sub(peer.heard).Milliseconds()
		}
		absent = append(absent, why)
	}
	return absent
}
