package sim

import (
	"time"

	"redkeep/internal/decide"
)

// segment is what is beyond the hosts of one group's address: its clients' neighbour table, and perhaps a stranger that has the address.
type segment struct {
	w     *World
	group int
	// stranger says that a host that is none of ours answers for the address.
	stranger bool
	// entry is the host that the clients send to: one of ours, or noEntry, or strangers. It is confirmed by answers.
	entry     int
	confirmed time.Duration
	asked     time.Duration
	// acked is when a client of the address last had an answer to a write.
	acked time.Duration
}

const (
	noEntry   = -1
	strangers = -2
	// staleAfter is how long a neighbour that does not answer is believed, askEvery the time between two questions.
	staleAfter, askEvery = 3 * time.Second, time.Second
)

// learn is an announcement that the clients have heard.
func (n *segment) learn(host int) { n.entry, n.confirmed = host, n.w.now }

// confirm is an answer to a client from the host that it sends to.
func (n *segment) confirm(host int) {
	n.acked = n.w.now
	if n.entry == host {
		n.confirmed = n.w.now
	}
}

// question is one host's question who has the address: it returns who answers, if anybody else does.
func (n *segment) question(h *host) string {
	w := n.w
	for _, o := range w.hosts {
		if o != h && h.power && w.net.both(h.index, o.index) && o.addresses[n.group].answers() {
			return string(o.name)
		}
	}
	if n.stranger && h.power && w.net.both(h.index, w.net.clients()) {
		return "stranger"
	}
	return ""
}

// route is where a client's packet for the address goes: nil for nowhere. An entry that is silent is asked for anew.
func (n *segment) route() *host {
	w := n.w
	if n.entry != noEntry && w.now-n.confirmed > staleAfter {
		n.entry = noEntry
	}
	if n.entry == noEntry && w.now-n.asked >= askEvery {
		n.ask()
	}
	if n.entry < 0 {
		return nil
	}
	return w.hosts[n.entry]
}

// ask is the clients' question; the last answer counts.
func (n *segment) ask() {
	w := n.w
	n.asked = w.now
	for _, h := range w.hosts {
		if w.net.both(w.net.clients(), h.index) && h.addresses[n.group].answers() {
			n.learn(h.index)
		}
	}
	if n.stranger && w.rng.IntN(2) == 0 {
		n.learn(strangers)
	}
}

// comes brings a stranger, who says that the address is its; goes takes it away.
func (n *segment) comes() {
	w := n.w
	n.stranger = true
	n.learn(strangers)
	w.log("a stranger has the address of %s", w.groups[n.group])
	for _, h := range w.hosts {
		a := h.agent()
		if a == nil || !h.addresses[n.group].here() || !w.net.both(h.index, w.net.clients()) {
			continue
		}
		a.later(vipHand, w.net.delay(h.index, w.net.clients()), func() {
			h.addresses[n.group].announce() // the hand's answer
			a.post(n.group, decide.VIPSeen{Claimed: "02:00:00:00:00:63"})
		})
	}
}

func (n *segment) goes() {
	n.stranger = false
	if n.entry == strangers {
		n.entry = noEntry
	}
}

// newSegment also starts the group's clients that use its address.
func newSegment(w *World, group int) *segment {
	return &segment{w: w, group: group, entry: noEntry, asked: -askEvery}
}

// clients write to the address for ever.
func (n *segment) clients() {
	w := n.w
	c := newWriter(w, nil, n.group, false)
	c.vip = n
	var next func()
	next = func() {
		w.after(2*w.plan.Write+w.between(0, w.plan.Write/2), next)
		if h := n.route(); h != nil {
			one := *c
			one.host = h
			one.send()
		}
	}
	next()
}
