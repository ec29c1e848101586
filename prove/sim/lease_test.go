package sim

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// leaseTrials are about grants, votes and releases.
func leaseTrials() []trial {
	quick := func(script func(*World)) Plan { return Plan{Script: script, NoRest: true} }
	return []trial{
		{rule: decide.Majority, plan: quick(acts(act{0, func(w *World) { w.net.isolate(1, true, false) }}))},
		{rule: decide.VoteWaitsGrant, plan: quick(acts(act{0, func(w *World) { w.net.mute(0, 1) }}))},
		{rule: decide.RestartWait, plan: quick(forgets(func(*World) {}))},
		{rule: decide.LMax, plan: Plan{Script: forgets(func(*World) {}), NoRest: true, Lease: 3 * time.Second, Length: 9 * time.Second,
			Leases: map[int]time.Duration{1: ms(200), 2: ms(200)}}},
		{rule: decide.Readmission, plan: Plan{Script: forgets(func(w *World) { c(w).disk.lose(true) }), NoRest: true, Voters: 3, Data: 2}},
		{rule: decide.LeaseInMessage, plan: Plan{Script: acts(act{0, func(w *World) { w.net.isolate(0, true, false) }}), NoRest: true,
			Leases: map[int]time.Duration{1: ms(200), 2: ms(200)}}},
		{rule: decide.DurableVote, plan: Plan{Script: powerAfterVote, NoRest: true, Length: 9 * time.Second}},
		{rule: decide.ReadmissionNonce, plan: Plan{Script: wipedTwice, NoRest: true, Length: 14 * time.Second}},
		{rule: decide.RefuseOlder, with: []decide.Rule{decide.Lapse}, plan: quick(oldBeats)},
		{rule: decide.SessionEcho, plan: quick(oldGrants), seeds: 8},
		{rule: decide.ReleaseNames, with: []decide.Rule{decide.PreVoteFirst}, plan: quick(oldRelease)},
		{rule: decide.CloseBeforeRel, plan: Plan{Script: slowShut, NoRest: true, DownAfter: ms(300)}},
		{rule: decide.ArmBeforeSend, plan: quick(lateActivation)},
		{rule: decide.DriftAllowance, plan: Plan{Script: slowTimers, NoRest: true, Lease: 3 * time.Second, Length: 8 * time.Second}},
		{rule: decide.StampAfterRecv, plan: quick(staleStamp)},
		{rule: decide.Lapse, plan: Plan{Script: deaf, NoRest: true, Length: 9 * time.Second}},
	}
}

// forgets has c's agent restart after it granted a, when b asks for its vote: a hears nobody any more, and holds still.
func forgets(meanwhile func(*World)) func(*World) {
	return func(w *World) {
		w.net.mute(0, 1)
		w.after(2*w.plan.Lease+ms(500), func() {
			w.net.mute(0, 2)
			c(w).killAgent()
			meanwhile(w)
			w.after(ms(5), c(w).startAgent)
		})
	}
}

// powerAfterVote takes c's power away after it voted for b in 2; healed, a asks it for its vote in 2.
func powerAfterVote(w *World) {
	w.net.isolate(0, true, false)
	once(w, c(w), func(x decide.Action) bool {
		s, ok := x.(decide.Send)
		_, voted := s.Message.(decide.Voted)
		return ok && voted
	}, func() {
		w.after(ms(30), func() {
			c(w).off()
			w.net.heal()
			w.net.isolate(1, true, true)
			w.after(ms(1500), func() { c(w).on(withAOF, ms(400)) })
		})
	})
}

// wipedTwice loses c's store before and after it voted for b in 2. Copies of the first readmission's answers come late.
func wipedTwice(w *World) {
	var copies []parcel
	wipe := func() {
		c(w).killAgent()
		c(w).disk.lose(true)
		w.after(ms(5), c(w).startAgent)
	}
	w.net.tap = func(from, to *host, m parcel) bool {
		if _, ok := m.message.(decide.Readmitted); ok && to == c(w) && from == b(w) && len(copies) < 3 {
			copies = append(copies, m)
		}
		return false
	}
	wipe()
	w.after(ms(3000), func() { w.net.isolate(0, true, false) })
	w.after(ms(5000), func() {
		w.net.heal()
		w.net.isolate(1, true, false)
		wipe()
	})
	w.after(ms(5100), func() {
		for _, m := range copies {
			w.net.arrive(a(w), c(w), m, 0)
			w.after(0, func() { c(w).receive(b(w), m) })
		}
	})
}

