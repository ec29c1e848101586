package sim

import (
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
	"redkeep/prove/judge"
)

// sound runs a directed history with a few seeds; nothing may be found.
func sound(t *testing.T, p Plan) {
	t.Helper()
	for seed := uint64(1); seed <= 5; seed++ {
		if o := Run((trial{plan: p}).stage(seed, false)); len(o.Findings) > 0 {
			o.Print(t.Output())
			t.Fatalf("convicted, seed %d", seed)
		}
	}
}

// granted finds the group guilty where a person's request is refused.
func (w *World) granted(h *host, r decide.Request) {
	w.request(h, 0, r, func(answer decide.Reply) {
		if answer.Err != "" || !answer.Why.Zero() {
			w.find(0, judge.ComesToRest, "%T is refused: %s %v", r, answer.Err, answer.Why)
		}
	})
}

// TestAPersonRecoversTheLastNode has two of three hosts gone, a person make the third the only voter, and the two come back,
// until the group stands the loss of a server again.
func TestAPersonRecoversTheLastNode(t *testing.T) {
	sound(t, Plan{Length: 30 * time.Second, Script: acts(
		act{500, func(w *World) { a(w).off(); c(w).off() }},
		act{4000, func(w *World) { w.granted(b(w), decide.Recover{AcceptLoss: true}) }},
		act{6000, (*World).serves},
		act{10000, func(w *World) { c(w).on(withAOF, ms(300)) }},
		act{13000, func(w *World) { a(w).on(withAOF, ms(300)) }},
		act{20000, (*World).serves},
		act{25000, func(w *World) { b(w).off() }},
		act{28000, (*World).serves},
	)})
}

// TestAGroupIsLeftAsItIs has a person take Redkeep away: the servers keep their roles, and no gate is left behind.
func TestAGroupIsLeftAsItIs(t *testing.T) {
	sound(t, Plan{Length: 8 * time.Second, Script: acts(
		act{500, func(w *World) { w.granted(a(w), decide.Leave{}) }},
		act{2000, func(w *World) {
			for _, h := range w.hosts {
				if h.gates[0].state.Mode != decide.GateAbsent {
					w.find(0, judge.ComesToRest, "%s has a gate still: %v", h.name, h.gates[0].state)
				}
				h.killAgent()
			}
		}},
		act{7000, func(w *World) {
			if !w.rests(0) {
				w.find(0, judge.ComesToRest, "the servers are not left as they were:%s", w.views(0))
			}
		}},
	)})
}

// TestALeftGroupStartsAnew has a person change the mind, and then the master's host is lost.
func TestALeftGroupStartsAnew(t *testing.T) {
	sound(t, Plan{Length: 12 * time.Second, Script: acts(
		act{500, func(w *World) { w.granted(a(w), decide.Leave{}) }},
		act{1200, func(w *World) { w.granted(b(w), decide.Bootstrap{Master: a(w).name}) }},
		act{4000, (*World).serves},
		act{5000, func(w *World) { a(w).off() }},
		act{8000, (*World).serves},
	)})
}

// TestTwoPersonsRecover has a person on each side of a cut make the node there the only voter. While the cut lasts both are masters, which
// nothing can help. After the heal nobody is, everybody says why, and one of the two recovers again.
func TestTwoPersonsRecover(t *testing.T) { sound(t, twoPersonsRecover()) }

func twoPersonsRecover() Plan {
	healed := time.Duration(0) // when the agents must have heard each other
	p := Plan{Length: 20 * time.Second, Script: acts(
		act{500, func(w *World) {
			healed = 0
			for i := range w.hosts {
				w.net.isolate(i, true, true)
			}
		}},
		act{4000, func(w *World) {
			w.granted(a(w), decide.Recover{AcceptLoss: true})
			w.granted(b(w), decide.Recover{AcceptLoss: true})
		}},
		act{6000, func(w *World) { w.net.heal() }},
		act{6200, func(w *World) { healed = w.now }},
		act{7500, (*World).clashes}, // who has taken up one of the lists has heard the other as well by then
		act{9000, (*World).clashes},
		act{10000, func(w *World) { w.granted(b(w), decide.Recover{AcceptLoss: true}) }},
		act{16000, (*World).serves},
	)}
	p.Excused = func(f judge.Finding) bool { return (healed == 0 || f.At < healed) && f.Law != judge.ComesToRest }
	return p
}

// clashes finds the group guilty where somebody is writable, or does not say that persons must choose.
func (w *World) clashes() {
	if n := w.writable(0); len(n) > 0 {
		w.find(0, judge.ComesToRest, "%v would take writes", n)
	}
	for _, h := range w.hosts {
		if why := h.agent().seats[0].machine.Picture().Why; len(why) != 1 || why[0].Code != words.ListsClash {
			w.find(0, judge.ComesToRest, "%s says %v", h.name, why)
		}
	}
}
