package lab

import (
	"context"
	"testing"
	"time"

	"redkeep/internal/client"
	"redkeep/internal/stage/clock"
	"redkeep/internal/words"
)

// TestRecover takes the master's host and another one away. A person has the survivor go on alone; then the two return.
func TestRecover(t *testing.T) {
	s := newSite(t, Plan{AppendOnly: true})
	w := s.write()
	m := s.awaitReady(10 * time.Second)
	time.Sleep(freshCopy)
	survivor, other := s.others(m)[0], s.others(m)[1]
	s.powerOff(other)
	s.powerOff(m)
	time.Sleep(2 * s.plan.Lease)
	if won, ok := s.master(); ok {
		t.Fatalf("%s is master without a majority", won)
	}
	if why, ok := s.waitsFor(survivor, words.NoMajority); !ok {
		t.Error("status does not say that the majority is missing")
	} else {
		t.Logf("status says: %s", why)
	}
	if err := s.recover(survivor, false); err == nil {
		t.Error("recover needs no word that loss is accepted")
	} else {
		t.Logf("without --accept-loss: %v", err)
	}
	at := clock.Now()
	s.must(s.recover(survivor, true))
	s.awaitWrites(w, 5*time.Second)
	t.Logf("writable %v after recover was called", clock.Now().Sub(at).Round(time.Millisecond))
	s.reboot(m)
	s.await(15*time.Second, m+" as a replica", func() bool { return s.linkUp(m) })
	s.reports(m, s.awaitMaster(10*time.Second))
	s.reboot(other)
	s.await(15*time.Second, "three voters", func() bool { return s.voters(survivor) == 3 })
	if now := s.awaitReady(15 * time.Second); now != survivor {
		t.Errorf("%s is master; %s was recovered", now, survivor)
	}
	// A failover shows that the two vote again.
	time.Sleep(freshCopy)
	s.powerOff(survivor)
	s.awaitWrites(w, 10*time.Second)
	t.Logf("%d acknowledged writes lost", s.lost(w))
}

// recover asks a node to go on alone.
func (s *Site) recover(h string, acceptLoss bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	return s.ask(ctx, h, func(c *client.Client) error {
		return c.Recover(ctx, group, acceptLoss, func(string) {})
	})
}

// voters counts the voters that a node knows.
func (s *Site) voters(h string) int {
	g, err := s.status(h)
	if err != nil {
		return 0
	}
	count := 0
	for _, m := range g.Members {
		if m.Voter {
			count++
		}
	}
	return count
}
