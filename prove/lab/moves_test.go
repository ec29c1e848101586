package lab

import (
	"testing"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/observer"
	"redkeep/internal/stage/writer"
)

const (
	// clients is how many of them wait for what never comes while the group's address moves.
	clients = 20
	// resetBar and cacheBar are how much later than the election clients are cut off, and caches lead to the new master.
	resetBar, cacheBar = 20 * time.Millisecond, 50 * time.Millisecond
	// passerby is a host that knows the group's address and is neither a node nor the application's.
	passerby = "passerby"
)

// move is one way in which the group's address comes to another host.
type move struct {
	name string
	// away does it to the master and returns the instant just before.
	away func(s *Site, m string) clock.Instant
	// back makes the old master's node whole again.
	back func(s *Site, m string)
	// resets says who cuts off clients that wait: nobody else can know them than the old master's host.
	resets resetter
}

// resetter is who resets the clients of an old master.
type resetter int

const (
	// byItself: the old master's agent lives, and does it when it lets go.
	byItself resetter = iota
	// whenBack: its agent is dead or stopped, and does it when it is back. What the kernel does alone, shutting the gate, a
	// client that says nothing does not notice.
	whenBack
	// byNobody: the host is lost with its connections. That its clients hear nothing for hours is the network's business:
	// an end that probes (SO_KEEPALIVE) is reset by the new master's host.
	byNobody
)

var moves = []move{
	{"switchover", func(s *Site, m string) clock.Instant {
		at := clock.Now()
		s.must(s.switchover(m, ""))
		return at
	}, func(*Site, string) {}, byItself},
	{"Redis killed", func(s *Site, m string) clock.Instant {
		at, err := s.redis[m].Kill()
		s.must(err)
		return at
	}, func(s *Site, m string) { s.must(s.redis[m].Restart(s.t.Context())) }, byItself},
	{"Redis stopped", func(s *Site, m string) clock.Instant {
		at := clock.Now()
		s.must(s.redis[m].Process().Freeze())
		return at
	}, func(s *Site, m string) { s.must(s.redis[m].Process().Thaw()) }, byItself},
	{"agent terminated", func(s *Site, m string) clock.Instant {
		at := clock.Now()
		s.must(s.agents[m].Stop(5 * time.Second))
		return at
	}, func(s *Site, m string) { s.startAgent(m) }, byItself},
	{"agent killed", func(s *Site, m string) clock.Instant {
		at, err := s.agents[m].Kill()
		s.must(err)
		return at
	}, func(s *Site, m string) { s.startAgent(m) }, whenBack},
	{"agent stopped", func(s *Site, m string) clock.Instant {
		at := clock.Now()
		s.freezeAgent(m)
		return at
	}, func(s *Site, m string) { s.thawAgent(m) }, whenBack},
	{"powered off", func(s *Site, m string) clock.Instant {
		time.Sleep(freshCopy)
		return s.powerOff(m)
	}, func(s *Site, m string) { s.reboot(m) }, byNobody},
}

// TestAddressMoves moves the group's address in every way, with clients that are blocked on it and hosts that remember it.
// In short IPv6 has one of each kind: a host that lets go, one whose agent is gone, and one that is lost. The clients are cut off as soon as the master is another, by whoever is left to do it; the hosts remember the new one.
func TestAddressMoves(t *testing.T) {
	for name, plan := range map[string]Plan{"IPv4": {}, "IPv6": {IPv6: true}} {
		t.Run(name, func(t *testing.T) {
			plan.Guests, plan.AppendOnly, plan.DownAfter = []string{passerby}, true, 500*time.Millisecond
			s := newSite(t, plan)
			w := s.settled()
			all := moves
			if plan.IPv6 {
				all = few(moves, 0, 4, 6)
			}
			for _, v := range all {
				s.move(w, v)
			}
			t.Logf("%d acknowledged writes lost", s.lost(w))
		})
	}
}

