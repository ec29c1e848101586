package lab

import (
	"slices"
	"testing"
	"time"

	"redkeep/internal/stage/clock"
	"redkeep/internal/words"
)

// TestPairGetsWitness turns a pair into a quorum under load: a third host has an agent, and all have the new file, one after another. The
// master stays, nobody is refused, and the list of voters has the third one in the segment's place.
func TestPairGetsWitness(t *testing.T) {
	s := bareSite(t, Plan{Hosts: []string{"h1", "h2", "h3"}, Data: []string{"h1", "h2"}, AppendOnly: true})
	all := s.plan.Hosts
	s.plan.Hosts = all[:2]
	s.configure(s.config())
	s.startServers()
	s.startAgents()
	w := s.settled()
	m := s.awaitReady(20 * time.Second)
	epoch, at := s.epoch(m), clock.Now()

	s.plan.Hosts = all
	s.configure(s.config())
	s.startAgent("h3")
	for _, h := range []string{s.others(m)[0], m} {
		time.Sleep(3 * s.plan.Lease) // whoever restarts votes a lease later
		s.restartAgent(h)
		s.mark("%s has the new file", h)
		s.await(5*time.Second, "answer of "+h, func() bool { _, err := s.status(h); return err == nil })
		if now := s.awaitMaster(5 * time.Second); now != m {
			t.Fatalf("%s is master, it was %s", now, m)
		}
	}
	s.await(10*time.Second, "list of three voters", func() bool {
		return !slices.ContainsFunc(all, func(h string) bool {
			g, err := s.status(h)
			return err != nil || g.Generation < 2 || s.voters(h) != 3 || g.Pair
		})
	})
	if now := s.awaitReady(10 * time.Second); now != m {
		t.Errorf("%s is master, it was %s", now, m)
	}
	t.Logf("epoch %d of the pair, %d of the quorum", epoch, s.epoch(m)) // a master may have to reclaim its lease, and lets nothing go by it
	n := &numbers{name: "a pair gets a witness"}
	s.bound(n.name, s.measure(w, at, n).Length(), 50*time.Millisecond)
	t.Log(n)
	s.lossless(w)

	// A partition has one master now: the side with the witness.
	o := s.others(m)[0]
	w = s.write()
	s.awaitWrites(w, 5*time.Second)
	time.Sleep(freshCopy)
	s.must(s.CutBetween(m, o), s.CutBetween(m, "h3"))
	s.mark("%s is cut off", m)
	s.await(5*time.Second, "acknowledgement of "+o, func() bool { return s.lastAcker(w) == o })
	s.must(s.HealAll())
	s.await(10*time.Second, m+" as a replica", func() bool { return s.linkUp(m) })
	if _, ok := s.waitsFor(o, words.OtherUnheard); ok {
		t.Error("a quorum says what only a pair does")
	}
}
