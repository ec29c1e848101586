package lab

import (
	"context"
	"testing"
	"time"

	"redkeep/internal/client"
	"redkeep/internal/stage/clock"
	"redkeep/internal/words"
)

// TestPairColdStart powers both hosts off and boots them, in either order; then one alone.
func TestPairColdStart(t *testing.T) {
	s := newSite(t, Plan{Hosts: []string{"h1", "h2"}, AppendOnly: true, Extra: coldPlan().Extra})
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		w := s.write()
		m := s.awaitReady(20 * time.Second)
		s.awaitWrites(w, 10*time.Second)
		time.Sleep(freshCopy)
		s.allOff()
		w.Stop()
		hosts := append([]string{m}, s.others(m)...)
		at := clock.Now()
		for _, i := range order {
			s.reboot(hosts[i])
			time.Sleep(150 * time.Millisecond)
		}
		won := s.awaitMaster(30 * time.Second)
		t.Logf("%s was the master, %s booted first: %s is, after %v", m, hosts[order[0]], won, clock.Now().Sub(at).Round(time.Millisecond))
		s.awaitReady(20 * time.Second)
		if lost := s.lost(w); lost > 0 && (won == m || lost > 1200) {
			t.Errorf("%d acknowledged writes are lost", lost)
		}
	}
	s.returnsAlone()
}

// returnsAlone powers both off and boots one: it can't know whether the other one had gone on, and says so. A person has it go on.
func (s *Site) returnsAlone() {
	s.t.Helper()
	m := s.awaitReady(10 * time.Second)
	o := s.others(m)[0]
	time.Sleep(freshCopy)
	s.allOff()
	s.reboot(o)
	time.Sleep(coldWait + 3*s.plan.Lease)
	why, ok := s.waitsFor(o, words.OtherUnheard)
	if won, is := s.master(); is || !ok {
		g, _ := s.status(o)
		s.t.Fatalf("%s is master, %v; %s says %v", won, is, o, g.Why)
	}
	s.t.Logf("status says: %s", why)
	if g, _ := s.status(o); g.Ready {
		s.t.Error("status says that it could fail over now")
	}
	at := clock.Now()
	s.request(o, func(ctx context.Context, c *client.Client) error {
		return c.Bootstrap(ctx, group, words.Node(o), true, func(string) {})
	})
	if won := s.awaitMaster(10 * time.Second); won != o {
		s.t.Errorf("%s is master, %s was chosen", won, o)
	}
	s.t.Logf("%s is master %v after it was chosen", o, clock.Now().Sub(at))
	s.reboot(m)
	s.await(15*time.Second, m+" as a replica", func() bool { return s.linkUp(m) })
	s.reports(m, o)
	s.awaitReady(10 * time.Second)
}

// TestPairRestarts restarts agents as their unit does: the master's, the other's, both at once, and the master's while the
// other host is away. Nobody is refused.
func TestPairRestarts(t *testing.T) {
	s := pairSite(t, "")
	w := s.settled()
	m := s.awaitReady(10 * time.Second)
	o := s.others(m)[0]
	time.Sleep(s.plan.Lease)
	epoch, begun := s.epoch(m), clock.Now()
	readers := s.readers(m)
	ends := &numbers{name: "an agent's end after SIGUSR2"}
	for _, hosts := range [][]string{{m}, {o}, {m, o}} {
		s.restartAgents(ends, hosts...)
		s.mark("restarted %v", hosts)
		time.Sleep(2500 * time.Millisecond)
		if now := s.awaitReady(5 * time.Second); now != m || s.epoch(m) != epoch {
			t.Fatalf("after a restart of %v: %s in epoch %d, it was %s in %d", hosts, now, s.epoch(now), m, epoch)
		}
	}
	s.powerOff(o)
	time.Sleep(2 * s.plan.Lease)
	for range 2 {
		s.restartAgents(ends, m)
		s.mark("restarted %s, alone", m)
		time.Sleep(2500 * time.Millisecond)
		if now := s.awaitMaster(5 * time.Second); now != m || s.epoch(m) != epoch {
			t.Fatalf("alone: %s in epoch %d, it was %s in %d", now, s.epoch(now), m, epoch)
		}
	}
	s.unrefused(readers)
	n := &numbers{name: "pair, agents restarted, longest write gap"}
	s.bound(n.name, s.measure(w, begun, n).Length(), 50*time.Millisecond)
	t.Log(n)
	t.Log(ends)
	s.lossless(w)
}

// TestPairAgentStopped ends the master's agent as systemctl stop does: it hands over first. Then the other host is away, and there is nobody
// to hand over to.
func TestPairAgentStopped(t *testing.T) {
	s := pairSite(t, "")
	w := s.settled()
	n := &numbers{name: "pair, master's agent terminated"}
	for range runs(2, 10) {
		m := s.awaitReady(10 * time.Second)
		time.Sleep(freshCopy)
		at := clock.Now()
		s.must(s.agents[m].Stop(5 * time.Second))
		s.await(5*time.Second, "acknowledgement of the other node", func() bool { return s.lastAcker(w) != m })
		s.awaitWrites(w, 5*time.Second)
		s.bound(n.name, s.measure(w, at, n).Length(), 50*time.Millisecond)
		s.startAgent(m)
		s.await(10*time.Second, m+" as a replica", func() bool { return s.follows(m) })
	}
	t.Log(n)
	s.lossless(w)
}

// TestPairSwitchovers moves the master by hand, there and back.
func TestPairSwitchovers(t *testing.T) {
	s := pairSite(t, "")
	w := s.settled()
	n := &numbers{name: "pair, switchover"}
	for range runs(4, 20) {
		m := s.awaitReady(10 * time.Second)
		time.Sleep(200 * time.Millisecond)
		at := clock.Now()
		s.must(s.switchover(m, ""))
		s.awaitWrites(w, 5*time.Second)
		s.bound(n.name, s.measure(w, at, n).Length(), 50*time.Millisecond)
	}
	t.Log(n)
	s.lossless(w)
}
