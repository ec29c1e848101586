package sim

import (
	"time"

	"redkeep/internal/decide"
)

// progressTrials are about masters that are lost without need, or that don't come.
func progressTrials() []trial {
	return []trial{
		{rule: decide.PreVoteFirst, with: []decide.Rule{decide.ReclaimHold}, seeds: 5, plan: Plan{Script: votesAhead, NoRest: true, Length: 15 * time.Second}},
		{rule: decide.VoteIsGrant, plan: Plan{Script: duel, NoRest: true, Length: 4 * time.Second}},
		{rule: decide.UnfitStandsDown, seeds: 8, plan: Plan{Script: unpromotable, NoRest: true, Length: 9 * time.Second}},
	}
}

// votesAhead has b, elected by all, lapse, and c alone hear of it; restarted, b goes on with a's grants. c, who wrongly believes the
// epoch over, votes for itself if it may. When c is reached again, a's agent dies: b has c's grants, or no majority.
func votesAhead(w *World) {
	lapse := func(from, to *host, m parcel) bool {
		if _, ok := m.message.(decide.Release); !ok || from != b(w) || to != c(w) {
			return false
		}
		w.net.tap = nil
		w.after(ms(1), func() { c(w).receive(b(w), m) })
		b(w).killAgent()
		w.net.heal()
		w.net.mute(1, 2)
		w.after(ms(5), b(w).startAgent)
		w.after(ms(1500), w.net.heal)
		return true
	}
	w.after(ms(500), func() { w.request(a(w), 0, decide.Switchover{To: b(w).name}, nil) })
	w.after(ms(1500), func() {
		w.net.tap = lapse
		w.net.mute(0, 1)
		w.net.mute(1, 2)
	})
	w.after(ms(12500), a(w).killAgent)
}

// duel kills a's server where a vote takes the disks longer than b and c hold back for each other. Someone must be writable
// within a lease: nothing is to be waited for but the votes.
func duel(w *World) {
	w.timing.netLow, w.timing.netHigh = ms(8), ms(9)
	for _, h := range w.hosts {
		h.disk.slow = ms(80)
	}
	a(w).server().kill(false)
	w.after(w.plan.Lease, w.serves)
}

// unpromotable has b, the first to stand, never answer an order to be the master. Round trips are so long that b is back before
// c's turn comes.
func unpromotable(w *World) {
	w.timing.netLow, w.timing.netHigh = ms(8), ms(9)
	b(w).server().deafTo = promotes
	a(w).server().kill(false)
	w.after(ms(8000), w.serves)
}

func promotes(o decide.Order) bool {
	_, ok := o.(decide.Promote)
	return ok
}
