package lab

import (
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/observer"
	"redkeep/internal/words"
)

// stranger is a host that is no node, and comes to have the group's address.
const stranger = "stranger"

// TestStranger has a host that is no node have the group's address. The group gets its master and not its address, and status
// says at which hardware address the stranger is; when that has left, the address comes by itself.
func TestStranger(t *testing.T) {
	for name, plan := range map[string]Plan{"IPv4": {}, "IPv6": {IPv6: true}} {
		t.Run(name, func(t *testing.T) {
			plan.Guests = []string{stranger}
			s := bareSite(t, plan)
			s.must(s.Host(stranger).AddAddress(s.whole()))
			s.startServers()
			s.startAgents()
			m := s.awaitMaster(20 * time.Second)
			s.taken(m, "at the start")
			s.leaves(m)

			w := s.settled()
			m = s.awaitReady(10 * time.Second)
			s.must(s.Host(stranger).AddAddress(s.whole()))
			s.must(s.Host(stranger).Announce(s.vip()))
			s.await(5*time.Second, "alarm about the stranger", func() bool { _, ok := s.noted(m, words.VIPClaimed); return ok })
			claimed, _ := s.noted(m, words.VIPClaimed)
			t.Logf("while %s had it: %s", m, claimed)
			s.mark("%s killed, a stranger has the address too", m)
			_, err := s.redis[m].Kill()
			s.must(err)
			s.await(10*time.Second, "another master", func() bool { n, ok := s.master(); return ok && string(n) != m })
			to := s.awaitMaster(5 * time.Second)
			s.taken(to, "at a failover")
			s.leaves(to)
			s.awaitWrites(w, 10*time.Second)
			s.must(s.redis[m].Restart(t.Context()))
			s.nearlyLossless(w, 1)
		})
	}
}

// taken checks that a master has not the address that a stranger has, and says where that is.
func (s *Site) taken(m, when string) {
	s.t.Helper()
	mac := s.Host(stranger).HardwareAddr().String()
	s.await(5*time.Second, "alarm that names "+mac, func() bool {
		g, err := s.status(m)
		return err == nil && g.VIPWhy.Code == words.VIPTaken && strings.Contains(g.VIPWhy.Text, mac)
	})
	g, err := s.status(m)
	s.must(err)
	s.t.Logf("%s: %s; %s", when, g.VIPWhy, g.VIPs[0].Trouble)
	if s.address(m) || g.VIPs[0].Held {
		s.t.Errorf("%s: %s has the address beside a stranger", when, m)
	}
}

// leaves takes the address from the stranger, and waits until the master has it.
func (s *Site) leaves(m string) {
	s.t.Helper()
	s.must(s.Host(stranger).RemoveAddress(s.whole()))
	at := clock.Now()
	s.mark("the stranger has left")
	s.await(10*time.Second, "address at "+m, func() bool { return s.address(m) })
	s.await(time.Second, "claim of "+m, func() bool { _, ok := s.observers[0].First(m, s.vip(), at, observer.Named...); return ok })
	first, _ := s.observers[0].First(m, s.vip(), at, observer.Named...)
	s.t.Logf("%s has the address %v after the stranger left", m, first.Sub(at))
	s.await(5*time.Second, "end of the alarm", func() bool { g, err := s.status(m); return err == nil && g.VIPWhy.Code != words.VIPTaken })
}

