package group

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// addressClaim is what this node does about others who answer for its address, or may have missed that it has it: it says
// again where the address is. Like the refresh it goes with the beats.
type addressClaim struct {
	// said is when it was announced last, sayAt when it is next.
	said, sayAt words.Instant
	// heard is when another's claim was heard last, and by whose it was.
	heard words.Instant
	by    string
}

const (
	// announceEvery is the time between two announcements when nothing happens, announceLeast at the least.
	announceEvery, announceLeast = 30 * time.Second, time.Second
	// claimShown is how long another's claim is shown.
	claimShown = time.Minute
)

// beginClaim follows an address that was just put on, which the hand has announced.
func (m *Machine) beginClaim() {
	m.vip.claim = addressClaim{said: m.at, sayAt: m.at.Add(announceEvery)}
}

// tendClaim announces what is due.
func (m *Machine) tendClaim() {
	c := &m.vip.claim
	if m.at < c.sayAt {
		return
	}
	c.said, c.sayAt = m.at, m.at.Add(announceEvery)
	m.do(decide.AnnounceVIP{})
}

// sayVIP has the address announced as soon as it may be again.
func (m *Machine) sayVIP() {
	c := &m.vip.claim
	c.sayAt = min(c.sayAt, max(m.at, c.said.Add(announceLeast)))
}

// claimed takes note of another host that answers for the address while it is here: this one has the lease, and says so.
func (m *Machine) claimed(by string) {
	c := &m.vip.claim
	c.heard, c.by = m.at, by
	m.note(words.Reason{Code: words.VIPClaimed, Node: m.setup.Self, Text: by})
	m.sayVIP()
}

// heardAgain announces when a node is heard again after a lease without a word: its side of the network may have learnt another's
// claim meanwhile.
func (m *Machine) heardAgain(p *peer) {
	if m.vip.up && p.heard != 0 && m.at.Sub(p.heard) > m.setup.Lease {
		m.sayVIP()
	}
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
	if e.Err != "" && v.wanted && v.under == 0 {
		m.failVIP(e.Err)
	}
}

// vipWhy says what is wrong with the address, for people.
func (m *Machine) vipWhy() words.Reason {
	v := &m.vip
	if c := v.claim; v.why.Zero() && v.up && c.heard != 0 && m.at.Sub(c.heard) < claimShown {
		return words.Reason{Code: words.VIPClaimed, Node: m.setup.Self, Text: c.by}
	}
	return v.why
}
