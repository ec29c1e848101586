package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
)

// What the recipes do wrong by design, on a pair of agents in their place. Recipe 001's fault, that after a cut the higher number wins and
// the newer writes are lost without a word, is TestPairParted: both are written to during the cut, as with any two hosts; then the newer
// epoch stays, whichever host it is on, and the other one says how many bytes it had alone.

// TestPairCopiesBack is recipe 000's story: two fresh masters, the preferred one's server is killed and comes back, again and again. Keepalived's
// scripts leave two replicas of each other, from the first start on; here there is a writable master all the time, and it has everything.
func TestPairCopiesBack(t *testing.T) {
	s := newSite(t, Plan{Hosts: []string{"h1", "h2"}, AppendOnly: true, Fresh: true, Extra: "    prefer: h1\n"})
	w := s.settled()
	n := &numbers{name: "pair, recipe 000's story, longest write gap"}
	for range runs(2, 10) {
		s.await(20*time.Second, "h1 as the master", func() bool { m, ok := s.master(); return ok && m == "h1" })
		s.awaitReady(10 * time.Second)
		at, err := s.redis["h1"].Kill()
		s.must(err)
		s.await(5*time.Second, "acknowledgement of h2", func() bool { return s.lastAcker(w) == "h2" })
		time.Sleep(pick(500*time.Millisecond, 10*time.Second))
		s.must(s.redis["h1"].Restart(t.Context()))
		s.await(20*time.Second, "acknowledgement of h1", func() bool { return s.lastAcker(w) == "h1" })
		s.bound(n.name, s.measure(w, at, n).Length(), 50*time.Millisecond)
	}
	t.Log(n)
	s.nearlyLossless(w, runs(2, 10))
}

// TestPairUnequalSecrets is recipe 003's fault: one host's file has another password. With keepalived each is master of everything. Here the one
// that is heard and can't be understood holds the other one back.
func TestPairUnequalSecrets(t *testing.T) {
	s := pairSite(t, "")
	w := s.settled()
	m := s.awaitReady(10 * time.Second)
	o := s.others(m)[0]
	epoch, at := s.epoch(m), clock.Now()
	s.must(s.agents[o].Stop(5 * time.Second))
	text, err := os.ReadFile(s.file)
	s.must(err)
	file := filepath.Join(s.Host(o).Dir(), "other.yaml")
	s.must(os.WriteFile(file, []byte(strings.Replace(string(text), secret, "another-"+secret, 1)), 0o600))
	p, err := s.Host(o).Start(stage.Command{
		Name: "redkeep-other", Path: binary, Args: []string{"run", "-c", file, "--node", o, "--state-dir", filepath.Join(s.Host(o).Dir(), "state")},
	})
	s.must(err)
	for end := clock.Now().Add(6 * time.Second); clock.Now() < end; time.Sleep(20 * time.Millisecond) {
		if s.address(o) {
			t.Fatalf("%s has the address, beside %s", o, m)
		}
	}
	if now := s.awaitMaster(5 * time.Second); now != m || s.epoch(m) != epoch {
		t.Errorf("%s is master in epoch %d, it was %s in %d", now, s.epoch(now), m, epoch)
	}
	n := &numbers{name: "pair, the other host has another secret: longest write gap"}
	s.bound(n.name, s.measure(w, at, n).Length(), 50*time.Millisecond)
	t.Log(n)
	log, err := os.ReadFile(p.Log())
	s.must(err)
	if !strings.Contains(string(log), "secret") {
		t.Errorf("the log of %s does not name the secret: %s", o, tail(p.Log(), 3000))
	}
	s.must(p.Stop(5 * time.Second))
	s.startAgent(o)
	s.awaitReady(15 * time.Second)
	s.lossless(w)
}