// TestLeftovers has hosts on which an agent that is gone has left the address. It is silent there behind the gate, ends with
// its life in the kernel, and goes at once when the agent is back, whatever that one remembers.
func TestLeftovers(t *testing.T) {
	for name, plan := range map[string]Plan{"IPv4": {}, "IPv6": {IPv6: true}} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, plan)
			s.astray = 500 * time.Millisecond
			w := s.settled()
			back := &numbers{name: "leftover address, until an agent that is back takes it off"}

			m := s.awaitReady(10 * time.Second)
			at := s.loseAgent(m)
			s.await(10*time.Second, "end of the address's life on "+m, func() bool { return !s.address(m) })
			life := clock.Now().Sub(at)
			t.Logf("%s: the kernel has taken the address off %v after the agent's death", m, life)
			s.bound("a leftover's life", life, s.plan.Lease+2*time.Second)
			s.startAgent(m)
			s.await(10*time.Second, m+" as a replica", func() bool { return s.follows(m) })

			m = s.awaitReady(10 * time.Second)
			s.loseAgent(m)
			s.await(10*time.Second, "acknowledgement of another node", func() bool { return s.lastAcker(w) != m })
			s.removed(m, back, "which its agent left a moment ago")

			other := s.others(s.awaitReady(10 * time.Second))[0]
			s.loseAgent(other)
			s.must(s.Host(other).AddAddress(s.whole()))
			s.removed(other, back, "which another program added while the agent of a replica was away")

			m = s.awaitReady(10 * time.Second)
			s.loseAgent(m)
			s.await(10*time.Second, "acknowledgement of another node", func() bool { return s.lastAcker(w) != m })
			// Not preferred, as the agent left it: the kernel would choose it as the source of the server's own connections.
			s.run(m, "ip", "address", "replace", s.whole().String(), "dev", "eth0", "valid_lft", "forever", "preferred_lft", "0")
			s.removed(m, back, "which was made to last, on the host of an agent that remembers a lease")
			t.Log(back)
			s.lossless(w)
		})
	}
}

// loseAgent kills a node's agent and returns the instant just before.
func (s *Site) loseAgent(h string) clock.Instant {
	s.t.Helper()
	at, err := s.agents[h].Kill()
	s.must(err)
	s.mark("killed the agent of %s", h)
	return at
}

// removed starts a node's agent, which finds the address, and waits until it has gone.
func (s *Site) removed(h string, n *numbers, what string) {
	s.t.Helper()
	if !s.address(h) {
		s.t.Errorf("%s has no leftover, %s", h, what)
	}
	at := clock.Now()
	s.startAgent(h)
	s.await(5*time.Second, "removal of the address from "+h+", "+what, func() bool { return !s.address(h) })
	s.t.Logf("%s: gone after %v, %s", h, clock.Now().Sub(at), what)
	n.add(clock.Now().Sub(at), s.watch.Worst(at, clock.Now()))
	s.bound("removal", clock.Now().Sub(at), 500*time.Millisecond)
	s.await(10*time.Second, h+" as a replica", func() bool { return s.follows(h) })
}

// TestTwoAddresses gives a group an address of each family, and both an application. They move together.
func TestTwoAddresses(t *testing.T) {
	s := newSite(t, Plan{Both: true})
	w := s.settled()
	six := s.writeFrom(stage.ClientName, stage.VIP6)
	for _, v := range moves[:2] {
		m := s.awaitReady(10 * time.Second)
		s.awaitWrites(w, 5*time.Second)
		s.awaitWrites(six, 5*time.Second)
		at := v.away(s, m)
		s.await(10*time.Second, "acknowledgements of another node", func() bool { return s.lastAcker(w) != m && s.lastAcker(six) == s.lastAcker(w) })
		s.awaitWrites(w, 5*time.Second)
		s.awaitWrites(six, 5*time.Second)
		by4, by6 := &numbers{name: v.name + " by IPv4"}, &numbers{name: v.name + " by IPv6"}
		s.bound(by4.name, s.measure(w, at, by4).Length(), 30*time.Millisecond)
		s.bound(by6.name, s.measure(six, at, by6).Length(), 30*time.Millisecond)
		t.Logf("%v; %v", by4, by6)
		v.back(s, m)
		s.await(10*time.Second, m+" as a replica", func() bool { return s.follows(m) })
	}
	s.lossless(w)
	s.lossless(six)
}
