package sim

import (
	"maps"
	"time"

	"redkeep/internal/decide"
)

// ask has a person ask for something that a healthy site must survive too.
func (w *World) ask(f Fault, h *host) bool {
	g := w.rng.IntN(len(w.groups))
	switch f {
	case Switch:
		v := decide.Switchover{}
		if w.rng.IntN(2) == 0 {
			v.To = w.hosts[w.rng.IntN(w.plan.Data)].name
		}
		return w.request(h, g, v, nil)
	case PauseGroup:
		return w.pause(h, g)
	case StopAgent:
		return w.requestAll(h, decide.Stop{}, w.between(time.Millisecond, time.Second), 5*time.Second)
	case EditLease:
		return w.editLease(h) && w.requestAll(h, decide.Suspend{}, w.between(time.Millisecond, 100*time.Millisecond), 50*time.Millisecond)
	case Suspend:
		return w.requestAll(h, decide.Suspend{}, w.between(time.Millisecond, 100*time.Millisecond), 50*time.Millisecond)
	}
	return false
}

// editLease has a node's file say a longer lease than the run's, or the run's again: a rolling edit is half done all the time.
func (w *World) editLease(h *host) bool {
	longer := min(w.plan.Lease*time.Duration(1+w.rng.IntN(5)), 3*time.Second)
	if old := w.plan.Leases[h.index]; longer == max(old, w.plan.Lease) {
		return false
	}
	w.log("%s has a lease of %v", h.name, longer)
	w.plan.Leases = maps.Clone(w.plan.Leases)
	if w.plan.Leases == nil {
		w.plan.Leases = map[int]time.Duration{}
	}
	w.plan.Leases[h.index] = longer
	return true
}

// request gives a request to a machine.
func (w *World) request(h *host, g int, r decide.Request, then func(decide.Reply)) bool {
	a := h.agent()
	if a == nil || a.seats[g].machine == nil {
		return false
	}
	w.asks++
	if then != nil {
		w.replies[w.asks] = then
	}
	a.post(g, decide.Asked{ID: w.asks, Request: r})
	return true
}

// requestAll asks every group of an agent, ends the process when all have answered or the time is over, and starts it again.
func (w *World) requestAll(h *host, r decide.Request, down, bound time.Duration) bool {
	a := h.agent()
	if a == nil {
		return false
	}
	left, over := len(w.groups), false
	end := func() {
		if over || !a.alive {
			return
		}
		over = true
		a.kill()
		w.after(down, h.startAgent)
	}
	for g := range w.groups {
		w.request(h, g, r, func(decide.Reply) {
			if left--; left == 0 {
				end()
			}
		})
	}
	h.troubled, a.ending = w.now, true
	w.after(bound, end)
	return true
}
