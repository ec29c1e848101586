package lab

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"redkeep/internal/stage/clock"
	"redkeep/internal/words"
)

// TestRedisKilled kills the master's server, with its replicas in sync.
func TestRedisKilled(t *testing.T) {
	s := newSite(t, Plan{})
	w := s.settled()
	gaps := numbers{name: "master's Redis SIGKILLed, write gap"}
	for range runs(3, 20) {
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
	s.nearlyLossless(w, runs(3, 20))
}

// TestRedisKilledAfterFullResync kills the master soon after one replica, or both, were copied anew. A replica that was in
// sync all the time has everything, and wins at once. Where there is none, both lack what was written since their copies (Redis holds
// the stream back until the copy's first acknowledgement, for up to a second), and what they lack may come back with the master's
// server: the group waits for that as long as its patience lasts (words.NotInSync), and elects the better of the two then, saying so. Were
// the master killed before the copies have come, both would be empty, and nobody could be elected before its data are back.
func TestRedisKilledAfterFullResync(t *testing.T) {
	const patience = 2 * time.Second
	for name, fresh := range map[string]int{"one of two": 1, "both": 2} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, Plan{Extra: fmt.Sprintf("patience: %v\n", patience)})
			w := s.settled()
			limit := 5 * time.Second
			if fresh == 2 {
				limit += patience
			}
			for range runs(3, 30) {
				m := s.awaitReady(10 * time.Second)
				s.copyAnew(m, s.others(m)[:fresh])
				time.Sleep(time.Duration(rand.N(30)) * time.Millisecond)
				_, err := s.redis[m].Kill()
				s.must(err)
				s.mark("killed %s", m)
				s.awaitWrites(w, limit)
				s.must(s.redis[m].Restart(t.Context()))
			}
			if lost := s.lost(w); lost > runs(3, 30) && fresh == 1 { // as in nearlyLossless
				t.Errorf("%d acknowledged writes are lost", lost)
			}
		})
	}
}

// copyAnew empties the servers of hosts, and waits until the master's agent has heard that they have the master's data again.
func (s *Site) copyAnew(m string, hosts []string) {
	s.t.Helper()
	old := map[words.Node]words.RunID{}
	g, err := s.status(m)
	s.must(err)
	for _, mem := range g.Members {
		old[mem.Node] = mem.Server.RunID
	}
	for _, h := range hosts {
		s.must(s.redis[h].RestartEmpty(s.t.Context()))
	}
	s.await(10*time.Second, "new process with a copy of the data", func() bool {
		g, err := s.status(m)
		if err != nil {
			return false
		}
		for _, mem := range g.Members {
			v := mem.Server // the last word of a process that is gone says that its link is up
			anew := v.RunID != old[mem.Node] && v.LinkUp && !v.Syncing
			if slices.Contains(hosts, string(mem.Node)) && !anew {
				return false
			}
		}
		return true
	})
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
