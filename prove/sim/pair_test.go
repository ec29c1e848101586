package sim

import (
	"slices"
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/decide/pair"
	"redkeep/prove/judge"
)

// pairBirth makes the machines of two nodes without a third.
func pairBirth(s decide.Setup, b decide.Boot) Machine {
	return pair.New(pair.Setup{Setup: s, Advert: s.Lease / 3, Down: advertDown(s.Lease)}, b)
}

// brokenBirth makes those of two nodes with tie-breakers.
func brokenBirth(s decide.Setup, b decide.Boot) Machine {
	return pair.New(pair.Setup{Setup: s, Advert: s.Lease / 3, Down: advertDown(s.Lease), TieBreakers: true}, b)
}

// pairPlan is a calm run of two nodes.
func pairPlan(script func(*World)) Plan {
	return Plan{
		Birth: pairBirth, Calm: true, Tame: true, Voters: 2, Data: 2, Groups: 1, Lease: time.Second, DownAfter: time.Second, BusyAfter: 5 * time.Second,
		Patience: 4 * time.Second, ColdStart: 2 * time.Second, Length: 8 * time.Second, Script: script, Lines: *lines,
	}
}

// TestPair plays what two nodes stand without a third: whatever befalls one of them, as long as the network is whole.
func TestPair(t *testing.T) {
	for name, script := range map[string]func(*World){
		"nothing":      func(*World) {},
		"server":       acts(act{500, func(w *World) { a(w).servers[0].kill(true) }}),
		"host":         acts(act{500, func(w *World) { a(w).off() }}, act{4000, func(w *World) { a(w).on(withAOF, ms(300)) }}),
		"agent":        acts(act{500, func(w *World) { a(w).killAgent() }}, act{3000, func(w *World) { a(w).startAgent() }}),
		"other agent":  acts(act{500, func(w *World) { b(w).killAgent() }}, act{3000, func(w *World) { b(w).startAgent() }}),
		"other host":   acts(act{500, func(w *World) { b(w).off() }}, act{3000, func(w *World) { b(w).on(withAOF, ms(300)) }}),
		"agents' link": acts(act{500, func(w *World) { w.net.mute(0, 1) }}, act{4000, func(w *World) { w.net.heal() }}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(6) {
				p := pairPlan(script)
				p.Seed = seed + 1
				if o := Run(p); len(o.Findings) > 0 || o.Acks == 0 {
					o.Print(t.Output())
					t.Fatalf("seed %d: convicted, or nothing written", p.Seed)
				}
			}
		})
	}
}

// TestPairLeavesAndReturns has both servers end, and the master's be back first, while a filter is between the agents: that the master has let go
// is said again and again, also when it is master once more.
func TestPairLeavesAndReturns(t *testing.T) {
	for _, back := range []int{600, 700, 800, 1000} {
		for seed := range uint64(4) {
			p := pairPlan(acts(
				act{0, func(w *World) { w.net.mute(0, 1) }},
				act{400, func(w *World) { b(w).servers[0].kill(true) }}, act{500, func(w *World) { a(w).servers[0].kill(true) }},
				act{back, func(w *World) { a(w).servers[0].start(withAOF) }}, act{back + 200, func(w *World) { b(w).servers[0].start(withAOF) }},
			))
			p.Seed = seed + 1
			if o := Run(p); len(o.Findings) > 0 {
				o.Print(t.Output())
				t.Fatalf("back after %d ms, seed %d", back, p.Seed)
			}
		}
	}
}

// TestPairHealed cuts the two off from each other: both become master, which they can't be kept from. Healed, the newer epoch wins and
// the group comes to rest.
func TestPairHealed(t *testing.T) {
	for seed := range uint64(10) {
		p := pairPlan(acts(act{500, func(w *World) { w.net.cutBoth(0, 1, true) }}, act{5000, func(w *World) { w.net.heal() }}))
		p.Seed = seed + 1
		p.Excused = func(f Finding) bool {
			return f.Law != judge.ComesToRest && f.Law != judge.Sane && f.Law != judge.OneHolder
		}
		if o := Run(p); len(o.Findings) > 0 {
			o.Print(t.Output())
			t.Fatalf("seed %d", p.Seed)
		}
	}
}

// TestPairTieBreakers cuts one of two off from everything, from the other and the tie-breakers: with these, nothing is promised less than
// of three nodes.
func TestPairTieBreakers(t *testing.T) {
	for name, script := range map[string]func(*World){
		"master":       acts(act{500, func(w *World) { w.net.isolate(0, true, true) }}, act{5000, func(w *World) { w.net.heal() }}),
		"other":        acts(act{500, func(w *World) { w.net.isolate(1, true, true) }}, act{5000, func(w *World) { w.net.heal() }}),
		"server":       acts(act{500, func(w *World) { a(w).servers[0].kill(true) }}),
		"host":         acts(act{500, func(w *World) { a(w).off() }}, act{4000, func(w *World) { a(w).on(withAOF, ms(300)) }}),
		"tie-breakers": acts(act{500, func(w *World) { w.net.cutBoth(0, 2, true); w.net.cutBoth(1, 2, true) }}, act{4000, func(w *World) { w.net.heal() }}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(10) {
				p := pairPlan(script)
				p.Birth, p.TieBreakers, p.Seed = brokenBirth, true, seed+1
				if o := Run(p); len(o.Findings) > 0 || o.Acks == 0 {
					o.Print(t.Output())
					t.Fatalf("seed %d: convicted, or nothing written", p.Seed)
				}
			}
		})
	}
}

