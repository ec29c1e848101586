package lab

import (
	"context"
	"sync"
	"testing"
	"time"

	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/wire"
)

// reader is a client of a replica that keeps its connection.
type reader struct {
	cancel context.CancelFunc
	work   sync.WaitGroup
	// reads are counted, and worst is the slowest; err is what ended them.
	reads int
	worst time.Duration
	err   error
}

// read starts a reader of a host's server.
func (s *Site) read(h string) *reader {
	s.t.Helper()
	conn := s.dial(h)
	ctx, cancel := context.WithCancel(context.Background())
	r := &reader{cancel: cancel}
	r.work.Go(func() { r.run(ctx, conn) }) // ends at stop
	s.t.Cleanup(r.stop)
	return r
}

func (r *reader) run(ctx context.Context, conn *wire.Conn) {
	for ; ctx.Err() == nil; time.Sleep(time.Millisecond) {
		at := clock.Now()
		if _, err := conn.Do(2*time.Second, "GET", "a-key-to-read"); err != nil {
			r.err = err
			return
		}
		r.reads++
		r.worst = max(r.worst, clock.Now().Sub(at))
	}
}

func (r *reader) stop() {
	r.cancel()
	r.work.Wait()
}

// TestReadersKeptThroughPromotion has connections to both replicas, one of which is promoted: both are served all the time.
// The probers of every test are such connections too, and try to write: what they are told is judged.
func TestReadersKeptThroughPromotion(t *testing.T) {
	s := newSite(t, Plan{})
	w := s.settled()
	for range runs(2, 20) {
		m := s.awaitReady(10 * time.Second)
		time.Sleep(time.Second)
		readers := map[string]*reader{}
		for _, h := range s.others(m) {
			readers[h] = s.read(h)
		}
		time.Sleep(100 * time.Millisecond)
		_, err := s.redis[m].Kill()
		s.must(err)
		s.awaitWrites(w, 5*time.Second)
		time.Sleep(500 * time.Millisecond)
		now := s.awaitMaster(5 * time.Second)
		for h, r := range readers {
			r.stop()
			t.Logf("%s (master now: %s): %d reads, slowest %v", h, now, r.reads, r.worst)
			if r.err != nil {
				t.Errorf("a reader of %s lost its connection: %v", h, r.err)
			}
		}
		s.must(s.redis[m].Restart(t.Context()))
	}
	s.nearlyLossless(w, runs(2, 20))
}
