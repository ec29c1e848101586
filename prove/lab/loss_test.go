package lab

import (
	"testing"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
)

// TestLoss drops three packets of ten on the master's cable: no lease is lost.
func TestLoss(t *testing.T) {
	for name, direction := range map[string]stage.Direction{"outbound": stage.Outbound, "inbound": stage.Inbound, "both": stage.Both} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, Plan{})
			m := s.awaitReady(10 * time.Second)
			w := s.write()
			s.awaitWrites(w, 5*time.Second)
			failovers := 0
			for range runs(1, 10) {
				m = s.awaitReady(15 * time.Second)
				epoch, at := s.epoch(m), clock.Now()
				s.must(s.Lose(m, direction, 0.3))
				time.Sleep(pick(4*time.Second, 20*time.Second))
				dropped, err := s.Dropped()
				s.must(err, s.HealAll())
				now := s.awaitMaster(10 * time.Second)
				if now != m {
					failovers++
					t.Errorf("%s was master in epoch %d, now it is %s in %d", m, epoch, now, s.epoch(now))
				}
				t.Logf("%d frames lost, epochs %d to %d, %d writes acknowledged", dropped, epoch, s.epoch(now), acks(w, at))
			}
			t.Logf("%d failovers", failovers)
			s.lossless(w)
		})
	}
}
