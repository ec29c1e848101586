package sim

import (
	"flag"
	"slices"
	"strings"
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/decide/group"
)

var (
	seedFlag = flag.Uint64("sim.seed", 0, "replay the run of this seed")
	fromFlag = flag.Uint64("sim.from", 1, "first seed of the search")
	forFlag  = flag.Duration("sim.for", 4*time.Second, "how long to search")
	ruleFlag = flag.String("sim.rule", "", "rules to switch off, by name, with commas between them")
	workers  = flag.Int("sim.workers", 2, "runs at a time")
	allFlag  = flag.Bool("sim.all", false, "go on after a conviction, and print one line for each")
	lines    = flag.Int("sim.lines", 80, "lines of the log that a conviction prints")
)

func birth(s decide.Setup, b decide.Boot) Machine { return group.New(s, b) }

// rules reads a list of names. A name that is none would switch nothing off, and prove nothing.
func rules(t *testing.T, names string) decide.Rules {
	off := decide.Rules{}
	for _, n := range strings.Split(names, ",") {
		switch {
		case n == "":
		case !slices.Contains(everyRule, decide.Rule(n)):
			t.Fatalf("-sim.rule: no rule is called %q", n)
		default:
			off[decide.Rule(n)] = true
		}
	}
	return off
}

// TestMixtures searches the common mixture, or replays one seed of it.
func TestMixtures(t *testing.T) {
	p := Plan{Seed: *fromFlag, Birth: birth, Off: rules(t, *ruleFlag), Lines: *lines}
	if *seedFlag != 0 {
		p.Seed = *seedFlag
		o := Run(p)
		o.Print(t.Output())
		if len(o.Findings) > 0 {
			t.Fail()
		}
		return
	}
	bag := Hunt{Plan: p, For: *forFlag, Workers: *workers, Now: time.Now, All: *allFlag}.Go()
	bag.Print(t.Output())
	for _, o := range bag.Convicted {
		if *allFlag {
			t.Errorf("seed %d: %.300v", o.Plan.Seed, o.Findings[0].String())
			continue
		}
		o.Print(t.Output())
		t.Errorf("replay: go test ./prove/sim -run TestMixtures -sim.seed=%d -sim.rule=%q -v", o.Plan.Seed, *ruleFlag)
	}
}
