package sim

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/prove/judge"
)

// trial is a history in which one rule is what keeps the group safe: with the rule the judge finds nothing, without it something.
type trial struct {
	rule decide.Rule
	// with are rules that are off in both runs, because they would hide this one: the history is clean without them.
	with []decide.Rule
	plan Plan
	// seeds is how many seeds are tried; the rule's absence must convict in one of them, its presence in none.
	seeds uint64
}

// trials are all directed histories.
func trials() []trial {
	return slices.Concat(leaseTrials(), lateTrials(), dataTrials(), handTrials(), progressTrials(), addressTrials(), pairTrials())
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// acts makes a script of things to do at times after the first holder has opened.
type act struct {
	at int // ms
	do func(w *World)
}

func acts(list ...act) func(*World) {
	return func(w *World) {
		for _, a := range list {
			w.after(ms(a.at), func() { a.do(w) })
		}
	}
}

// stage fills in a directed history's plan: n1 is the first holder.
func (x trial) stage(seed uint64, off bool) Plan {
	p := x.plan
	p.Seed, p.Calm, p.Tame = seed, true, true
	if p.Birth == nil {
		p.Birth = birth
	}
	set := func(n *int, to int) {
		if *n == 0 {
			*n = to
		}
	}
	dur := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	set(&p.Voters, 3)
	set(&p.Data, p.Voters)
	set(&p.Groups, 1)
	set(&p.Lines, *lines)
	dur(&p.Lease, time.Second)
	dur(&p.DownAfter, time.Second)
	dur(&p.BusyAfter, 5*time.Second)
	dur(&p.Patience, 4*time.Second)
	dur(&p.ColdStart, 2*time.Second)
	dur(&p.Length, 6*time.Second)
	p.Off = decide.Rules{}
	for _, r := range x.with {
		p.Off[r] = true
	}
	if off {
		p.Off[x.rule] = true
	}
	return p
}

// TestRuleOff convicts the core, or the hands, for each rule that is switched off, and acquits them with the rule on.
func TestRuleOff(t *testing.T) {
	for _, x := range trials() {
		t.Run(string(x.rule), func(t *testing.T) {
			t.Parallel()
			convicted := ""
			for seed := uint64(1); seed <= max(x.seeds, 3); seed++ {
				if o := Run(x.stage(seed, false)); len(o.Findings) > 0 {
					o.Print(t.Output())
					t.Fatalf("convicted with the rule on, seed %d", seed)
				}
				if convicted != "" {
					continue
				}
				if o := Run(x.stage(seed, true)); len(o.Findings) > 0 {
					convicted = fmt.Sprintf("seed %d: %s", seed, o.Findings[0])
				} else if testing.Verbose() && *ruleFlag == string(x.rule) {
					o.Print(t.Output())
				}
			}
			if convicted == "" {
				t.Fatal("nothing convicts the core without the rule")
			}
			t.Log(convicted)
		})
	}
}

// search is a rule that a random mixture convicts by one law, within so many seeds.
type search struct {
	rule  decide.Rule
	plan  Plan // the common one where it is not said
	with  []decide.Rule
	law   judge.Law
	seeds uint64
}

func searches() []search {
	return []search{
		{rule: decide.VoteNamesHolder, with: []decide.Rule{decide.PreVoteFirst}, law: judge.OneHolder, seeds: 60},
		{rule: decide.ReclaimHold, law: judge.ComesToRest, seeds: 300},
		{rule: decide.NewerStays, plan: pairCuts(), law: judge.ComesToRest, seeds: 200},
	}
}

// TestRuleOffByChance searches its mixture for a run that a rule's absence convicts; with the rule, that run keeps the law.
func TestRuleOffByChance(t *testing.T) {
	broken := func(x search, seed uint64, off bool) bool {
		p := x.plan
		p.Seed, p.Off = seed, decide.Rules{x.rule: off}
		if p.Birth == nil {
			p.Birth = birth
		}
		for _, r := range x.with {
			p.Off[r] = true
		}
		o := Run(p)
		return len(o.Findings) > 0 && o.Findings[0].Law == x.law
	}
	for _, x := range searches() {
		t.Run(string(x.rule), func(t *testing.T) {
			t.Parallel()
			for seed := uint64(1); seed <= x.seeds; seed++ {
				if broken(x, seed, true) && !broken(x, seed, false) {
					t.Logf("seed %d: %s", seed, x.law)
					return
				}
			}
			t.Fatal("nothing convicts the core without the rule")
		})
	}
}

// TestEveryRuleIsTriedOrNamed keeps the list complete: no rule is skipped silently.
func TestEveryRuleIsTriedOrNamed(t *testing.T) {
	tried := map[decide.Rule]bool{}
	for _, x := range trials() {
		tried[x.rule] = true
	}
	for _, x := range searches() {
		tried[x.rule] = true
	}
	for _, r := range slices.Sorted(maps.Keys(unconvicted)) {
		if tried[r] {
			t.Errorf("%s has a trial, and is named as one that has none", r)
		}
		t.Logf("not convicted: %s: %s", r, unconvicted[r])
	}
	for _, r := range everyRule {
		if !tried[r] && unconvicted[r] == "" {
			t.Errorf("%s has no trial, and no reason for that", r)
		}
	}
}

// everyRule is every rule of decide.
var everyRule = []decide.Rule{
	decide.Majority, decide.DurableVote, decide.VoteWaitsGrant, decide.RestartWait, decide.LMax, decide.RefuseOlder, decide.GrantMonotone,
	decide.VoteNamesHolder, decide.SessionEcho, decide.ReleaseNames, decide.ReleaseFinal, decide.CloseBeforeRel, decide.ArmBeforeSend,
	decide.HoldFromSend, decide.DriftAllowance, decide.StampAfterRecv, decide.LeaseInMessage, decide.Readmission, decide.ReadmissionNonce,
	decide.ReadsOffFirst, decide.ReadsExpire, decide.ReplyGate, decide.BornFenced, decide.GateAtBoot, decide.SameProcess, decide.RankInVote,
	decide.UnfitVeto, decide.VoteSeals, decide.LineageRow, decide.ColdRank, decide.InSyncByOffset, decide.WitnessMemory, decide.LevelAfterClose,
	decide.Lapse, decide.PreVoteFirst, decide.ReclaimHold, decide.VoteIsGrant, decide.UnfitStandsDown, decide.PersistedMembers,
	decide.OneProcess, decide.OrderFence, decide.FenceProved, decide.VIPBehindGate, decide.VIPGoneFirst, decide.ProbeFirst, decide.AnnounceGated,
	decide.BestFirst, decide.ListsClash, decide.LapseDemotes, decide.SameHistory, decide.CopySettles, decide.OwnEpochs, decide.SegmentQuiet, decide.AdvertBeforeGrant, decide.ListenFirst, decide.HeardOnce,
	decide.ReachedSince, decide.AsksAnew, decide.LeavingProved, decide.NewerStays, decide.ReleaseCurrent,
}

// unconvicted are the rules that nothing convicts yet, each with the reason.
var unconvicted = map[decide.Rule]string{
	decide.AsksAnew: "a candidate must learn of an epoch between asking and winning, of which no voter that says yes knows, when nothing was written " +
		"between its last record and its last beat: one run of some thousand of TestPairMixture; TestAsksAnew of decide/group has it",
	decide.ReleaseCurrent: "a holder must let go and be elected anew while the other agent hears nothing of it, and that one hear the old release then, before a beat: " +
		"none of 2,837 runs of TestPairMixture; TestAnOldReleaseSaysNothing of decide/pair has it",
}

// The three hosts of most histories: a holds the lease at first.
func a(w *World) *host { return w.hosts[0] }
func b(w *World) *host { return w.hosts[1] }
func c(w *World) *host { return w.hosts[2] }

func (h *host) server() *server { return h.servers[0] }

// once calls do for the first action that fits, of the given host's machine.
func once(w *World, h *host, fits func(decide.Action) bool, do func()) {
	var done bool
	w.onAction = func(s *seat, x decide.Action) {
		if !done && s.host() == h && fits(x) {
			done = true
			do()
		}
	}
}

// serves finds the group guilty unless somebody takes writes then.
func (w *World) serves() {
	if len(w.writable(0)) == 0 {
		w.find(0, judge.ComesToRest, "nobody is writable, although a majority is well:%s", w.views(0))
	}
}
