package lab

import (
	"testing"
	"time"

	"redkeep/internal/stage/clock"
	"redkeep/internal/words"
)

// TestRulesetFlushed has another program flush the master's whole ruleset again and again, under load, as a firewall's
// reload does. The gate comes back, or never goes; nobody is disturbed, and status says who it was.
func TestRulesetFlushed(t *testing.T) {
	s := newSite(t, Plan{})
	w := s.write()
	m := s.awaitReady(10 * time.Second)
	at := clock.Now()
	for range 10 {
		s.run(m, "nft", "flush", "ruleset")
		time.Sleep(100 * time.Millisecond)
	}
	n := &numbers{name: "flushed 10 times"}
	s.measure(w, at, n)
	t.Log(n)
	s.run(m, "nft", "list", "table", "inet", "redkeep")
	g, err := s.status(m)
	s.must(err)
	t.Logf("fence %s: %s", g.Fence, g.FenceWhy)
	if now := s.awaitReady(10 * time.Second); now != m {
		t.Errorf("%s became master", now)
	}
	s.lossless(w)
}

// TestRulesetFlushedOnIsland flushes the ruleset of a master that is cut off and whose lease has ended: what it might
// acknowledge before the gate is back would be a second master's.
func TestRulesetFlushedOnIsland(t *testing.T) {
	s := newSite(t, Plan{})
	w := s.write()
	m := s.awaitReady(10 * time.Second)
	for _, o := range s.others(m) {
		s.must(s.CutBetween(m, o))
	}
	s.await(10*time.Second, "another master", func() bool { n, ok := s.master(); return ok && string(n) != m })
	for range 10 {
		s.run(m, "nft", "flush", "ruleset")
		time.Sleep(50 * time.Millisecond)
	}
	g, err := s.status(m)
	s.must(err)
	t.Logf("fence %s: %s", g.Fence, g.FenceWhy)
	if g.Fence == words.FenceHard && g.FenceWhy == "" {
		t.Log("the gate never went: its table is owned")
	}
	s.must(s.HealAll())
	s.await(10*time.Second, m+" as a replica", func() bool { return s.linkUp(m) })
	w.Stop()
}
