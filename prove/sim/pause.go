package sim

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
	"redkeep/prove/judge"
)

// truce is a pause that a majority has confirmed: from then on, and once elections under way have ended, nobody is elected
// unasked until it may be over.
type truce struct{ from, until time.Duration }

// reign is a server's time as the master, by what its agent says.
type reign struct {
	node words.Node
	run  words.RunID
}

// attempt bounds how long an election takes that was under way when the pause was confirmed.
const attempt = 2100 * time.Millisecond

// pause has a person at a host pause a group, and sometimes resume it early.
func (w *World) pause(h *host, g int) bool {
	length, begun := w.between(time.Second, 8*time.Second), w.now
	asked := w.request(h, g, decide.PauseFailover{For: length, Text: "maintenance"}, nil)
	if !asked {
		return false
	}
	wt := &w.watch[g]
	wt.truce = nil
	wt.truces++
	mine := wt.truces
	w.replies[w.asks] = func(r decide.Reply) {
		if r.Err == "" && r.Why.Zero() && mine == wt.truces {
			// A voter's clock may run a little faster than true time, and its timer does not.
			wt.truce = &truce{w.now, begun + length*99/100}
		}
	}
	if w.rng.IntN(2) == 0 {
		other := w.hosts[w.rng.IntN(len(w.hosts))]
		w.after(w.between(0, length), func() { w.unpause(other, g) })
	}
	return true
}

// unpause has a person resume a group. From the question on nothing is promised, even if no majority hears of it.
func (w *World) unpause(h *host, g int) bool {
	w.watch[g].truce = nil
	w.watch[g].truces++
	return w.request(h, g, decide.ResumeFailover{}, nil)
}

// reigns takes note of a master that has opened.
func (w *World) reigns(s *seat) {
	if sv := s.server(); sv != nil {
		wt := &w.watch[s.group]
		wt.reigns = append(wt.reigns, reign{s.host().name, sv.runID})
	}
}

// judgeTruce convicts an election under a pause, unless it was asked for, or the master stays where it was. A voter may not have
// heard of the very last reign.
func (w *World) judgeTruce(s *seat, epoch words.Epoch) {
	wt := &w.watch[s.group]
	t, h := wt.truce, wt.handed
	if t == nil || w.quiet || w.now < t.from+attempt || w.now >= t.until {
		return
	}
	if h != nil && h.Successor == s.host().name {
		return
	}
	me := reign{s.host().name, s.server().runID}
	if v := s.host().disk.page.registers[s.group].Vote; v.Epoch == epoch {
		me.run = v.RunID // who was voted for: a server that was replaced meanwhile is let go of at once
	}
	for _, r := range wt.reigns[max(0, len(wt.reigns)-2):] {
		if r == me {
			return
		}
	}
	w.find(s.group, judge.Unasked, "%s is elected in epoch %d, under a pause since %v", me.node, epoch, t.from)
}
