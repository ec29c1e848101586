package lab

import (
	"testing"
	"time"

	"redkeep/internal/stage/clock"
)

// Two hosts without a third: the segment between them votes. What can befall one of them is judged as with three hosts; what two can't
// have, which is one master in a partition, is not promised, and status says so.

// pairSite is two hosts.
func pairSite(t testing.TB, extra string) *Site {
	return newSite(t, Plan{Hosts: []string{"h1", "h2"}, AppendOnly: true, Extra: extra})
}

// TestPairServerKilled kills the master's server: the other node has its agent's vote, and waits for nothing.
func TestPairServerKilled(t *testing.T) {
	s := pairSite(t, "")
	w := s.settled()
	gaps := numbers{name: "pair, master's Redis SIGKILLed, write gap"}
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

// TestPairHostLost pulls the plug of the master's host: the other one waits as long as VRRP does.
func TestPairHostLost(t *testing.T) {
	s := pairSite(t, "")
	w := s.write()
	n := &numbers{name: "pair, power off"}
	for range runs(1, 5) {
		m := s.awaitReady(15 * time.Second)
		time.Sleep(freshCopy)
		at := s.powerOff(m)
		s.awaitWrites(w, 10*time.Second)
		s.bound("power off", s.measure(w, at, n).Length(), 1400*time.Millisecond)
		s.reboot(m)
		s.await(10*time.Second, m+" as a replica", func() bool { return s.linkUp(m) })
	}
	t.Log(n)
}

// TestPairAgentKilled kills and freezes the master's agent: its lease ends in the kernel before the other one takes over.
func TestPairAgentKilled(t *testing.T) {
	s := pairSite(t, "")
	w := s.write()
	n := &numbers{name: "pair, master's agent SIGKILLed"}
	m := s.awaitReady(15 * time.Second)
	time.Sleep(freshCopy)
	at := s.loseAgent(m)
	s.await(10*time.Second, "acknowledgement of the other node", func() bool { return s.lastAcker(w) != m })
	s.measure(w, at, n)
	s.startAgent(m)
	s.await(10*time.Second, m+" as a replica", func() bool { return s.linkUp(m) })
	m = s.awaitReady(15 * time.Second)
	time.Sleep(freshCopy)
	at = clock.Now()
	s.freezeAgent(m)
	s.await(10*time.Second, "acknowledgement of the other node", func() bool { return s.lastAcker(w) != m })
	s.measure(w, at, n)
	s.thawAgent(m)
	s.await(10*time.Second, m+" as a replica", func() bool { return s.linkUp(m) })
	t.Log(n)
	s.nearlyLossless(w, 2)
}

// TestPairSwitchover moves the master, and has a preferred node get it back when its server has everything.
func TestPairSwitchover(t *testing.T) {
	s := pairSite(t, "    prefer: h1\n")
	w := s.settled()
	n := &numbers{name: "pair, failback"}
	for range runs(2, 5) {
		s.await(20*time.Second, "h1 as the master", func() bool { m, ok := s.master(); return ok && m == "h1" })
		s.awaitReady(10 * time.Second)
		_, err := s.redis["h1"].Kill()
		s.must(err)
		s.awaitWrites(w, 5*time.Second)
		s.must(s.redis["h1"].Restart(t.Context()))
		at := clock.Now()
		s.await(20*time.Second, "acknowledgement of the preferred node", func() bool { return s.lastAcker(w) == "h1" })
		s.bound("failback", s.measure(w, at, n).Length(), 50*time.Millisecond)
	}
	t.Log(n)
	s.nearlyLossless(w, runs(2, 5))
}
