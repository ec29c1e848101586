package lab

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/writer"
)

// patience is how long an ordinary application waits for a connection: longer than its kernel takes to ask again for one that
// nobody answered, which is a second.
const patience = 3 * time.Second

// TestAnOrdinaryClient kills the master's server, moves it, and ends its agent, for an application that waits for its connections.
// A request for one that met nobody would cost it a second: so there must be somebody at the address all the time, if
// only to refuse.
func TestAnOrdinaryClient(t *testing.T) {
	s := newSite(t, Plan{})
	w, err := s.WriteFixed(context.Background(), netip.AddrPortFrom(s.vip(), stage.DefaultPort),
		writer.Options{Interval: time.Millisecond, DialTimeout: patience})
	s.must(err)
	s.clients = append(s.clients, w)
	time.Sleep(s.plan.Lease + time.Second)
	for name, act := range map[string]func(m string) (undo func()){
		"master's Redis SIGKILLed": func(m string) func() {
			_, err := s.redis[m].Kill()
			s.must(err)
			return func() { s.must(s.redis[m].Restart(t.Context())) }
		},
		"switchover": func(m string) func() {
			s.must(s.switchover(m, ""))
			return func() {}
		},
		"master's agent SIGTERMed": func(m string) func() {
			s.must(s.agents[m].Stop(5 * time.Second))
			return func() { s.startAgent(m) }
		},
	} {
		gaps := numbers{name: name + ", write gap of an ordinary client"}
		for range runs(2, 20) {
			m := s.awaitReady(10 * time.Second)
			s.awaitWrites(w, 5*time.Second)
			at := clock.Now()
			undo := act(m)
			s.awaitWrites(w, 5*time.Second)
			if gap := s.measure(w, at, &gaps).Length(); gap > 900*time.Millisecond {
				t.Errorf("%s: the application waited for %v: its request met nobody", name, gap)
			}
			undo()
		}
		t.Log(&gaps)
	}
	s.nearlyLossless(w, runs(2, 20))
}
