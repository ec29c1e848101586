package lab

import (
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// mixture is which programs make up a quorum: 'r' for redis-sentinel, 'o' for ours, by the host's place; what is longer
// than the list begins anew.
type mixture struct{ name, kinds string }

// mixtures: the pure real one keeps the tests honest, for they say what that program does. The master's host is the first.
var mixtures = []mixture{{"real", "rrr"}, {"ours", "ooo"}, {"one", "ror"}, {"two", "oor"}}

// behaviour is one thing that a quorum does, whoever is in it.
type behaviour struct {
	name  string
	plan  quorumPlan
	check func(*quorum)
	// long leaves it out without -lab.long.
	long bool
}

// behaviours are in the sentinel_*_test.go, by what they are about.
var behaviours = [][]behaviour{places, storms, failovers, minorities, peculiar, manuals, crashes, networks, states, names, hellos, scripts, discoveries, lives}

// TestSentinel plays every behaviour with every mixture. It does not run beside the other tests of the lab: sites of
// Sentinels wait nearly all the time, so many of them are played at once here, and that would disturb what others measure.
func TestSentinel(t *testing.T) {
	known := oursKnown()
	free := make(chan struct{}, 16)
	var playing sync.WaitGroup
	defer playing.Wait()
	for _, all := range behaviours {
		for _, b := range all {
			for _, m := range mixtures {
				if b.long && !*long || !known && strings.Contains(m.kinds, "o") {
					continue
				}
				// Run only waits for the end of a test that is not parallel; tests of several goroutines are run at once.
				playing.Go(func() {
					free <- struct{}{}
					defer func() { <-free }()
					t.Run(b.name+"/"+m.name, func(t *testing.T) { b.check(newQuorum(t, b.plan, m)) })
				})
			}
		}
	}
}

// oursKnown reports whether the program has its Sentinel yet.
func oursKnown() bool {
	out, err := exec.Command(binary, "sentinel", "--help").CombinedOutput()
	return err == nil && strings.Contains(string(out), "redkeep sentinel")
}