// pairTrials are what a pair's own rules prevent.
func pairTrials() []trial {
	two := func(script func(*World)) Plan { return Plan{Birth: pairBirth, Voters: 2, Script: script, NoRest: true} }
	apart := func(w *World) { w.net.mute(0, 1) } // a filter between the agents: only advertisements pass
	return []trial{
		{rule: decide.SegmentQuiet, plan: two(acts(act{0, apart}))},
		{rule: decide.AdvertBeforeGrant, plan: two(acts(act{0, apart}, act{500, func(w *World) { a(w).speechless = true }}))},
		{rule: decide.ListenFirst, plan: two(acts(act{0, func(w *World) { a(w).killAgent() }}, act{2500, func(w *World) { a(w).startAgent() }}))},
		{rule: decide.HeardOnce, plan: alone()},
		{rule: decide.OwnEpochs, plan: ownEpochs()},
		{rule: decide.ReachedSince, plan: Plan{Birth: brokenBirth, TieBreakers: true, Voters: 2, NoRest: true, Script: acts(
			act{0, func(w *World) { w.net.isolate(0, true, true) }})}},
		{rule: decide.LeavingProved, plan: two(acts(act{0, apart}, act{1500, func(w *World) { w.forgeLeaving(a(w), b(w)) }}))},
	}
}

// alone has the one that was away come back when the other, which had gone on, is away.
func alone() Plan {
	return Plan{Birth: pairBirth, Voters: 2, NoRest: true, Length: 14 * time.Second, Script: acts(
		act{0, func(w *World) { b(w).off() }},
		act{1000, func(w *World) { a(w).servers[0].kill(true) }}, act{1500, func(w *World) { a(w).servers[0].start(withAOF) }},
		act{6000, func(w *World) { a(w).off() }}, act{6100, func(w *World) { b(w).on(withAOF, ms(100)) }},
	)}
}

// ownEpochs cuts the two off from each other; the segment makes the other one master, too, and then the first one once more.
func ownEpochs() Plan {
	return Plan{
		Birth: pairBirth, Voters: 2, Length: 14 * time.Second, NoRest: true,
		Script: acts(
			act{0, func(w *World) { w.net.cutBoth(0, 1, true) }},
			act{2500, func(w *World) { a(w).servers[0].kill(true) }},
			act{3000, func(w *World) { a(w).servers[0].start(withAOF) }},
			act{11000, func(w *World) { w.net.heal() }},
		),
		Excused: func(f Finding) bool { return f.Law != judge.OneHolder },
	}
}

// pairFaults are those that leave the network whole: in a partition two nodes can't promise what three can. A store that is lost is of the other's
// memory, or of a person's, where the other one was away when there was an election, or has not the data that came of it.
func pairFaults() Mixture {
	m := Common()
	m.Weights = slices.DeleteFunc(m.Weights, func(x Weight) bool {
		return slices.Contains([]Fault{CutOneWay, CutBothWays, Isolate, Partition, Deaf, Loss, Slow, StoreLost}, x.Fault)
	})
	m.Lasting, m.Freezes = 0, 0
	return m
}

// TestPairMixture searches the faults that leave the network whole.
func TestPairMixture(t *testing.T) {
	mix := pairFaults()
	p := Plan{Seed: *fromFlag, Birth: pairBirth, Voters: 2, Data: 2, Lease: time.Second, Mix: mix, Off: rules(t, *ruleFlag), Lines: *lines}
	p.hunted(t, "TestPairMixture")
}

// hunted searches under a plan, or replays the run of one seed.
func (p Plan) hunted(t *testing.T, name string) {
	t.Helper()
	if *seedFlag != 0 {
		p.Seed = *seedFlag
		o := Run(p)
		o.Print(t.Output())
		if len(o.Findings) > 0 {
			t.Fail()
		}
		return
	}
	bag := Hunt{Plan: p, For: *forFlag / 4, Workers: *workers, Now: time.Now, All: *allFlag}.Go()
	bag.Print(t.Output())
	for _, o := range bag.Convicted {
		o.Print(t.Output())
		t.Errorf("replay: go test ./prove/sim -run %s -sim.seed=%d -sim.rule=%q -v", name, o.Plan.Seed, *ruleFlag)
	}
}

// pairCuts is all faults, cuts too. Two masters and what comes of them can't be excluded then; that each epoch has one holder, that nobody is
// elected without need where the network is whole, and that the two come to rest, can.
func pairCuts() Plan {
	mix := Common()
	mix.Freezes = 0 // the beginning has no time for a second election
	// A store that is lost in a partition takes along the knowledge whose data its server has: nobody but a person may have them overwritten.
	mix.Weights = slices.DeleteFunc(mix.Weights, func(x Weight) bool { return x.Fault == StoreLost })
	return Plan{Birth: pairBirth, Voters: 2, Data: 2, Lease: time.Second, Mix: mix, Excused: func(f Finding) bool {
		return !slices.Contains([]judge.Law{judge.OneHolder, judge.ComesToRest, judge.Sane, judge.Needless, judge.SwitchLoses}, f.Law)
	}}
}

// TestPairCuts searches these.
func TestPairCuts(t *testing.T) {
	p := pairCuts()
	p.Seed, p.Off, p.Lines = *fromFlag, rules(t, *ruleFlag), *lines
	p.hunted(t, "TestPairCuts")
}