// move does one of them and looks at what becomes of clients and caches.
func (s *Site) move(w *writer.Writer, v move) {
	s.t.Helper()
	m := s.awaitReady(15 * time.Second)
	s.awaitWrites(w, 5*time.Second)
	waiting, err := observer.Block(s.t.Context(), s.Client(), s.service(), clients)
	s.must(err)
	defer waiting.Stop()
	memories := s.remember(stage.ClientName, passerby)
	defer forget(memories)
	s.await(5*time.Second, "cache that leads to "+m, func() bool { return leadTo(memories, m) })

	at := v.away(s, m)
	s.mark("%s: %s", m, v.name)
	s.await(15*time.Second, "acknowledgement of another node", func() bool { return s.lastAcker(w) != m })
	to := s.lastAcker(w)
	elected, ok := s.elected(m, at)
	if !ok {
		s.t.Fatalf("%s: nobody was elected", v.name)
	}
	s.learned(v, memories, to, elected)
	s.awaitWrites(w, 5*time.Second)
	gap := writer.Longest(w.Writes(), at, clock.Now()).Length()
	if v.resets == byItself {
		s.cutOff(v, waiting, elected, resetBar)
	} else {
		s.t.Logf("%s: %d of %d clients wait still, as their host can't end them", v.name, waiting.Left(), clients)
	}
	if v.resets == whenBack {
		s.await(5*time.Second, "end of the address's life on "+m, func() bool { return !s.address(m) })
	}
	back := clock.Now()
	v.back(s, m)
	if v.resets == whenBack {
		s.cutOff(v, waiting, back, 100*time.Millisecond)
	}
	s.t.Logf("%s: write gap %v, worst stall of the machine %v", v.name, gap, s.watch.Worst(at, elected.Add(cacheBar)))
	s.await(10*time.Second, m+" as a replica", func() bool { return s.follows(m) })
}

// cutOff waits until all clients are cut off, and says how long after an instant the last of them was.
func (s *Site) cutOff(v move, waiting *observer.Blocked, since clock.Instant, bar time.Duration) {
	s.t.Helper()
	s.await(5*time.Second, "end of all blocked clients", func() bool { return waiting.Left() == 0 })
	ends := waiting.Ends()
	first, last, reset := ends[0].At, ends[len(ends)-1].At, 0
	for _, e := range ends {
		if e.Reset {
			reset++
		}
	}
	s.t.Logf("%s: %d of %d clients cut off, %d of them by a reset, from %v to %v", v.name, len(ends), clients, reset, first.Sub(since), last.Sub(since))
	s.bound(v.name+": the last client's end", last.Sub(since), bar)
}

// learned waits until hosts remember a node, and says how long after its election they did.
func (s *Site) learned(v move, memories map[string]*observer.Cache, by string, elected clock.Instant) {
	s.t.Helper()
	s.await(5*time.Second, "cache that leads to "+by, func() bool { return leadTo(memories, by) })
	for h, c := range memories {
		at, ok := c.Learned(by)
		if !ok {
			s.t.Errorf("%s: %s remembered %s and does not any more", v.name, h, by)
			continue
		}
		s.t.Logf("%s: the cache of %s is right after %v", v.name, h, at.Sub(elected))
		s.bound(v.name+": the cache of "+h, at.Sub(elected), cacheBar)
	}
}

// remember follows what hosts remember of the group's address.
func (s *Site) remember(hosts ...string) map[string]*observer.Cache {
	s.t.Helper()
	all := map[string]*observer.Cache{}
	for _, h := range hosts {
		c, err := observer.Remember(s.Stage, s.Host(h), s.vip())
		if err != nil {
			forget(all)
			s.t.Fatal(err)
		}
		all[h] = c
	}
	return all
}

func forget(memories map[string]*observer.Cache) {
	for _, c := range memories {
		c.Stop()
	}
}

func leadTo(memories map[string]*observer.Cache, by string) bool {
	for _, c := range memories {
		if c.Now() != by {
			return false
		}
	}
	return true
}

// TestAnnouncementLost has the network swallow what the new master says first to those who use its address. What it says
// again, 50 and 200 ms later, finds them.
func TestAnnouncementLost(t *testing.T) {
	s := newSite(t, Plan{Guests: []string{passerby}})
	w := s.settled()
	m := s.awaitReady(10 * time.Second)
	to := s.others(m)[0]
	memories := s.remember(stage.ClientName, passerby)
	defer forget(memories)
	s.await(5*time.Second, "cache that leads to "+m, func() bool { return leadTo(memories, m) })
	s.must(s.CutPath(to, stage.ClientName), s.CutPath(to, passerby))
	at := clock.Now()
	s.must(s.switchover(m, to))
	s.await(5*time.Second, "address at "+to, func() bool { return s.address(to) })
	time.Sleep(100 * time.Millisecond)
	s.must(s.HealAll())
	healed := clock.Now()
	elected, _ := s.elected(m, at)
	for h, c := range memories {
		t.Logf("%s remembers %s, %v after the election", h, c.Now(), healed.Sub(elected))
	}
	s.learned(move{name: "announcements lost for 100 ms"}, memories, to, elected)
	s.awaitWrites(w, 5*time.Second)
	n := &numbers{name: "announcements lost for 100 ms"}
	s.measure(w, at, n)
	t.Log(n)
	s.lossless(w)
}
