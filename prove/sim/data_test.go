package sim

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/prove/judge"
)

// dataTrials are about whose data win.
func dataTrials() []trial {
	long := func(script func(*World)) Plan {
		return Plan{Script: script, NoRest: true, Length: 9 * time.Second, Patience: 6 * time.Second}
	}
	witness := func(script func(*World)) Plan {
		return Plan{Script: script, NoRest: true, Length: 12 * time.Second, Patience: 3 * time.Second, Voters: 3, Data: 2}
	}
	return []trial{
		{rule: decide.SameProcess, plan: long(anotherProcess), seeds: 8},
		{rule: decide.RankInVote, plan: long(laggard(func(w *World) {
			c(w).freeze()
			w.after(ms(150), c(w).thaw)
		}))},
		{rule: decide.UnfitVeto, plan: long(laggard(func(w *World) {
			w.net.isolate(2, true, false)
			w.after(ms(2000), func() { w.net.heal() })
		}))},
		{rule: decide.VoteSeals, plan: long(streamOutlives)},
		{rule: decide.LineageRow, with: []decide.Rule{decide.WitnessMemory}, plan: Plan{Script: longerFork, NoRest: true, Length: 9 * time.Second, Voters: 5}},
		{rule: decide.ColdRank, plan: Plan{Script: coldStart, Length: 6 * time.Second}},
		{rule: decide.InSyncByOffset, plan: witness(silentLink)},
		{rule: decide.WitnessMemory, plan: witness(silentLink)},
		{rule: decide.BestFirst, plan: long(bothBehind), seeds: 20},
		{rule: decide.SameHistory, seeds: 10, plan: Plan{Script: switchToAFork, NoRest: true, Length: 6 * time.Second, Data: 2}},
		{rule: decide.CopySettles, seeds: 20, plan: Plan{Script: copiesAnew(ms(80)), NoRest: true, Stale: ms(15), Length: 8 * time.Second}},
		{rule: decide.LevelAfterClose, plan: Plan{Script: pauseEnds, NoRest: true, Voters: 3, Data: 2}, seeds: 6},
	}
}

// anotherProcess has b's server die and come back empty between its vote request and its promotion.
func anotherProcess(w *World) {
	a(w).disk.slow, c(w).disk.slow = ms(60), ms(60)
	a(w).server().kill(false)
	once(w, b(w), func(x decide.Action) bool {
		s, ok := x.(decide.Send)
		_, vote := s.Message.(decide.Vote)
		return ok && vote
	}, func() {
		b(w).server().kill(false)
		w.after(ms(1), func() { b(w).server().start(withEmpty) })
	})
}

// laggard has b lack the last half second when a's server dies, and stand before the better one does.
func laggard(also func(*World)) func(*World) {
	return func(w *World) {
		w.after(ms(1600), func() { b(w).server().link.silent = w.now + time.Hour })
		w.after(ms(2000), func() {
			also(w)
			w.after(ms(1), func() { a(w).server().kill(false) })
		})
	}
}

// streamOutlives has a's last half second be on its way to c when c votes for b, who lacks it, and arrive before b is promoted.
func streamOutlives(w *World) {
	w.after(ms(1600), func() {
		b(w).server().link.silent = w.now + time.Hour
		c(w).server().link.silent = w.now + ms(400)
	})
	w.after(ms(1900), func() { w.net.paths[0][2].slow = ms(100) })
	w.after(ms(2001), func() { c(w).server().link.pump() })
	once(w, b(w), func(x decide.Action) bool {
		g, ok := x.(decide.SetGate)
		return ok && g.Gate.Mode == decide.GateSlot
	}, func() {
		b(w).freeze()
		w.after(ms(200), b(w).thaw)
	})
	w.after(ms(2002), func() { a(w).server().kill(false) })
}

// longerFork has a, alone, write more in its last moments than the others do in the epoch after, whose holder dies then. Those
// who are left are slow to hear each other, so that a is the first to stand.
func longerFork(w *World) {
	w.net.isolate(0, true, false)
	w.onAction = func(s *seat, x decide.Action) {
		if v, ok := x.(decide.Announce); ok && v.New == s.host().name {
			w.onAction = nil
			w.after(ms(300), func() {
				s.host().off()
				w.net.heal()
				for _, h := range w.hosts[1:] {
					w.net.slow(h, ms(8))
				}
			})
		}
	}
}

// copiesAnew has both replicas start empty, and the master die when they have been copied and nothing has come after the copies: before
// the voters have heard that who was in sync is in sync no more.
func copiesAnew(then time.Duration) func(*World) {
	return acts(
		act{1500, func(w *World) { b(w).server().kill(false); c(w).server().kill(false) }},
		act{1510, func(w *World) { b(w).server().start(withEmpty); c(w).server().start(withEmpty) }},
		act{1510 + int(then.Milliseconds()), func(w *World) { a(w).server().kill(false) }},
	)
}

// coldStart kills every server; all come back with their data and without their histories.
func coldStart(w *World) {
	for _, h := range w.hosts {
		w.killServer(h.server(), withAOF, ms(50))
	}
}

// silentLink has b's link be up and carry nothing for as long as a lives.
func silentLink(w *World) {
	b(w).server().link.silent = w.now + time.Hour
	w.after(ms(5000), a(w).off)
}

// pauseEnds has a client end the pause of a switchover while a's agent is frozen, before the gate is shut to clients.
func pauseEnds(w *World) {
	w.timing.netLow, w.timing.netHigh = 0, ms(1)
	once(w, a(w), func(x decide.Action) bool {
		g, ok := x.(decide.SetGate)
		return ok && g.Gate.Mode == decide.GateReplication
	}, func() {
		a(w).freeze()
		a(w).server().unpause()
		w.net.paths[0][1].slow = ms(30)
		w.after(ms(100), a(w).thaw)
	})
	w.after(ms(500), func() { w.request(a(w), 0, decide.Switchover{To: b(w).name}, nil) })
}

// bothBehind has the links of b and c stop, c's later, as they do after a full copy: nobody was in sync when a dies, and who is
// elected when the patience is over loses something. The better of the two must be.
func bothBehind(w *World) {
	w.after(ms(500), func() { b(w).server().link.silent = w.now + time.Hour })
	w.after(ms(1200), func() { c(w).server().link.silent = w.now + time.Hour })
	w.after(ms(2500), func() { a(w).server().kill(false) })
	w.onAction = func(s *seat, x decide.Action) {
		if v, ok := x.(decide.Announce); ok && v.New == b(w).name && s.host() == b(w) {
			w.find(0, judge.CopiesSurvive, "b was elected without writes that c holds, which was well and would have stood")
		}
	}
}
