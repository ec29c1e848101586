package lab

import (
	"testing"
	"time"
)

// TestJudgeConvicts takes the gate away and freezes the master's agent: its server goes on acknowledging beside the new
// master's, and the judge that stands behind every other test must see it.
func TestJudgeConvicts(t *testing.T) {
	s := newSite(t, Plan{Lease: 300 * time.Millisecond, Extra: "    gate: \"off\"\n"})
	s.guilty = true
	w := s.settled()
	m := s.awaitMaster(5 * time.Second)
	s.freezeAgent(m)
	s.await(10*time.Second, "another master", func() bool { n, ok := s.master(); return ok && string(n) != m })
	time.Sleep(300 * time.Millisecond)
	s.thawAgent(m)
	w.Stop()
}
