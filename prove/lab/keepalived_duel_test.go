package lab

import (
	"testing"
	"time"

	"redkeep/internal/stage/clock"
)

// duels are ours beside the real one, in each dialect.
func duels() (all []routerCase) {
	for _, d := range dialects {
		all = append(all,
			routerCase{name: "wins/" + d.name, play: func(t *testing.T) { duelWins(t, d) }},
			routerCase{name: "losses/" + d.name, play: func(t *testing.T) { duelLosses(t, d) }},
			routerCase{name: "killed/" + d.name, play: func(t *testing.T) { duelKilled(t, d) }},
			routerCase{name: "replaced/" + d.name, play: func(t *testing.T) { duelReplaced(t, d) }, long: d.name != "v2"},
		)
	}
	return all
}

// duelLimit is how long a change may take: three intervals and a skew, a probe, and what a busy machine adds.
const duelLimit = 12 * time.Second

// duelWins has each win by priority, by preemption and by the other's stop.
func duelWins(t *testing.T, d dialect) {
	s := newRouterSite(t, d, "h1", "h2")
	// By priority, from the same start.
	at := clock.Now()
	s.start("h1", oursKind, 200)
	s.start("h2", realKind, 100)
	s.holder("h1", at, duelLimit)
	s.never("ours wins by priority", s.begun)
	// By the other's stop: ours takes the address off before it says that it leaves.
	at = s.stop("h1")
	took := s.holder("h2", at, duelLimit).Sub(at)
	s.never("ours stops", at)
	t.Logf("ours stopped: keepalived answers after %v", took)
	// By preemption: ours claims, and waits until nobody has the address any more.
	at = clock.Now()
	s.start("h1", oursKind, 200)
	s.holder("h1", at, duelLimit)
	s.never("ours preempts", at)
	s.stop("h2")
	s.stop("h1")

	// The same for the other one.
	at = clock.Now()
	s.start("h1", oursKind, 100)
	s.start("h2", realKind, 200)
	s.holder("h2", at, duelLimit)
	s.never("keepalived wins by priority", at)
	at = s.stop("h2")
	took = s.holder("h1", at, duelLimit).Sub(at)
	s.never("keepalived stops", at)
	t.Logf("keepalived stopped: ours answers after %v", took)
	at = clock.Now()
	s.start("h2", realKind, 200)
	s.holder("h2", at, duelLimit)
	s.theirs("keepalived preempts", at, 30*time.Millisecond)
}

// duelLosses has each lose its link.
func duelLosses(t *testing.T, d dialect) {
	s := newRouterSite(t, d, "h1", "h2")
	s.start("h1", oursKind, 200)
	s.start("h2", realKind, 100)
	s.holder("h1", s.begun, duelLimit)
	at := clock.Now()
	s.must(s.Host("h1").SetLink(false))
	s.await(duelLimit, "h2 as the holder", func() bool { return s.alone("h2") })
	s.never("ours loses its link", at)
	s.says("h1", duelLimit, "state=FAULT")
	if d.vip.Is6() { // The kernel has forgotten the host's own address with the link.
		return
	}
	at = clock.Now()
	s.must(s.Host("h1").SetLink(true))
	s.holder("h1", at, duelLimit)
	s.never("ours gets its link back", at)
	// The other's: ours was the backup.
	s.stop("h1")
	s.holder("h2", at, duelLimit)
	s.start("h1", oursKind, 50)
	s.says("h1", duelLimit, "state=BACKUP")
	at = clock.Now()
	s.must(s.Host("h2").SetLink(false))
	s.holder("h1", at, duelLimit)
	s.never("keepalived loses its link", at)
}

// duelKilled kills and freezes ours, whose address goes by itself before the other one's turn; and the other one, whose address nobody takes
// off, and which ours must not put on beside it.
func duelKilled(t *testing.T, d dialect) {
	s := newRouterSite(t, d, "h1", "h2")
	s.start("h1", oursKind, 254)
	s.start("h2", realKind, 253)
	s.holder("h1", s.begun, duelLimit)
	at := s.kill("h1")
	took := s.holder("h2", at, duelLimit).Sub(at)
	s.never("ours is killed", at)
	t.Logf("ours killed: keepalived answers after %v", took)

	s.start("h1", oursKind, 254)
	s.holder("h1", clock.Now(), duelLimit)
	at = clock.Now()
	s.must(s.running["h1"].Freeze())
	s.holder("h2", at, duelLimit)
	s.never("ours is frozen", at)
	thaw := clock.Now()
	s.must(s.running["h1"].Thaw())
	s.holder("h1", thaw, duelLimit) // It has the higher priority.
	s.never("ours goes on", at)

	s.stop("h1")
	s.holder("h2", clock.Now(), duelLimit)
	s.start("h1", oursKind, 100)
	s.says("h1", duelLimit, "state=BACKUP")
	at = s.kill("h2")
	s.says("h1", duelLimit, "address taken")
	s.never("keepalived is killed", at)
	if s.has("h1") || !s.has("h2") {
		t.Error("the address that keepalived leaves when it is killed has a second holder")
	}
	s.must(s.PowerOff("h2"))
	s.holderThere("h1", at)
}

// duelReplaced replaces a pair of keepalived host by host, and goes back.
func duelReplaced(t *testing.T, d dialect) {
	s := newRouterSite(t, d, "h1", "h2")
	s.start("h1", realKind, 200)
	s.start("h2", realKind, 100)
	s.holder("h1", s.begun, duelLimit)
	for _, step := range []struct {
		kind       routerKind
		host, then string
		priority   int
	}{
		{oursKind, "h2", "h1", 100}, // the backup first: nothing moves
		{oursKind, "h1", "h1", 200}, // then the master: the address goes over and comes back
		{realKind, "h1", "h1", 200}, // and back again, the master first
		{realKind, "h2", "h1", 100},
	} {
		from := s.stop(step.host)
		if step.host == "h1" {
			s.holder("h2", from, duelLimit)
		}
		begun := clock.Now()
		s.start(step.host, step.kind, step.priority)
		s.holder(step.then, begun, duelLimit)
		time.Sleep(d.interval * 3 / 2) // Who has heard no advertisement yet waits for three of them, also when the master leaves.
		if step.kind == realKind && step.host == "h1" {
			s.theirs("keepalived preempts", begun, 30*time.Millisecond)
		} else {
			s.never("replaced "+step.host+" by "+string(step.kind), from)
		}
		t.Logf("%s is %s: nobody answered for %v at the most", step.host, step.kind, s.silent(from, clock.Now()))
	}
}
