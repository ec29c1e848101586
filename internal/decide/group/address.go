package group

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// addressDesk is the group's virtual address on this host, as it was last confirmed and asked for. There may be two, of one
// family each; they move together, and the hand knows which they are.
//
// Safety does not rest on it: the gate covers the address too (its port, and the answers to who has it), so that a host whose
// lease has run out answers for it as little as for its own (rule vip-behind-gate). The address follows the lease; an address
// that can't be set costs the group its address, never its master.
type addressDesk struct {
	// there says that the address may be on this host: it was asked for, or left by an agent before this one, and has not been
	// confirmed to be gone. Before the group's first lease nothing here is Redkeep's, and nothing is touched.
	there bool
	// up says that it was confirmed to be.
	up bool
	// minded says that the group has been leased, from when on the address belongs where the lease is and nowhere else.
	minded bool
	// fresh says that this node has taken over since it was.
	fresh bool
	// under is the newest order on its way, 0 for none; wanted is what was asked for last.
	under  decide.Ticket
	wanted bool
	// lingers is until when the address stays behind the shut gate of a node that let go.
	lingers words.Instant
	// goneBy is when the kernel has taken the address off by itself.
	goneBy words.Instant
	// refreshAt is when the kernel is asked to keep the address on; retryAt and pause hold back what has failed.
	refreshAt, retryAt words.Instant
	pause              time.Duration
	probe              addressProbe
	claim              addressClaim
	// why is what is wrong with it.
	why words.Reason
}

const (
	// vipRefresh is the time between two refreshes.
	vipRefresh = time.Second
	// vipLinger is how long the address stays on a host that let go once its successor is known, and vipBelieved how long once that
	// has the address: the time that its announcement may take to the clients.
	vipLinger, vipBelieved = 100 * time.Millisecond, 5 * time.Millisecond
	// vipParting is how long it stays at the most on a host whose agent ends: the agent has to see it go.
	vipParting = time.Second
	// vipRetry and vipRetryMost are the first and the longest pause after an order that failed.
	vipRetry, vipRetryMost = 100 * time.Millisecond, 30 * time.Second
)

// vipLasts is how long the kernel keeps the address without a refresh, in its whole seconds: the lease, so that an agent that
// is restarted within it finds the address, and a refresh's time more.
func (m *Machine) vipLasts() time.Duration {
	lease := (m.setup.Lease + time.Second - 1).Truncate(time.Second)
	return max(lease+vipRefresh, 2*time.Second)
}

// holdsVIP reports whether the address belongs here now: this node is the open master, and its hold lasts.
func (m *Machine) holdsVIP() bool {
	return m.setup.VIP && m.holder != nil && m.holder.open && m.holds()
}

// dropsVIP reports whether the address is to go: nobody is master here, or about to be again, and the gate has been shut,
// or could not be.
func (m *Machine) dropsVIP() bool {
	if !m.vip.there || m.holder != nil || m.resume != nil && m.resume.epoch > 0 {
		return false
	}
	return !m.leaving.shutting() && !m.lingersVIP()
}

// leaveVIP lets the address go with the lease: it falls silent behind the shut gate, and goes when the successor is known, or a
// lease later. Where no gate covers it, it goes at once.
func (m *Machine) leaveVIP() {
	v := &m.vip
	if v.up {
		v.lingers = m.at.Add(m.setup.Lease)
	}
	if m.ending != nil {
		m.succeedVIP(vipParting)
	}
	if !m.lingersVIP() {
		m.dropVIP()
		return
	}
	v.up = false
	m.setVIP(decide.SetVIP{Linger: true}, func(err string) {
		if err != "" {
			m.failVIP(err)
		}
	})
}

// lingersVIP reports whether the address stays for now on a node that let go. Behind the shut gate it says nothing to the segment,
// and whoever still knows this host by it is refused at once, and asks again; where the address is gone, the kernel says
// nothing to a request that was on its way, and the client's next try comes a second later. So it stays until the successor
// has announced itself. An agent that ends does not wait for one that nobody could be.
func (m *Machine) lingersVIP() bool {
	if m.ending != nil && !m.mayFollow() {
		return false
	}
	return m.at < m.vip.lingers && m.gate.state.Mode == decide.GateShut && m.gate.asked.Mode == decide.GateShut && m.vipSilenced()
}

// readersAwaitVIP reports whether the address is still here: who comes by it would take a replica that is open to readers for the
// master (rule vip-gone-first). By goneBy the kernel has taken it off, whatever came of the orders to.
func (m *Machine) readersAwaitVIP() bool {
	return m.vip.there && m.at < m.vip.goneBy && m.gateCovers() && !m.setup.Off.Off(decide.VIPGoneFirst)
}

// succeedVIP has an address that lingers go soon.
func (m *Machine) succeedVIP(in time.Duration) {
	m.vip.lingers = min(m.vip.lingers, m.at.Add(in))
}

// gateCovers reports whether a gate keeps clients away here, whatever address they know this host by.
func (m *Machine) gateCovers() bool { return !m.setup.Ungated && m.gate.fence != words.FenceSoft }

