package sim

import (
	"time"

	"redkeep/internal/decide"
)

// handTrials are about the rules that live in the kernel, the server's file and the hands.
func handTrials() []trial {
	return []trial{
		{rule: decide.ReadsOffFirst, plan: Plan{Script: frozenPromotion, NoRest: true, Voters: 5}},
		{rule: decide.ReadsExpire, with: []decide.Rule{decide.BornFenced}, seeds: 1, plan: Plan{Script: strangersPromotion, NoRest: true,
			Lease: 3 * time.Second, Length: 640 * time.Second, Write: ms(500)}},
		{rule: decide.ReplyGate, plan: Plan{Script: queuedWrites, NoRest: true}},
		{rule: decide.BornFenced, plan: Plan{Script: emptyRestart, NoRest: true}},
		{rule: decide.GateAtBoot, with: []decide.Rule{decide.BornFenced}, plan: Plan{NoRest: true, Script: acts(
			act{0, func(w *World) { a(w).off() }},
			act{2000, func(w *World) { a(w).on(withAOF, time.Second) }})}},
		{rule: decide.OrderFence, plan: Plan{Script: oldOrder, NoRest: true, Length: 9 * time.Second}, seeds: 16},
		{rule: decide.OneProcess, plan: Plan{Script: twoAgents, NoRest: true, Length: 9 * time.Second}},
		{rule: decide.FenceProved, plan: Plan{NoRest: true, Script: acts(
			act{0, func(w *World) { w.net.isolate(0, true, false) }},
			act{1500, func(w *World) { w.flush(a(w).gates[0]) }})}}, // a lease later its server is demoted
		{rule: decide.LapseDemotes, with: []decide.Rule{decide.FenceProved}, plan: Plan{NoRest: true, Script: acts(
			act{0, func(w *World) { w.net.isolate(0, true, false) }},
			act{2500, func(w *World) { w.flush(a(w).gates[0]) }})}},
		{rule: decide.ListsClash, seeds: 5, plan: twoPersonsRecover()},
	}
}

// frozenPromotion has b, elected, freeze when it has told its server to be a master.
func frozenPromotion(w *World) {
	a(w).off()
	w.timing.orderLow, w.timing.orderHigh = 0, 0
	w.onAction = func(s *seat, x decide.Action) {
		i, ok := x.(decide.Instruct)
		if !ok {
			return
		}
		if _, promote := i.Order.(decide.Promote); promote {
			w.onAction = nil
			w.after(8*time.Microsecond, s.host().freeze)
		}
	}
}

// strangersPromotion kills b's agent for good; after eleven minutes somebody makes its server a master.
func strangersPromotion(w *World) {
	b(w).killAgent()
	w.after(630*time.Second, func() { b(w).server().replicaOf(nobody) })
}

// queuedWrites has a's agent and server stop with writes in the socket; the server goes on when the lease is another's.
func queuedWrites(w *World) {
	a(w).freeze()
	a(w).server().stop()
	w.after(ms(2500), func() { a(w).server().cont() })
}

// emptyRestart has a's server come back empty within the lease, while its agent is frozen.
func emptyRestart(w *World) {
	w.after(ms(600), a(w).freeze)
	w.after(ms(605), func() { a(w).server().kill(false) })
	w.after(ms(630), func() { a(w).server().start(withEmpty) })
}

// oldOrder leaves a promotion in a stopped server's socket; a later order to follow comes into another.
func oldOrder(w *World) {
	a(w).server().kill(false)
	w.onAction = func(s *seat, x decide.Action) {
		i, ok := x.(decide.Instruct)
		if !ok {
			return
		}
		if _, promote := i.Order.(decide.Promote); promote {
			w.onAction = nil
			s.server().stop()
			w.after(ms(4000), s.server().cont)
		}
	}
}

// twoAgents has a copy of c's agent, with a copy of its store, that b's words come to and a's do not.
func twoAgents(w *World) {
	c(w).startAgent()
	c(w).split = true
	w.after(ms(3000), func() { w.net.cutBoth(0, 1, true) })
}
