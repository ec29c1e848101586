package sentinel

import (
	"strconv"
	"time"

	"redkeep/internal/words"
)

// nobody is a question that wants no vote.
const nobody = "*"

// vote returns whom this Sentinel votes for in an epoch: who asks first, for all that is asked later. It may be told when it is recorded.
// In an epoch that it has not come to it votes for nobody.
func (m *Machine) vote(g *group, epoch uint64, id string) (leader string, term uint64) {
	m.adopt(g, epoch)
	if g.leaderEpoch < epoch && m.currentEpoch == epoch {
		g.leader, g.leaderEpoch = id, m.currentEpoch
		if id != m.myID {
			// The other is to have the time for its failover.
			g.failover.began = m.now.Add(m.spread())
		}
		m.record(g)
	}
	return g.leader, g.leaderEpoch
}

// record has the vote written, and tells of it and looks at the group when it is.
func (m *Machine) record(g *group) {
	g.voteTicket = m.save()
	vote := g.leader + " " + strconv.FormatUint(g.leaderEpoch, 10)
	m.after(g.voteTicket, func(failed bool) {
		if !failed && m.byName[g.name] == g {
			m.proclaim(g, "+vote-for-leader", vote)
		}
		m.prompt(g)
	})
}

// recorded reports whether the vote is on disk; its save may have failed.
func (m *Machine) recorded(g *group) bool { return g.voteTicket <= m.saved }

// spread is the part of a second by which a failover's begin is shifted, so that those who failed together don't try again together.
func (m *Machine) spread() time.Duration {
	return time.Duration(m.random()%uint64(startDesync/time.Millisecond)) * time.Millisecond
}

// onIsMasterDown answers another Sentinel. Its vote is answered when it is on disk.
func (m *Machine) onIsMasterDown(id uint64, r IsMasterDown) {
	g := m.groupAt(r.Addr)
	a := Answer{Leader: nobody}
	a.Down = g != nil && !m.tilt && g.master.sDown
	if a.Down && r.RunID == nobody && !g.master.oDown {
		m.askBack(g)
	}
	if g == nil || r.RunID == nobody || m.setup.Observe {
		m.do(Reply{id, a})
		return
	}
	a.Leader, a.Epoch = m.vote(g, r.Epoch, r.RunID)
	if !m.recorded(g) && g.voteTicket <= m.ended {
		m.record(g) // which failed, and may go well now that somebody asks again
	}
	m.after(g.voteTicket, func(failed bool) {
		if failed {
			// A vote that a restart would forget is none.
			a.Leader, a.Epoch = nobody, 0
		}
		m.do(Reply{id, a})
	})
}

// groupAt returns the group whose master is at an address.
func (m *Machine) groupAt(a Address) *group {
	for _, g := range m.groups {
		if g.master.addr.same(a) {
			return g
		}
	}
	return nil
}

// askAll asks the other Sentinels whether they call the master down, too, once in a period; where insist is set at once, and for their
// votes. It returns when the next question is due.
func (m *Machine) askAll(g *group, insist bool) words.Instant {
	next, period := words.Never, m.periods.Ask
	if m.setup.Observe && !g.master.oDown {
		period = min(period, hurried) // nobody knows of this one, and asks it
	}
	for _, s := range g.sentinels {
		if m.since(s.toldAt) > 5*m.periods.Ask && s.saysDown {
			s.saysDown, s.leader = false, ""
		}
		if s.saysDown {
			next = min(next, s.toldAt.Add(5*m.periods.Ask)+1)
		}
		if !g.master.sDown || !s.link.open() {
			continue
		}
		if at := s.toldAt.Add(period); !insist && at > m.now {
			next = min(next, at)
			continue
		}
		if s.asking && !insist {
			continue
		}
		m.ask(s)
	}
	return next
}

// askBack asks the others once more, since one of them has just found the master down, too: what it said before that is not so any more.
func (m *Machine) askBack(g *group) {
	for _, s := range g.sentinels {
		if !s.saysDown && !s.asking && s.link.open() && m.since(s.toldAt) >= askBackAfter {
			m.ask(s)
		}
	}
}

func (m *Machine) ask(s *instance) {
	g := s.group
	id, epoch := nobody, m.currentEpoch
	if g.failover.state == waitStart && g.failover.ticket <= m.saved {
		id, epoch = m.myID, g.failover.epoch
	}
	m.do(AskDown{s.link.id, s.id, g.word("SENTINEL"), m.told(g.master.addr), epoch, id})
	s.link.pending++
	s.asking = true
}

// onTold takes another's answer.
func (m *Machine) onTold(s *instance, e Told) {
	s.asking = false
	if s.kind != sentinel || !e.Valid {
		return
	}
	s.toldAt, s.saysDown = m.now, e.Down
	if e.Leader != nobody {
		if s.leaderTerm != e.Epoch {
			m.note(Warning, s.runID+" voted for "+e.Leader+" "+strconv.FormatUint(e.Epoch, 10))
		}
		s.leader, s.leaderTerm = e.Leader, e.Epoch
	}
	m.prompt(s.group)
}

// winner counts the votes of an epoch, and returns who has enough: a majority of all known Sentinels, and the quorum. This one's
// own goes to whoever leads so far, or else to itself; it counts when it is on disk. Votes of other epochs are for other elections,
// of which each may have its own winner.
func (m *Machine) winner(g *group, epoch uint64) string {
	votes := map[string]int{}
	for _, s := range g.sentinels {
		if s.leader != "" && s.leaderTerm == epoch {
			votes[s.leader]++
		}
	}
	first, most := leading(votes)
	choice := first
	if choice == "" {
		choice = m.myID
	}
	mine, term := m.vote(g, epoch, choice)
	if term == epoch && m.recorded(g) {
		votes[mine]++
		if votes[mine] > most {
			first, most = mine, votes[mine]
		}
	}
	if most < g.voters()/2+1 || most < g.quorum {
		return ""
	}
	return first
}

// leading returns who has most votes; of equals the one that sorts first, so that the same votes have the same end.
func leading(votes map[string]int) (who string, most int) {
	for id, n := range votes {
		if n > most || n == most && id < who {
			who, most = id, n
		}
	}
	return who, most
}
