package lab

import (
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
)

// Below a second the kernel's lives of addresses are too long, and the gate has the address silent before the other one's turn.

// fastDialects advertise five times a second.
var fastDialects = []dialect{
	{name: "v3 fast", lines: "version 3\nadvert_int 0.2", vip: stage.VIP, interval: 200 * time.Millisecond},
	{name: "ipv6 fast", lines: "version 3\nadvert_int 0.2", vip: stage.VIP6, interval: 200 * time.Millisecond},
}

// fasts are ours killed and frozen at 200 ms, beside another of ours and beside the real one.
func fasts() (all []routerCase) {
	for _, d := range fastDialects {
		all = append(all,
			routerCase{name: "killed/" + d.name, play: func(t *testing.T) { fastKilled(t, d, realKind) }},
			routerCase{name: "killed beside ours/" + d.name, play: func(t *testing.T) { fastKilled(t, d, oursKind) }, long: d.vip.Is6()},
			routerCase{name: "frozen/" + d.name, play: func(t *testing.T) { fastFrozen(t, d) }},
			routerCase{name: "followed/" + d.name, play: func(t *testing.T) { fastFollowed(t, d) }, long: d.vip.Is6()},
		)
	}
	return append(all, routerCase{name: "steady/fast", play: fastSteady})
}

// fastSteady has one of ours stand, at an interval of 200 and one of 50 ms, while somebody loads rules of his own, which takes the gate away.
func fastSteady(t *testing.T) {
	s := newRouterSite(t, fastDialects[0], "h1")
	for _, interval := range []string{"0.2", "0.05"} {
		s.dialect.lines = "version 3\nadvert_int " + interval
		at := clock.Now()
		s.start("h1", oursKind, 254)
		from := s.holder("h1", at, duelLimit)
		time.Sleep(time.Second)
		(&Site{Stage: s.Stage, t: t}).run("h1", "nft", "flush", "ruleset")
		time.Sleep(time.Second)
		to := clock.Now()
		silent := s.silent(from, to)
		t.Logf("at %s: nobody answered for %v at the most", interval, silent)
		if silent > 50*time.Millisecond && s.watch.Worst(from, to) < disturbed {
			t.Errorf("the address of a master that stands was silent for %v", silent)
		}
		if rules := s.rules("h1"); !strings.Contains(rules, "table arp redkeep_keepalived") {
			t.Errorf("the gate is not made again: %s", rules)
		}
		s.stop("h1")
	}
}

// fastKilled kills ours, which comes back each time and takes the address again. The other one has the least skew that there is.
func fastKilled(t *testing.T, d dialect, beside routerKind) {
	s := newRouterSite(t, d, "h1", "h2")
	n := &numbers{name: "redkeep keepalived killed at advert_int 0.2 beside " + string(beside) + ", until the other answers"}
	s.start("h2", beside, 253)
	for range runs(3, 20) {
		at := clock.Now()
		s.start("h1", oursKind, 254)
		s.holder("h1", at, duelLimit)
		s.never("ours takes the address", at)
		time.Sleep(pick(2*d.interval, 5*d.interval))
		at = s.kill("h1")
		n.add(s.holder("h2", at, duelLimit).Sub(at), s.watch.Worst(at, clock.Now()))
		s.never("ours is killed", at)
	}
	t.Log(n)
}

// fastFrozen freezes ours, for so long that its address is gone from its device, and for so long only that it is still there.
func fastFrozen(t *testing.T, d dialect) {
	s := newRouterSite(t, d, "h1", "h2")
	s.start("h1", oursKind, 254)
	s.start("h2", realKind, 253)
	s.holder("h1", s.begun, duelLimit)
	for i := range runs(4, 20) {
		at := clock.Now()
		s.must(s.running["h1"].Freeze())
		if i%2 == 0 {
			s.holder("h2", at, duelLimit)
		} else {
			s.holderThere("h2", at)
			if !s.has("h1") {
				t.Log("the address was gone from its device before it was looked for")
			}
		}
		s.never("ours is frozen", at)
		thaw := clock.Now()
		s.must(s.running["h1"].Thaw())
		s.holder("h1", thaw, duelLimit)
		s.never("ours goes on", at)
	}
}

// fastFollowed has the real one take the place of ours on its host: after a SIGKILL, when the gate that is left must let it answer soon, and after an
// orderly end, when nothing is left.
func fastFollowed(t *testing.T, d dialect) {
	s := newRouterSite(t, d, "h1", "h2")
	s.start("h1", oursKind, 254)
	s.holder("h1", s.begun, duelLimit)
	time.Sleep(d.interval)
	at := s.kill("h1")
	s.start("h1", realKind, 254)
	took := s.holder("h1", at.Add(4*d.interval), duelLimit).Sub(at)
	t.Logf("keepalived in the place of ours that was killed: it is heard after %v", took)
	s.stop("h1")
	if rules := s.rules("h1"); !strings.Contains(rules, "table inet redkeep_keepalived") {
		t.Errorf("the tables of a program that was killed are there until the next one: %s", rules)
	}

	at = clock.Now()
	s.start("h1", oursKind, 254)
	s.holder("h1", at, duelLimit)
	s.stop("h1")
	if rules := s.rules("h1"); rules != "" {
		t.Errorf("left behind after the end: %s", rules)
	}
	slow := d
	slow.lines = strings.Replace(d.lines, "0.2", "1", 1)
	s.dialect = slow
	at = clock.Now()
	s.start("h1", oursKind, 254)
	s.holder("h1", at, duelLimit)
	if rules := s.rules("h1"); rules != "" {
		t.Errorf("made for an interval that needs none: %s", rules)
	}
}

// rules are those of a host's packet filter.
func (s *routerSite) rules(h string) string {
	s.t.Helper()
	return (&Site{Stage: s.Stage, t: s.t}).ruleset(h)
}
