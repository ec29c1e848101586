package lab

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
)

// TestSwitchover moves the master as a person asks for it.
func TestSwitchover(t *testing.T) {
	s := newSite(t, Plan{})
	w := s.settled()
	gaps := numbers{name: "switchover, write gap"}
	asks := numbers{name: "switchover, until it was answered"}
	for i := range runs(6, 20) {
		m := s.awaitReady(10 * time.Second)
		s.awaitWrites(w, 5*time.Second)
		at, to := clock.Now(), ""
		if i%2 == 1 {
			to = s.others(m)[rand.N(len(s.others(m)))]
		}
		s.must(s.switchover(s.plan.Hosts[i%3], to))
		asks.add(clock.Now().Sub(at), s.watch.Worst(at, clock.Now()))
		s.await(5*time.Second, "acknowledgement of another node", func() bool { return s.lastAcker(w) != m })
		s.awaitWrites(w, 5*time.Second)
		s.bound("the gap", s.measure(w, at, &gaps).Length(), 30*time.Millisecond)
		if now := s.awaitMaster(5 * time.Second); now == m || to != "" && now != to {
			t.Errorf("%s is master after a switchover from %s to %q", now, m, to)
		}
	}
	t.Log(&gaps)
	t.Log(&asks)
	s.lossless(w)
}

// TestAgentTerminated ends the master's agent: it hands the master over first, and leaves nothing behind.
func TestAgentTerminated(t *testing.T) {
	s := newSite(t, Plan{})
	w := s.settled()
	gaps := numbers{name: "SIGTERM of the master's agent, write gap"}
	ends := numbers{name: "SIGTERM of the master's agent, until it ended"}
	for range runs(4, 20) {
		m := s.awaitReady(10 * time.Second)
		s.awaitWrites(w, 5*time.Second)
		at := clock.Now()
		s.must(s.agents[m].Stop(5 * time.Second))
		ended, err := s.agents[m].End()
		s.must(err)
		ends.add(ended.Sub(at), s.watch.Worst(at, ended))
		s.awaitWrites(w, 5*time.Second)
		s.bound("the gap", s.measure(w, at, &gaps).Length(), 30*time.Millisecond)
		if left := s.ruleset(m); left != "" {
			t.Errorf("left in the packet filter of %s: ...%s", m, left[max(0, len(left)-300):])
		}
		if err := s.visit(t.Context(), m, []string{"GET", "a-key-to-read"}); err != nil {
			t.Errorf("the server of %s, now a replica without an agent, does not serve reads: %v", m, err)
		}
		s.startAgent(m)
		s.await(10*time.Second, "replica of the old master's server", func() bool { return s.follows(m) })
	}
	t.Log(&gaps)
	t.Log(&ends)
	s.lossless(w)
}

// ruleset is what the packet filter of a host has.
func (s *Site) ruleset(h string) string {
	s.t.Helper()
	name := "nft-" + clock.Now().String()
	p, err := s.Host(h).Start(stage.Command{Name: name, Path: "nft", Args: []string{"list", "ruleset"}})
	s.must(err)
	<-p.Done()
	return strings.TrimSpace(tail(filepath.Join(s.Host(h).Dir(), name+".log"), 4000))
}

// TestAgentKilledInSwitchover kills an agent, the holder's or the target's, at every moment of a switchover.
func TestAgentKilledInSwitchover(t *testing.T) {
	s := newSite(t, Plan{Lease: 300 * time.Millisecond})
	w := s.settled()
	gaps := numbers{name: "agent killed in a switchover, write gap"}
	for i := range runs(4, 200) {
		m := s.awaitReady(15 * time.Second)
		s.awaitWrites(w, 10*time.Second)
		victim := m
		to := s.others(m)[0]
		if i%3 == 2 {
			victim = to
		}
		at, asked := clock.Now(), make(chan error, 1)
		go func() { asked <- s.switchover(m, to) }() // ends with its own bound
		time.Sleep(time.Duration(rand.N(12_000)) * time.Microsecond)
		_, err := s.agents[victim].Kill()
		s.must(err)
		s.mark("killed the agent of %s in a switchover from %s to %s", victim, m, to)
		err = <-asked
		time.Sleep(2 * s.plan.Lease)
		s.awaitWrites(w, 15*time.Second)
		g := s.measure(w, at, &gaps)
		t.Logf("%d: %s of %s to %s: %v, gap %v", i, victim, m, to, err, g.Length())
		s.startAgent(victim)
		time.Sleep(s.plan.Lease + 100*time.Millisecond) // it votes again, and may be a target
	}
	t.Log(&gaps)
	s.awaitReady(15 * time.Second)
	s.lossless(w)
}

// TestAgentFrozenAnywhere stops agents at every moment, of switchovers too, for less or more than a lease: between arming a
// slot and pointing the gate at it, between an order and its answer.
func TestAgentFrozenAnywhere(t *testing.T) {
	s := newSite(t, Plan{Lease: 200 * time.Millisecond})
	w := s.settled()
	for i := range runs(8, 500) {
		m := s.awaitMaster(15 * time.Second)
		victim := s.plan.Hosts[rand.N(3)]
		if i%2 == 0 {
			victim = m
		}
		asked := make(chan struct{})
		go func() { // ends with its own bound
			defer close(asked)
			if i%3 > 0 {
				_ = s.switchover(m, "")
			}
		}()
		time.Sleep(time.Duration(rand.N(12_000)) * time.Microsecond)
		s.freezeAgent(victim)
		s.mark("froze the agent of %s", victim)
		time.Sleep(time.Duration(rand.N(500)) * time.Millisecond)
		s.thawAgent(victim)
		s.mark("thawed the agent of %s", victim)
		<-asked
		s.awaitWrites(w, 15*time.Second)
	}
	s.awaitReady(15 * time.Second)
	s.lossless(w)
}
