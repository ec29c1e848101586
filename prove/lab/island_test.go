package lab

import (
	"testing"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
)

// The guests on the master's side of a cut: an application, and an onlooker of its own.
const (
	islander = "islander"
	lookout  = "lookout"
)

// ways are those in which the island is cut off.
var ways = []struct {
	name      string
	from, out bool
}{{"cut off", true, true}, {"deaf", true, false}, {"mute", false, true}}

// TestIsland cuts the network in two, with an application on either side. The one beside the old master is served until the
// lease has ended, and by nobody then; two onlookers, one on each side, see together that never two hosts answered.
func TestIsland(t *testing.T) {
	for name, plan := range map[string]Plan{"IPv4": {}, "IPv6": {IPv6: true}} {
		t.Run(name, func(t *testing.T) {
			plan.Guests = []string{islander, lookout}
			s := newSite(t, plan)
			s.observeFrom(lookout)
			w := s.settled()
			there := s.writeFrom(islander, s.vip())
			all := ways
			if plan.IPv6 {
				all = few(ways, 0)
			}
			for _, way := range all {
				m := s.awaitReady(15 * time.Second)
				s.awaitWrites(w, 10*time.Second)
				s.awaitWrites(there, 10*time.Second)
				time.Sleep(freshCopy)
				at := clock.Now()
				s.part(m, way.from, way.out)
				s.mark("the island of %s is %s", m, way.name)
				s.await(10*time.Second, "acknowledgement of another node", func() bool { return s.lastAcker(w) != m })
				n := &numbers{name: "island " + way.name + ", gap on the mainland"}
				s.awaitWrites(w, 10*time.Second)
				s.bound("island "+way.name, s.measure(w, at, n).Length(), s.plan.Lease+100*time.Millisecond)
				time.Sleep(300 * time.Millisecond)
				alone := acks(there, clock.Now().Add(-200*time.Millisecond))
				if way.out && alone > 0 {
					t.Errorf("island %s: %d writes were acknowledged on it after the lease", way.name, alone)
				}
				s.must(s.HealAll())
				healed := clock.Now()
				s.awaitWrites(there, 10*time.Second)
				served := s.firstAfter(there, healed)
				t.Logf("%v; the application on the island is served %v after the heal", n, served)
				s.bound("island "+way.name+": service after the heal", served, 100*time.Millisecond)
				s.await(10*time.Second, m+" as a replica", func() bool { return s.linkUp(m) })
			}
			t.Logf("%d acknowledged writes of the mainland lost", s.lost(w))
		})
	}
}

// part cuts a node, and the guests beside it, from all others: what comes from there, what goes there, or both.
func (s *Site) part(m string, from, to bool) {
	s.t.Helper()
	for _, here := range []string{m, islander, lookout} {
		for _, other := range append(s.others(m), stage.ClientName, onlooker) {
			if from {
				s.must(s.CutPath(other, here))
			}
			if to {
				s.must(s.CutPath(here, other))
			}
		}
	}
}

// TestOnlookerConvicts gives two hosts the group's address by hand, with no gate to keep the second silent and nobody awake
// to take it off: the onlooker that stands behind every other test must see it, in what is said and in who serves.
func TestOnlookerConvicts(t *testing.T) {
	s := newSite(t, Plan{Extra: "    gate: \"off\"\n"})
	s.shared = true
	m := s.awaitReady(10 * time.Second)
	other := s.others(m)[0]
	s.freezeAgent(other)
	time.Sleep(50 * time.Millisecond) // its threads stop one after the other
	s.must(s.Host(other).AddAddress(s.whole()))
	time.Sleep(300 * time.Millisecond)
	s.must(s.Host(other).RemoveAddress(s.whole()))
	s.thawAgent(other)
}
