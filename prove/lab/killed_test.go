package lab

import (
	"math/rand/v2"
	"testing"
	"time"

	"redkeep/internal/stage/clock"
)

// TestRedisKilled kills the master's server, with its replicas in sync.
func TestRedisKilled(t *testing.T) {
	s := newSite(t, Plan{})
	w := s.settled()
	gaps := numbers{name: "master's Redis SIGKILLed, write gap"}
	for range runs(5, 20) {
		m := s.awaitReady(10 * time.Second)
		time.Sleep(200 * time.Millisecond)
		at, err := s.redis[m].Kill()
		s.must(err)
		s.mark("killed %s", m)
		s.awaitWrites(w, 5*time.Second)
		s.bound("the gap", s.measure(w, at, &gaps).Length(), 25*time.Millisecond)
		s.must(s.redis[m].Restart(t.Context()))
	}
	t.Log(&gaps)
	s.lossless(w)
}

// TestRedisKilledAfterFullResync kills the master soon after one replica, or both, were copied anew. A replica that was in
// sync all the time has everything; where there is none, Redis itself may lose what was written since the copies.
func TestRedisKilledAfterFullResync(t *testing.T) {
	for name, fresh := range map[string]int{"one of two": 1, "both": 2} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, Plan{})
			w := s.settled()
			for range runs(3, 30) {
				m := s.awaitReady(10 * time.Second)
				for _, h := range s.others(m)[:fresh] {
					s.must(s.redis[h].RestartEmpty(t.Context()))
				}
				s.await(10*time.Second, "replica with its link up", func() bool {
					g, err := s.status(m)
					up := 0
					for _, mem := range g.Members {
						if mem.Server.LinkUp && !mem.Server.Syncing {
							up++
						}
					}
					return err == nil && up == 2
				})
				time.Sleep(time.Duration(rand.N(30)) * time.Millisecond)
				_, err := s.redis[m].Kill()
				s.must(err)
				s.mark("killed %s", m)
				s.awaitWrites(w, 40*time.Second)
				s.must(s.redis[m].Restart(t.Context()))
			}
			if lost := s.lost(w); lost > 0 && fresh == 1 {
				t.Errorf("%d acknowledged writes are lost", lost)
			}
		})
	}
}

// TestOnlyRedisKilled kills the only server of a group with two witnesses, which comes back with its data.
func TestOnlyRedisKilled(t *testing.T) {
	s := newSite(t, Plan{Data: []string{"h1"}, AppendOnly: true})
	w := s.write()
	gaps := numbers{name: "only data node's Redis SIGKILLed, from its start to the first write"}
	for range runs(3, 10) {
		s.awaitMaster(10 * time.Second)
		s.awaitWrites(w, 5*time.Second)
		time.Sleep(1500 * time.Millisecond) // the file is synced each second
		_, err := s.redis["h1"].Kill()
		s.must(err)
		at := clock.Now()
		s.must(s.redis["h1"].Restart(t.Context()))
		s.awaitWrites(w, 10*time.Second)
		s.measure(w, at, &gaps)
	}
	t.Log(&gaps)
	s.lossless(w)
}
