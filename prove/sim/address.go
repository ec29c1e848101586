package sim

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
	"redkeep/prove/judge"
)

// address is one group's virtual address on one host, as its kernel has it. It outlives agents, not boots.
type address struct {
	w     *World
	host  *host
	group int
	up    bool
	ends  time.Duration // the true time at which the kernel takes it away
	// troubled is when an order about it last failed or was slow, or somebody else changed it.
	troubled time.Duration
}

// here reports whether the host has the address.
func (a *address) here() bool { return a.host.power && a.up && a.w.now < a.ends }

// answers reports whether a question for the address gets an answer from here: the gate covers that too (rule vip-behind-gate).
func (a *address) answers() bool {
	return a.here() && (a.host.gates[a.group].claims() || a.w.plan.Off.Off(decide.VIPBehindGate))
}

// claims reports whether answers and announcements about the address may leave: only under a lease, or where there is no gate.
func (g *gate) claims() bool {
	switch {
	case g.flushed, g.state.Mode == decide.GateAbsent:
		return true
	case g.state.Mode == decide.GateSlot:
		return g.w.now < g.ends[g.state.Slot]
	default:
		return false
	}
}

// set is the hand's: on for a time in whole seconds, which the kernel may exceed by less than one, or off.
func (a *address) set(up bool, d time.Duration) {
	w := a.w
	if up && (d < time.Second || d%time.Second != 0) {
		w.insane(a.host, a.group, "wants the address for %v", d)
	}
	fresh := up && !a.here()
	a.up, a.ends = up, w.now+a.host.clock.span(d)+w.between(0, time.Second)
	w.dirty(a.group)
	if !up {
		return
	}
	ends := a.ends
	w.after(ends-w.now, func() { a.expire(ends) })
	if fresh {
		w.log("%s has the address", a.host.name)
		a.announce()
	}
}

// expire is the kernel's end of an address that was not refreshed. No master that is well lets it come to that.
func (a *address) expire(ends time.Duration) {
	if a.ends != ends || !a.up {
		return
	}
	a.up = false
	w := a.w
	w.log("%s: the address runs out", a.host.name)
	since, well := w.wellSince(a.group, a.host.index)
	if w.watch[a.group].holder == a.host.index && well && w.now-max(since, a.troubled, w.watch[a.group].took) > w.calmFor()+5*time.Second {
		w.find(a.group, judge.AddressStays, "%s lets it run out although all is well since %v", a.host.name, since)
	}
}

// announce tells the segment where the address is. What the gate does not let out nobody hears (rule announce-gated).
func (a *address) announce() {
	w := a.w
	if !a.host.power || !a.host.gates[a.group].claims() && !w.plan.Off.Off(decide.AnnounceGated) {
		return
	}
	w.court.Announced(w.now, w.groups[a.group], a.host.name, w.answering(a.group))
	if !w.net.paths[a.host.index][w.net.clients()].cut {
		w.segments[a.group].learn(a.host.index)
	}
}

// answering are the hosts that answer for a group's address. One whose table was just flushed is left out, as in writable.
func (w *World) answering(g int) []words.Node {
	var out []words.Node
	for _, h := range w.hosts {
		gate := h.gates[g]
		if gate.flushed && w.now-gate.flushedAt < flushGrace || !h.addresses[g].answers() {
			continue
		}
		out = append(out, h.name)
	}
	return out
}

// restsVIP reports whether the address is where the master is, alone, and its clients find it.
func (w *World) restsVIP(g, master int) bool {
	if !w.plan.VIP {
		return true
	}
	for _, h := range w.hosts {
		if h.addresses[g].here() != (h.index == master) {
			return false
		}
	}
	return w.now-w.segments[g].acked < 2*time.Second
}
