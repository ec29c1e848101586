package lab

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage/clock"
)

// TestRollingEdit doubles the lease in the file, under load, and restarts the agents one at a time, as their unit does.
func TestRollingEdit(t *testing.T) {
	s := newSite(t, Plan{})
	w := s.write()
	m := s.awaitReady(10 * time.Second)
	epoch := s.epoch(m)
	s.plan.Lease *= 2
	s.configure(s.config())
	at := clock.Now()
	for _, h := range s.plan.Hosts {
		s.restartAgent(h)
		time.Sleep(500 * time.Millisecond)
	}
	n := &numbers{name: "rolling edit"}
	s.awaitReady(10 * time.Second)
	s.measure(w, at, n)
	t.Log(n)
	for _, h := range s.plan.Hosts {
		g, err := s.status(h)
		s.must(err)
		if g.Lease != s.plan.Lease {
			t.Errorf("%s has a lease of %v", h, g.Lease)
		}
	}
	if now := s.epoch(m); now != epoch {
		t.Errorf("epoch %d of %s became %d", epoch, m, now)
	}
	s.lossless(w)
}

// restartAgent restarts an agent as its unit does: by SIGUSR2, which leaves everything as it is.
func (s *Site) restartAgent(h string) {
	s.t.Helper()
	at := clock.Now()
	s.must(s.agents[h].Signal(unix.SIGUSR2))
	select {
	case <-s.agents[h].Done():
	case <-time.After(5 * time.Second):
		s.t.Fatalf("the agent of %s does not end", h)
	}
	ended, err := s.agents[h].End()
	s.must(err)
	s.t.Logf("the agent of %s took %v to end", h, ended.Sub(at))
	s.startAgent(h)
}
