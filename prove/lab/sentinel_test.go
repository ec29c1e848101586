package lab

import (
	"flag"
	"slices"
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
var behaviours = [][]behaviour{places, storms, failovers, minorities, peculiar, manuals, crashes, networks, states, observations, likenesses, names, hellos, scripts, discoveries, lives}

// quorums asks for certain mixtures, whatever the length.
var quorums = flag.String("lab.quorum", "", "which mixtures of Sentinels to play: real, ours, one, two, with commas; default one with ours alone and a mixed one, "+
	"with -lab.long all")

// chosenMixtures are those that the n-th behaviour is played with.
func chosenMixtures(n int) (chosen []mixture) {
	for i, m := range mixtures {
		asked := slices.Contains(strings.Split(*quorums, ","), m.name)
		if asked || *quorums == "" && (*long || m.name == "ours" || i == 2+n%2) {
			chosen = append(chosen, m)
		}
	}
	return chosen
}

// slots is how many sites are played at once. They wait nearly all the time.
const slots = 16

// TestSentinel plays every behaviour with mixtures of programs. It does not run beside the other tests of the lab, as so many
// sites at once would disturb what others measure.
func TestSentinel(t *testing.T) {
	free := make(chan struct{}, slots)
	var playing sync.WaitGroup
	defer playing.Wait()
	for n, b := range slices.Concat(behaviours...) {
		if b.long && !*long {
			continue
		}
		for _, m := range chosenMixtures(n) {
			// Run only waits for the end of a test that is not parallel; tests of several goroutines are run at once.
			playing.Go(func() {
				free <- struct{}{}
				defer func() { <-free }()
				t.Run(b.name+"/"+m.name, func(t *testing.T) { b.check(newQuorum(t, b.plan, m)) })
			})
		}
	}
}
