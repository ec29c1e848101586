package sim

import (
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/prove/judge"
)

// addressTrials are about the virtual address.
func addressTrials() []trial {
	vip := func(script func(*World)) Plan { return Plan{VIP: true, NoRest: true, Script: script} }
	ungated := vip(slowlyGone)
	ungated.Ungated = true
	return []trial{
		{rule: decide.VIPBehindGate, plan: vip(unheard)},
		{rule: decide.VIPGoneFirst, plan: ungated},
		{rule: decide.ProbeFirst, plan: vip(func(w *World) {
			w.segments[0].comes()
			a(w).off()
		})},
		{rule: decide.AnnounceGated, plan: vip(lateAnnouncement)},
	}
}

// unheard freezes a's agent where clients reach it and the other hosts don't: nobody's question for the address is heard.
func unheard(w *World) {
	w.net.isolate(0, true, false)
	a(w).freeze()
}

// slowlyGone has a take long to take the address off, when it hands over to b, whose question does not reach it.
func slowlyGone(w *World) {
	a(w).vipSlow = ms(100)
	once(w, a(w), func(x decide.Action) bool {
		s, ok := x.(decide.Send)
		_, release := s.Message.(decide.Release)
		return ok && release
	}, func() { w.net.cut(1, 0, true) })
	w.after(ms(100), func() { w.request(a(w), 0, decide.Switchover{To: b(w).name}, nil) })
}

// lateAnnouncement freezes a's agent when it has decided to say where the address is, to a node that it hears again.
func lateAnnouncement(w *World) {
	once(w, a(w), func(x decide.Action) bool { _, ok := x.(decide.AnnounceVIP); return ok }, func() {
		a(w).freeze()
		w.after(ms(2500), a(w).thaw)
	})
	w.net.cutBoth(0, 2, true)
	w.after(ms(1500), w.net.heal)
}

// reached finds the group guilty where the clients of its address have had no answer for longer than this.
func (w *World) reached(within time.Duration) {
	if d := w.now - w.segments[0].acked; d > within {
		w.find(0, judge.AddressServes, "no answer for %v:%s", d, w.views(0))
	}
}

// TestTheAddressFollows keeps clients of the address served through a kill, a switchover, a lost host and a restarted agent: the
// announcement leads them, not the end of their patience.
func TestTheAddressFollows(t *testing.T) {
	soon := func(w *World) { w.reached(ms(100)) }
	sound(t, Plan{VIP: true, Length: 20 * time.Second, Script: acts(
		act{3000, soon},
		act{3001, func(w *World) { w.killServer(a(w).server(), withAOF, ms(500)) }},
		act{3200, soon},
		act{5000, func(w *World) { w.granted(w.hosts[w.watch[0].holder], decide.Switchover{To: a(w).name}) }},
		act{5200, soon},
		act{7000, func(w *World) { a(w).off() }},
		act{8600, soon},
		act{9000, func(w *World) { a(w).on(withAOF, ms(300)) }},
		act{12000, func(w *World) { w.hosts[w.watch[0].holder].killAgent() }},
		act{12200, func(w *World) { w.hosts[w.watch[0].holder].startAgent() }},
		act{13000, soon},
		act{17000, soon},
	)})
}

// TestAStrangersAddress gives the group its master while a stranger has its address, and the address soon after that has gone.
func TestAStrangersAddress(t *testing.T) {
	sound(t, Plan{VIP: true, Length: 12 * time.Second, Script: acts(
		act{0, func(w *World) { w.segments[0].comes(); w.killServer(a(w).server(), withAOF, ms(500)) }},
		act{1000, (*World).serves},
		act{3000, func(w *World) { w.segments[0].goes() }},
		act{9000, func(w *World) { w.reached(ms(100)) }},
	)})
}

// TestTheAddressIsNoMaster has every order about the address fail on every host, and the group go on without it.
func TestTheAddressIsNoMaster(t *testing.T) {
	sound(t, Plan{VIP: true, Length: 12 * time.Second, Script: acts(
		act{0, func(w *World) {
			for _, h := range w.hosts {
				h.vipFails = true
			}
			w.killServer(a(w).server(), withAOF, ms(500))
		}},
		act{300, (*World).serves},
		act{5000, (*World).serves},
		act{6000, func(w *World) {
			for _, h := range w.hosts {
				h.vipFails = false
			}
		}},
		act{11500, func(w *World) { w.reached(ms(100)) }},
	)})
}

// TestALostStoreForgetsNoAddress loses the holder's store, and has its agent stopped when the others have taken it in again: the address
// that the agent before it left must be gone from there before the readers' gate is open.
func TestALostStoreForgetsNoAddress(t *testing.T) {
	sound(t, Plan{VIP: true, Length: 8 * time.Second, Lease: ms(500), Script: acts(
		act{2000, func(w *World) { a(w).killAgent(); a(w).disk.lose(false) }},
		act{2300, func(w *World) { a(w).startAgent() }},
		act{2320, func(w *World) { w.request(a(w), 0, decide.Stop{}, nil) }},
		act{4000, (*World).serves},
	)})
}
