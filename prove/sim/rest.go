package sim

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
	"redkeep/prove/judge"
)

// end is the end of the faults: everything works again, and the groups have so long to come to rest.
func (w *World) end() {
	w.quiet = true
	if w.plan.NoRest {
		w.done = true
		return
	}
	w.log("faults end")
	w.repair()
	for g := range w.groups {
		// Pauses last no longer than the time in which a group comes to rest; half of them are ended by their person.
		if w.rng.IntN(2) == 0 {
			w.unpause(w.hosts[w.rng.IntN(len(w.hosts))], g)
		}
	}
	w.rest(w.now, w.now+w.plan.Rest, false)
}

// repair brings back what is not there. Weather that the run has drawn, it keeps.
func (w *World) repair() {
	w.net.heal()
	w.timing.copies, w.timing.late, w.timing.loss = 0, 0, 0
	for _, h := range w.hosts {
		h.disk.fails, h.disk.slow = false, 0
		h.vipFails, h.vipSlow = false, 0
		h.on(withAOF, 10*time.Millisecond)
		h.thaw()
		if h.agent() == nil {
			h.startAgent()
		}
		for _, s := range h.servers {
			if s != nil {
				s.cont()
				s.start(withAOF)
			}
		}
		for _, g := range h.gates {
			g.flushed = false
		}
	}
	for _, n := range w.segments {
		n.goes()
	}
	w.restartBroken()
}

// restartBroken restarts agents that have seen a failed sync: they don't vote before that.
func (w *World) restartBroken() {
	for i, h := range w.hosts {
		w.after(time.Duration(i)*300*time.Millisecond, func() {
			h.killAgent()
			w.after(20*time.Millisecond, h.startAgent)
		})
	}
}

// rest waits until every group rests. Halfway, a person who reads what the agents ask for chooses a master.
func (w *World) rest(from, until time.Duration, helped bool) {
	settled := true
	for g := range w.groups {
		settled = settled && w.rests(g)
	}
	switch {
	case settled && w.now > from+2*time.Second+w.plan.Lease:
		w.done = true
	case w.now >= until:
		for g := range w.groups {
			if !w.rests(g) {
				w.find(g, judge.ComesToRest, "%v after the faults it does not rest:%s", w.now-from, w.views(g))
			}
		}
		w.done = true
	default:
		if !helped && w.now > from+(until-from)/2 {
			helped = true
			for g := range w.groups {
				w.choose(g)
			}
		}
		w.after(50*time.Millisecond, func() { w.rest(from, until, helped) })
	}
}

// rests reports whether the group has one writable master, whom all other servers follow.
func (w *World) rests(g int) bool {
	masters := w.writable(g)
	if len(masters) != 1 || w.now-w.watch[g].acked > 100*time.Millisecond {
		return false
	}
	m := w.indexOf(masters[0])
	if !w.restsVIP(g, int(m)) {
		return false
	}
	for _, h := range w.hosts {
		s := h.servers[g]
		if s == nil || h.index == int(m) {
			continue
		}
		if s.role != words.RoleReplica || s.follow != m || s.link == nil || !s.link.up {
			return false
		}
	}
	return true
}

// choose names a master where the machines wait for a person.
func (w *World) choose(g int) {
	var best *host
	waits := false
	for _, h := range w.hosts {
		if a := h.agent(); a != nil && a.seats[g].machine != nil {
			for _, r := range a.seats[g].machine.Picture().Why {
				switch r.Code {
				case words.ServersDiffer, words.DataMissing, words.WaitsForServers, words.ServerForeign, words.ColdWaiting, words.ServerEmpty:
					waits = true
				}
			}
		}
		if s := h.servers[g]; s != nil && (best == nil || len(s.data) > len(best.servers[g].data)) {
			best = h
		}
	}
	if !waits || best == nil {
		return
	}
	w.count("chosen by a person")
	w.log("a person chooses %s for %s", best.name, w.groups[g])
	w.watch[g].let[best.name] = w.now + time.Minute
	w.request(best, g, decide.Bootstrap{Master: best.name, AcceptLoss: true}, nil)
}
