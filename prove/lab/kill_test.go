package lab

import (
	"testing"
	"time"

	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/writer"
)

// TestRedisKilled kills the master's server, with its replicas in sync.
func TestRedisKilled(t *testing.T) {
	s := newSite(t, Plan{})
	w := s.write()
	for range 3 {
		m := s.awaitReady(10 * time.Second)
		time.Sleep(200 * time.Millisecond)
		at, err := s.redis[m].Kill()
		if err != nil {
			t.Fatal(err)
		}
		s.mark("killed %s", m)
		s.awaitMaster(5 * time.Second)
		time.Sleep(200 * time.Millisecond)
		gap := writer.Longest(w.Writes(), at, clock.Now())
		t.Logf("gap %v, worst stall %v", gap.Length(), s.watch.Worst(at, clock.Now()))
		if err := s.redis[m].Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.Stop()
}