// oldBeats lets a holder that never lets go be heard again by a voter that voted for another, and was restarted since.
func oldBeats(w *World) {
	w.net.isolate(0, true, false)
	w.after(ms(2000), func() {
		c(w).killAgent()
		w.net.heal()
		w.net.cutBoth(1, 0, true)
		w.net.cutBoth(1, 2, true)
		w.after(ms(5), c(w).startAgent)
	})
}

// oldGrants has grants of a's first session come when its second has got to the same numbers, and nobody hears it any more.
func oldGrants(w *World) {
	kept := map[words.Seq]parcel{}
	cut, session := false, a(w).agent().session+1
	restart := func() {
		a(w).killAgent()
		w.after(ms(5), a(w).startAgent)
	}
	restart()
	w.net.tap = func(from, to *host, m parcel) bool {
		switch v := m.message.(type) {
		case decide.Grant:
			if !cut && to == a(w) && from == c(w) && v.Session == session {
				kept[v.Seq] = m
			}
		case decide.Beat:
			if old, ok := kept[v.Seq]; cut && ok && from == a(w) && to == c(w) {
				w.after(ms(1), func() { a(w).receive(c(w), old) })
			}
		}
		return false
	}
	w.after(ms(2500), restart)
	w.after(ms(3500), func() {
		cut = true
		w.net.cut(0, 1, true)
		w.net.cut(0, 2, true)
	})
}

// oldRelease has a lapse, restart and resume its epoch; then b, who has heard nothing of that,
// gets the release that the first session sent, and passes it on.
func oldRelease(w *World) {
	var kept []parcel
	w.net.tap = func(from, to *host, m parcel) bool {
		if _, ok := m.message.(decide.Release); ok && from == a(w) && to != from && len(kept) < 1 {
			kept = append(kept, m)
			a(w).killAgent()
			w.net.heal()
			w.net.mute(0, 1)
			w.after(ms(5), a(w).startAgent)
			w.after(ms(500), func() { b(w).receive(a(w), m) })
			return true
		}
		return false
	}
	w.net.isolate(0, true, false)
}

// slowShut has another program commit a ruleset while a lets go of a server that was stopped, and goes on.
func slowShut(w *World) {
	a(w).server().stop()
	once(w, a(w), func(x decide.Action) bool {
		g, ok := x.(decide.SetGate)
		return ok && g.Gate.Mode == decide.GateShut
	}, func() {
		a(w).commit = ms(250)
		w.after(ms(40), a(w).server().cont)
	})
}

// lateActivation freezes a's agent between its decision and the kernel.
func lateActivation(w *World) {
	w.after(ms(100), func() {
		once(w, a(w), func(x decide.Action) bool {
			g, ok := x.(decide.SetGate)
			return ok && g.Gate.Mode == decide.GateSlot
		}, func() {
			a(w).freeze()
			w.after(ms(1500), a(w).thaw)
		})
	})
}

// slowTimers has the kernel of a's host run 10 % slow, and takeovers take no time.
func slowTimers(w *World) {
	a(w).clock.kernel = 0.9
	w.timing.orderLow, w.timing.orderHigh = 0, 0
	w.after(w.plan.Lease, func() {
		w.net.isolate(0, true, false)
		a(w).freeze()
	})
}

// staleStamp freezes c while a's beats queue in its socket.
func staleStamp(w *World) {
	w.net.mute(0, 1)
	c(w).freeze()
	w.after(ms(800), func() {
		c(w).thaw()
		w.net.cut(0, 2, true)
	})
}

// deaf lets nobody be heard by a, whom everybody hears.
func deaf(w *World) {
	w.net.cut(1, 0, true)
	w.net.cut(2, 0, true)
	w.after(ms(8000), w.serves)
}
