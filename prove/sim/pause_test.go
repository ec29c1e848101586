package sim

import (
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/prove/judge"
)

// nobodyServes convicts a group that has a writable master.
func (w *World) nobodyServes() {
	if m := w.writable(0); len(m) > 0 {
		w.find(0, judge.Unasked, "%v is writable, although the group is paused and its master is gone", m)
	}
}

// served convicts a group whose master is another than the host's server.
func (w *World) servedBy(h *host) {
	if m := w.writable(0); len(m) != 1 || m[0] != h.name {
		w.find(0, judge.ComesToRest, "%v is writable, not %s:%s", m, h.name, w.views(0))
	}
}

func pausedFor(d time.Duration) decide.Request {
	return decide.PauseFailover{For: d, Text: "new disks"}
}

// TestAPauseEndsByItself loses the master's host under a pause: nobody is elected until the pause is over, and then somebody is.
func TestAPauseEndsByItself(t *testing.T) {
	sound(t, Plan{Length: 12 * time.Second, Script: acts(
		act{500, func(w *World) { w.granted(b(w), pausedFor(8*time.Second)) }},
		act{1000, func(w *World) { a(w).off() }},
		act{8200, (*World).nobodyServes},
		act{10000, (*World).serves},
	)})
}

// TestAPauseIsLifted has another host's person resume, and a server that died under the pause be succeeded at once.
func TestAPauseIsLifted(t *testing.T) {
	sound(t, Plan{Length: 8 * time.Second, Script: acts(
		act{500, func(w *World) { w.granted(b(w), pausedFor(time.Hour)) }},
		act{1000, func(w *World) { a(w).server().kill(false) }},
		act{4000, (*World).nobodyServes},
		act{4100, func(w *World) { w.granted(c(w), decide.ResumeFailover{}) }},
		act{4400, (*World).serves},
	)})
}

// TestAPauseSurvivesRestarts restarts every agent, loses a store, and has the one that did not hear of the pause hear of it.
func TestAPauseSurvivesRestarts(t *testing.T) {
	sound(t, Plan{Length: 16 * time.Second, Script: acts(
		act{100, func(w *World) { c(w).killAgent() }},
		act{500, func(w *World) { w.granted(b(w), pausedFor(12*time.Second)) }},
		act{800, func(w *World) { c(w).startAgent() }},
		act{3000, func(w *World) {
			for _, h := range w.hosts {
				h.killAgent()
			}
			b(w).disk.lose(true)
		}},
		act{3100, func(w *World) { b(w).startAgent(); c(w).startAgent(); a(w).startAgent() }},
		act{6000, func(w *World) { w.servedBy(a(w)); a(w).off() }},
		act{10000, (*World).nobodyServes},
		act{15500, (*World).serves},
	)})
}

// TestUnderAPause has a person move the master, the new one lapse and come back, and a third be chosen: all that was asked for
// happens, and a master that stays where it is may go on.
func TestUnderAPause(t *testing.T) {
	sound(t, Plan{Length: 14 * time.Second, Script: acts(
		act{500, func(w *World) { w.granted(a(w), pausedFor(time.Hour)) }},
		act{1000, func(w *World) { w.granted(a(w), decide.Switchover{To: b(w).name}) }},
		act{1500, func(w *World) { w.servedBy(b(w)); w.net.isolate(1, true, false) }},
		act{4500, func(w *World) { w.nobodyServes(); w.net.heal() }},
		act{6500, func(w *World) { w.servedBy(b(w)); b(w).off() }},
		act{9000, (*World).nobodyServes},
		act{9100, func(w *World) { w.granted(c(w), decide.Bootstrap{Master: c(w).name, AcceptLoss: true}) }},
		act{9600, func(w *World) { w.servedBy(c(w)); w.granted(a(w), decide.ResumeFailover{}) }},
	)})
}

// TestAPauseNeedsAMajority has a node that is alone ask for one: it is refused, and holds nobody back later.
func TestAPauseNeedsAMajority(t *testing.T) {
	refused := false
	sound(t, Plan{Length: 14 * time.Second, Script: acts(
		act{500, func(w *World) { w.net.isolate(2, true, false) }},
		act{1000, func(w *World) {
			w.request(c(w), 0, pausedFor(time.Hour), func(r decide.Reply) { refused = r.Err != "" })
		}},
		act{7000, func(w *World) {
			if !refused {
				w.find(0, judge.ComesToRest, "a node that is alone has paused the group")
			}
			w.net.heal()
		}},
		act{9000, func(w *World) { a(w).off() }},
		act{12000, (*World).serves},
	)})
}
