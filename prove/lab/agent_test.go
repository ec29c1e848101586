package lab

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/writer"
)

// TestAgentKilled kills the master's agent for good. The server is served until the lease ends in the kernel, then another
// takes over; the old master stays shut until its agent is back.
func TestAgentKilled(t *testing.T) {
	s := newSite(t, Plan{})
	w := s.settled()
	gaps := numbers{name: "agent SIGKILLed, write gap from the lease's end"}
	served := numbers{name: "agent SIGKILLed, writes went on for"}
	for range runs(1, 20) {
		m := s.awaitReady(15 * time.Second)
		s.awaitWrites(w, 5*time.Second)
		at, err := s.agents[m].Kill()
		s.must(err)
		s.mark("killed the agent of %s", m)
		s.await(10*time.Second, "acknowledgement of another node", func() bool { return s.lastAcker(w) != m })
		s.awaitWrites(w, 5*time.Second)
		g := s.measure(w, at, &gaps)
		served.add(g.From.Sub(at), s.watch.Worst(at, g.To))
		s.bound("the gap", g.Length(), 150*time.Millisecond)
		if g.From.Sub(at) < s.plan.Lease/2 {
			t.Errorf("writes went on for %v only", g.From.Sub(at))
		}
		time.Sleep(500 * time.Millisecond)
		if s.visit(t.Context(), m, []string{"PING"}) == nil {
			t.Errorf("%s answers, with no agent", m)
		}
		s.startAgent(m)
		s.await(10*time.Second, "replica of the old master's server", func() bool { return s.follows(m) })
	}
	t.Log(&gaps)
	t.Log(&served)
	s.nearlyLossless(w, runs(1, 20))
}

// TestAgentOfReplicaKilled kills a replica's agent. Its readers notice nothing.
func TestAgentOfReplicaKilled(t *testing.T) {
	s := newSite(t, Plan{})
	m := s.awaitReady(10 * time.Second)
	h := s.others(m)[0]
	s.await(5*time.Second, "open gate in front of the replica", func() bool { return s.visit(t.Context(), h, []string{"PING"}) == nil })
	readers := s.readers(h)
	_, err := s.agents[h].Kill()
	s.must(err)
	time.Sleep(pick(4*time.Second, time.Minute))
	s.startAgent(h)
	s.await(10*time.Second, "replica", func() bool { return s.follows(h) })
	time.Sleep(500 * time.Millisecond)
	s.unrefused(readers)
}

// TestAgentFrozen stops the master's agent for longer than its lease, and continues it.
func TestAgentFrozen(t *testing.T) {
	s := newSite(t, Plan{})
	w := s.settled()
	gaps := numbers{name: "agent SIGSTOPped, write gap"}
	for range runs(1, 20) {
		m := s.awaitReady(15 * time.Second)
		s.awaitWrites(w, 5*time.Second)
		at := clock.Now()
		s.freezeAgent(m)
		s.mark("froze the agent of %s", m)
		s.await(10*time.Second, "acknowledgement of another node", func() bool { return s.lastAcker(w) != m })
		s.awaitWrites(w, 5*time.Second)
		s.bound("the gap", s.measure(w, at, &gaps).Length(), 150*time.Millisecond)
		s.thawAgent(m)
		s.mark("thawed the agent of %s", m)
		s.await(10*time.Second, "replica of the old master's server", func() bool { return s.follows(m) })
	}
	t.Log(&gaps)
	s.nearlyLossless(w, runs(1, 20))
}

// TestAgentRestarted restarts agents within the lease: the master's, a replica's, and all at once. Nobody is refused, and
// no role changes.
func TestAgentRestarted(t *testing.T) {
	s := newSite(t, Plan{})
	w := s.settled()
	m := s.awaitReady(10 * time.Second)
	time.Sleep(time.Second)
	epoch := s.epoch(m)
	readers := s.readers(s.plan.Data...)
	begun := clock.Now()
	ends := numbers{name: "an agent's end after SIGUSR2"}
	for range runs(1, 20) {
		for _, hosts := range [][]string{{m}, {s.others(m)[0]}, s.plan.Hosts} {
			s.restartAgents(&ends, hosts...)
			s.mark("restarted %v", hosts)
			s.await(5*time.Second, "agents that answer", func() bool {
				for _, h := range hosts {
					if _, err := s.status(h); err != nil {
						return false
					}
				}
				return true
			})
			time.Sleep(1500 * time.Millisecond)
			if now := s.awaitMaster(5 * time.Second); now != m {
				t.Fatalf("after a restart of %v: %s was master in epoch %d, now it is %s in %d", hosts, m, epoch, now, s.epoch(now))
			}
		}
	}
	s.unrefused(readers)
	gaps := numbers{name: "agents restarted, longest write gap"}
	s.measure(w, begun, &gaps)
	t.Log(&gaps)
	t.Log(&ends)
	until := clock.Now()
	for _, write := range w.Stop() {
		if !write.OK() && write.Sent > begun && write.Sent < until.Add(-writer.DefaultTimeout) {
			t.Errorf("a write was not acknowledged at %v: %s", s.since(write.Sent), write.Err)
			break
		}
	}
	s.lossless(w)
}

// restartAgents has agents end by SIGUSR2, all at once, and starts each as soon as it has ended.
func (s *Site) restartAgents(ends *numbers, hosts ...string) {
	s.t.Helper()
	at := clock.Now()
	for _, h := range hosts {
		s.must(s.agents[h].Signal(unix.SIGUSR2))
	}
	for _, h := range hosts {
		select {
		case <-s.agents[h].Done():
		case <-time.After(5 * time.Second):
			s.t.Fatalf("the agent of %s does not end", h)
		}
		end, err := s.agents[h].End()
		s.must(err)
		ends.add(end.Sub(at), s.watch.Worst(at, end))
		s.startAgent(h)
	}
}

// TestAllAgentsDown has no agent for longer than the lease. The same master goes on when a majority is back.
func TestAllAgentsDown(t *testing.T) {
	s := newSite(t, Plan{})
	w := s.settled()
	gaps := numbers{name: "all agents down, from a majority's start to the first write"}
	for range runs(1, 5) {
		m := s.awaitReady(15 * time.Second)
		s.awaitWrites(w, 5*time.Second)
		for _, h := range s.plan.Hosts {
			_, err := s.agents[h].Kill()
			s.must(err)
		}
		s.mark("killed all agents")
		time.Sleep(pick(3*time.Second, 10*time.Second))
		for _, h := range s.plan.Hosts {
			s.startAgent(h)
		}
		at := s.agents[s.plan.Hosts[1]].Begun()
		s.awaitWrites(w, 20*time.Second)
		g := s.firstAfter(w, at)
		gaps.add(g, s.watch.Worst(at, at.Add(g)))
		s.bound("the first write", g, s.plan.Lease+200*time.Millisecond)
		if now := s.awaitMaster(5 * time.Second); now != m {
			t.Errorf("%s was master, now it is %s", m, now)
		}
	}
	t.Log(&gaps)
	s.lossless(w)
}
