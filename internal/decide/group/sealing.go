package group

import (
	"redkeep/internal/decide"
	"redkeep/internal/words"
	"time"
)

// sealOwn cuts this node's server from the old master, and reports whether it is cut and stays so.
func (m *Machine) sealOwn() bool {
	v := m.vacancy
	if !m.own.usable(m) || m.own.apart() {
		if v.sealed == 0 {
			v.sealed = m.at
			m.own.sealed = max(m.own.sealed, v.ended)
			m.nextStatus = m.at
		}
		return true
	}
	if m.at >= v.retry {
		m.sealThen(func() {}, func(words.Reason) { v.retry = m.at.Add(20 * time.Millisecond) })
	}
	return false
}

// sealDrain is how long what a dead master had sent may take to arrive; a link that still brings something then gets as long again.
const sealDrain = 5 * time.Millisecond

// sealThen orders the seal. What a dead master had sent may first arrive; a silent one has sent nothing for a lease.
func (m *Machine) sealThen(then func(), failed func(words.Reason)) {
	if m.desk.busy {
		failed(words.Reason{Code: words.Elections, Node: m.setup.Self})
		return
	}
	ended := m.voter.Seen()
	var drain time.Duration
	if _, released := m.releases[m.own.masterNode(m)]; released {
		drain = sealDrain
	}
	m.instruct(decide.Seal{RunID: m.own.server.RunID, Drain: drain}, func(d decide.Ordered) {
		if d.Err != "" || !m.own.apart() {
			failed(words.Reason{Code: words.ServerSilent, Node: m.setup.Self, Text: d.Err})
			return
		}
		m.own.sealed = max(m.own.sealed, ended)
		if m.vacancy != nil {
			m.vacancy.sealed = m.at
		}
		m.note(words.Reason{Code: words.Sealed, Node: m.setup.Self, M: int64(m.own.server.Offset)})
		m.nextStatus = m.at
		then()
	})
}

// mustSeal reports whether this node's server still hears an old master while a vote is asked for (rule vote-seals).
func (m *Machine) mustSeal(from words.Node, q decide.Vote) bool {
	if m.setup.Off.Off(decide.VoteSeals) || !m.data() || !m.leased() || !m.own.usable(m) || !m.unkept().Zero() || m.own.apart() {
		return false
	}
	if q.Reclaim || m.own.masterNode(m) == from {
		return false
	}
	return m.voter.WouldVote(m.at, from, decide.PreVote{Releases: q.Releases}).Zero()
}