// vipSilenced reports whether a shut gate keeps the address silent here.
func (m *Machine) vipSilenced() bool { return m.gateCovers() && !m.gate.bare }

// tendAddress keeps the address where the lease is, and nowhere else.
func (m *Machine) tendAddress() {
	m.mindVIP()
	switch {
	case m.holdsVIP():
		m.keepVIP()
	case m.dropsVIP():
		m.dropVIP()
	}
}

// mindVIP has the address off this host with the group's first lease, if that is another's: the hand is told once, and then
// takes it off whenever another program puts it there. Who came by it would else be served by a replica.
func (m *Machine) mindVIP() {
	v := &m.vip
	if v.minded || !m.setup.VIP || !m.data() || !m.leased() {
		return
	}
	v.minded = true
	if m.holder == nil && !v.there {
		v.there, v.goneBy = true, m.at.Add(m.vipLasts())
	}
}

// takeVIP asks for the address of a master that was just promoted and verified, before anybody is told of it. What comes
// after does not wait: the gate is open, and those who use the nodes' own addresses are served from now on. A group's first
// lease takes over from nobody: its server was the master all along, and perhaps the address was there.
func (m *Machine) takeVIP() {
	m.vip.fresh = m.leased()
	if m.setup.VIP && m.holds() && m.vipFree() {
		m.raiseVIP()
	}
}

// keepVIP asks for the address where it is not, and for its refresh, once a second at the most. That has no timer of its own: a
// holder is woken by its beats, a tenth of the lease apart, and the address lasts longer than the lease.
func (m *Machine) keepVIP() {
	v := &m.vip
	if v.up {
		m.tendClaim()
	}
	switch {
	case v.wanted && v.under != 0:
	case v.up && m.at < v.refreshAt:
	case !v.up && v.wanted && m.at < v.retryAt:
	case !v.up && !m.vipFree():
	default:
		m.raiseVIP()
	}
}

// raiseVIP puts the address on, or refreshes it.
func (m *Machine) raiseVIP() {
	v := &m.vip
	v.there, v.refreshAt, v.goneBy = true, m.at.Add(vipRefresh), m.at.Add(m.vipLasts()+time.Second)
	m.setVIP(decide.SetVIP{Up: true, Fresh: v.fresh, For: m.vipLasts()}, func(err string) {
		// What was left over has been reset by now. Where one of two addresses failed, who comes by the other is a client: to try
		// again must not cost him his connection.
		v.fresh = false
		switch {
		case err != "":
			m.failVIP(err)
		case !v.up && m.holder != nil:
			v.up, v.pause, v.why = true, 0, words.Reason{}
			v.claim = addressClaim{said: m.at}
			m.nextStatus = m.at // whoever had it before waits for that
			m.note(words.Reason{Code: words.VIPHeld, Node: m.setup.Self, N: int64(m.voter.Register.Newest().Epoch)})
		}
	})
}

// dropVIP takes the address off, unless that is on its way.
func (m *Machine) dropVIP() {
	v := &m.vip
	if !v.there || !v.wanted && (v.under != 0 || m.at < v.retryAt) {
		return
	}
	v.up = false
	m.setVIP(decide.SetVIP{}, func(err string) {
		if err != "" {
			m.failVIP(err)
			return
		}
		v.there, v.pause, v.why = false, 0, words.Reason{}
	})
}

// setVIP gives an order to the hand. Of several that are on their way, which one hand carries out in this order, the last counts.
func (m *Machine) setVIP(set decide.SetVIP, then func(err string)) {
	v := &m.vip
	if v.wanted != set.Up {
		v.wanted, v.retryAt, v.pause = set.Up, 0, 0
	}
	var t decide.Ticket
	t = m.ticket(func(ev decide.Event) {
		if v.under == t {
			v.under = 0
			then(failed(ev))
		}
	})
	v.under, set.Ticket = t, t
	m.do(set)
}

// failVIP takes note of an order that failed: what it has changed is not known. It is tried again with growing pauses. Of two
// addresses one may be here all the same, and lives on by what is asked for both: no pause is longer than a refresh's then.
func (m *Machine) failVIP(err string) {
	v, most := &m.vip, vipRetryMost
	if v.wanted {
		most = vipRefresh
	}
	v.up = false
	v.pause = min(max(2*v.pause, vipRetry), most)
	v.retryAt = m.at.Add(v.pause)
	m.troubleVIP(words.Reason{Code: words.VIPFailed, Node: m.setup.Self, Text: err})
}

// troubleVIP says what is wrong with the address, once until it is something else.
func (m *Machine) troubleVIP(why words.Reason) {
	if m.vip.why != why {
		m.vip.why = why
		m.note(why)
	}
}

// wakeAddress is when something that failed is tried again, or a stranger is asked for once more.
func (m *Machine) wakeAddress() words.Instant {
	v := &m.vip
	var at words.Instant
	switch {
	case m.holdsVIP() && !v.up:
		at = max(v.retryAt, m.wakeProbe())
	case m.dropsVIP() && v.under == 0:
		at = v.retryAt
	case v.there && m.lingersVIP():
		at = v.lingers
	}
	if at <= m.at {
		return words.Never
	}
	return at
}
