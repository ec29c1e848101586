package group

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// addressClaim is what this node does about others who answer for its address, or may have missed that it has it. A claim the
// hand has answered when it tells of it; a heal only the core can see.
type addressClaim struct {
	// heals says that some part of the network may believe another; said is when the address was last announced for that.
	heals bool
	said  words.Instant
	// heard is when another's claim was heard last, and by whose it was.
	heard words.Instant
	by    string
}

const (
	// announceLeast is the time between two announcements at the least: whoever was cut off asks a host that is master no more
	// until it hears of the new one.
	announceLeast = 100 * time.Millisecond
	// claimShown is how long another's claim is shown.
	claimShown = time.Minute
)

// tendClaim announces what is due. Like the refresh it goes with the beats.
func (m *Machine) tendClaim() {
	c := &m.vip.claim
	if c.heals && m.at >= c.said.Add(announceLeast) {
		c.heals, c.said = false, m.at
		m.do(decide.AnnounceVIP{})
	}
}

// heardAgain announces when a node is heard again after a lease without a word: its side of the network may have learnt another's
// claim meanwhile.
func (m *Machine) heardAgain(p *peer) {
	if m.vip.up && p.heard != 0 && m.at.Sub(p.heard) > m.setup.Lease {
		m.vip.claim.heals = true
	}
}

// answersAgain announces when a node answers again that was heard all the time, and heard nothing for a lease.
func (m *Machine) answersAgain(from words.Node) {
	p := m.peers[from]
	if p == nil {
		return
	}
	if m.vip.up && p.answered != 0 && m.at.Sub(p.answered) > m.setup.Lease {
		m.vip.claim.heals = true
	}
	p.answered = m.at
}

// claimed takes note of another host that answers for the address while it is here.
func (m *Machine) claimed(by string) {
	m.vip.claim.heard, m.vip.claim.by = m.at, by
	m.note(words.Reason{Code: words.VIPClaimed, Node: m.setup.Self, Text: by})
}

// vipSeen takes what the hand saw happen to the address. What was broken it restores by itself; where it can't, the address
// is asked for again with growing pauses.
func (m *Machine) vipSeen(e decide.VIPSeen) {
	v := &m.vip
	if e.Claimed != "" && v.wanted {
		m.claimed(e.Claimed)
	}
	if e.Broken {
		m.note(words.Reason{Code: words.VIPBroken, Node: m.setup.Self, Text: e.By})
	}
	if e.RanOut != 0 {
		m.note(words.Reason{Code: words.VIPExpired, Node: m.setup.Self, Text: e.RanOut.String()})
	}
	if e.Err != "" && v.wanted && v.under == 0 {
		m.failVIP(e.Err)
	}
}

// vipWhy says what is wrong with the address, for people.
func (m *Machine) vipWhy() words.Reason {
	v := &m.vip
	if m.voter == nil {
		return v.why
	}
	if c := v.claim; v.why.Zero() && v.up && c.heard != 0 && m.at.Sub(c.heard) < claimShown {
		return words.Reason{Code: words.VIPClaimed, Node: m.setup.Self, Text: c.by}
	}
	if master := m.voter.Register.Newest().Holder; v.why.Zero() && m.setup.VIP && m.heldElsewhere(m.voter.Register.Newest()) {
		if p := m.peers[master]; p != nil && p.has && !p.status.HasVIP {
			return words.Reason{Code: words.VIPMissing, Node: master}
		}
	}
	return v.why
}
