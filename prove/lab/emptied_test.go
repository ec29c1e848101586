package lab

import (
	"context"
	"fmt"
	"testing"
	"time"

	"redkeep/internal/stage/clock"
)

// TestRedisRestartedEmpty has the master's server come back within 300 ms, without its data: nobody copies that.
func TestRedisRestartedEmpty(t *testing.T) {
	s := newSite(t, Plan{})
	m := s.awaitReady(10 * time.Second)
	conn := s.dial(m)
	const keys = 2000
	for i := range keys {
		if v, err := conn.Do(time.Second, "SET", fmt.Sprintf("kept-%d", i), "1"); err != nil || !v.IsOK() {
			t.Fatal(v, err)
		}
	}
	w := s.settled()
	gaps := numbers{name: "Redis restarted empty, write gap"}
	for range runs(2, 20) {
		m = s.awaitReady(10 * time.Second)
		time.Sleep(200 * time.Millisecond)
		least, stop := s.countKeys(s.others(m))
		at, err := s.redis[m].Kill()
		s.must(err)
		s.mark("killed %s", m)
		s.must(s.redis[m].Wipe(), s.redis[m].Start(t.Context()))
		t.Logf("restarted after %v", clock.Now().Sub(at))
		s.awaitWrites(w, 10*time.Second)
		s.bound("the gap", s.measure(w, at, &gaps).Length(), 25*time.Millisecond)
		s.awaitReady(10 * time.Second)
		stop()
		if *least < keys {
			t.Errorf("a replica had %d keys for a while, of %d at least", *least, keys)
		}
	}
	t.Log(&gaps)
	s.nearlyLossless(w, runs(2, 20))
}

// countKeys asks the servers all the time how many keys they have, and keeps the least.
func (s *Site) countKeys(hosts []string) (least *int, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	count := 1 << 30
	go func() { // ends at stop
		defer close(done)
		for ctx.Err() == nil {
			for _, h := range hosts {
				if v, err := s.redis[h].Do(ctx, "DBSIZE"); err == nil {
					count = min(count, int(v.Int))
				}
			}
			time.Sleep(2 * time.Millisecond)
		}
	}()
	return &count, func() { cancel(); <-done }
}
