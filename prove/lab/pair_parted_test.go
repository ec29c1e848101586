package lab

import (
	"testing"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/writer"
	"redkeep/internal/words"
)

// gateway is a guest that a pair has as its tie-breaker; in the plans here it is the last guest after the onlooker.
const gateway, gatewayLines = "gateway", "tie_breakers: [10.77.0.7]\n"

// alone reports whether a node says of itself that it is the writable master.
func (s *Site) alone(h string) bool {
	g, err := s.status(h)
	return err == nil && g.State == picture.StateHolder && g.Writable
}

// direct starts an application that writes to a node's own address, whoever is master.
func (s *Site) direct(h string) *writer.Writer { return s.writeFrom(h, s.addr(h)) }

// TestPairParted cuts the two off from each other, with the clients reaching both: both become master. Healed, the newer epoch
// stays, whichever host it is on, and the other one says how many bytes it had alone.
func TestPairParted(t *testing.T) {
	s := pairSite(t, "    prefer: h1\n    failback: never\n")
	s.guilty = true // two masters are what two hosts can't be kept from in a partition
	s.write()
	for _, m := range []string{"h1", "h2"} {
		if now := s.awaitReady(15 * time.Second); now != m {
			s.must(s.switchover(now, m))
			s.awaitReady(10 * time.Second)
		}
		o := s.others(m)[0]
		time.Sleep(freshCopy)
		at := clock.Now()
		s.must(s.CutBetween(m, o))
		s.mark("cut between %s, the master, and %s", m, o)
		s.await(5*time.Second, "master on either side", func() bool { return s.alone(m) && s.alone(o) })
		t.Logf("both are master %v after the cut", clock.Now().Sub(at))
		time.Sleep(time.Second)
		old, young := s.epoch(m), s.epoch(o)
		if young <= old {
			t.Errorf("%s has epoch %d, the former master %s has %d", o, young, m, old)
		}
		s.must(s.HealAll())
		healed := clock.Now()
		s.mark("healed")
		s.await(10*time.Second, "end of "+m+"'s lease", func() bool { return !s.alone(m) })
		one := clock.Now().Sub(healed)
		s.await(5*time.Second, m+" as a replica", func() bool { return s.linkUp(m) && s.alone(o) })
		t.Logf("%s alone is master %v after the heal, %s follows after %v", o, one, m, clock.Now().Sub(healed))
		s.bound("one master after the heal", one, 200*time.Millisecond)
		if bytes := s.reports(m, o); bytes <= 0 {
			t.Errorf("nothing is reported of what %s took alone", m)
		}
		time.Sleep(3 * s.plan.Lease)
		if now := s.epoch(o); now != young {
			t.Errorf("the master has epoch %d after the heal; the newer of the two was %d", now, young)
		}
	}
}

// TestPairTieBreakers cuts one host off from the other and from the tie-breaker; the clients reach both. The one that is cut off is not
// made the master, and does not stay it: the judge finds nothing.
func TestPairTieBreakers(t *testing.T) {
	s := newSite(t, Plan{Hosts: []string{"h1", "h2"}, AppendOnly: true, Guests: []string{gateway}, Extra: gatewayLines})
	w := s.settled()
	m := s.awaitReady(10 * time.Second)
	o := s.others(m)[0]
	epoch := s.epoch(m)

	s.must(s.CutBetween(o, m), s.CutBetween(o, gateway))
	s.mark("%s, a replica, is cut off", o)
	time.Sleep(3 * s.plan.Lease)
	if why, ok := s.waitsFor(o, words.TieBreakersSilent); !ok || s.alone(o) || s.epoch(m) != epoch {
		g, _ := s.status(o)
		t.Errorf("cut off, %s says %v; the master has epoch %d, it had %d", o, g.Why, s.epoch(m), epoch)
	} else if g, _ := s.status(o); g.Ready {
		t.Errorf("%s says that it could fail over now, beside %s", o, why)
	}
	s.must(s.HealAll())
	s.await(10*time.Second, o+" as a replica", func() bool { return s.linkUp(o) })
	if now := s.awaitReady(10 * time.Second); now != m || s.epoch(m) != epoch {
		t.Errorf("%s is master in epoch %d; it was %s in %d", now, s.epoch(now), m, epoch)
	}
	s.lossless(w)

	w = s.write()
	s.awaitWrites(w, 5*time.Second)
	time.Sleep(freshCopy)
	at := clock.Now()
	s.must(s.CutBetween(m, o), s.CutBetween(m, gateway))
	s.mark("%s, the master, is cut off", m)
	s.await(5*time.Second, "acknowledgement of "+o, func() bool { return s.lastAcker(w) == o })
	n := &numbers{name: "pair with a tie-breaker, its master cut off"}
	s.bound(n.name, s.measure(w, at, n).Length(), 300*time.Millisecond)
	t.Log(n)
	s.await(time.Second, "end of "+m+"'s lease", func() bool { return !s.alone(m) })
	s.must(s.HealAll())
	s.await(10*time.Second, m+" as a replica", func() bool { return s.linkUp(m) })
	s.reports(m, o)
	t.Logf("%d acknowledged writes lost, of the lease's time", s.lost(w))
}

// TestPairTieBreakerLost takes the tie-breaker itself away: the two hear each other, and go on; and a failover of a killed server
// needs no tie-breaker either.
func TestPairTieBreakerLost(t *testing.T) {
	s := newSite(t, Plan{Hosts: []string{"h1", "h2"}, AppendOnly: true, Guests: []string{gateway}, Extra: gatewayLines})
	w := s.settled()
	m := s.awaitReady(10 * time.Second)
	at := clock.Now()
	s.must(s.Cut(gateway))
	s.mark("the tie-breaker is gone")
	time.Sleep(3 * s.plan.Lease)
	if now := s.awaitReady(5 * time.Second); now != m {
		t.Errorf("%s is master, it was %s", now, m)
	}
	n := &numbers{name: "pair whose tie-breaker is gone, Redis killed"}
	s.measure(w, at, &numbers{})
	at, err := s.redis[m].Kill()
	s.must(err)
	s.awaitWrites(w, 5*time.Second)
	s.bound(n.name, s.measure(w, at, n).Length(), 25*time.Millisecond)
	t.Log(n)
	s.must(s.redis[m].Restart(t.Context()))
	s.nearlyLossless(w, 1)
}

// TestPairLoss loses three packets of ten between the two for a while: one master, and no failover.
func TestPairLoss(t *testing.T) {
	s := pairSite(t, "")
	w := s.settled()
	m := s.awaitReady(10 * time.Second)
	epoch, at := s.epoch(m), clock.Now()
	o := s.others(m)[0]
	s.must(s.LosePath(m, o, 0.3), s.LosePath(o, m, 0.3))
	time.Sleep(pick(5*time.Second, time.Minute))
	s.must(s.HealAll())
	if now := s.awaitReady(15 * time.Second); now != m || s.epoch(m) != epoch {
		t.Errorf("%s is master in epoch %d, it was %s in %d", now, s.epoch(now), m, epoch)
	}
	n := &numbers{name: "pair, 30 % loss"}
	s.measure(w, at, n)
	t.Log(n)
	s.lossless(w)
}
