package lab

import (
	"testing"
	"time"

	"redkeep/internal/stage/clock"
)

// TestCut cuts the master's host off: both ways, deaf, and mute. Another takes over after a lease at the latest, and the
// host follows when it is healed.
func TestCut(t *testing.T) {
	s := newSite(t, Plan{})
	w := s.write()
	ways := []struct {
		name string
		cut  func(string) error
	}{{"cut off", s.Cut}, {"deaf", s.CutInbound}, {"mute", s.CutOutbound}}
	for _, way := range ways {
		n := &numbers{name: way.name}
		m := s.awaitReady(15 * time.Second)
		time.Sleep(freshCopy)
		at := clock.Now()
		s.must(way.cut(m))
		s.mark("%s %s", m, way.name)
		s.awaitWrites(w, 10*time.Second)
		s.bound(way.name, s.measure(w, at, n).Length(), s.plan.Lease+100*time.Millisecond)
		s.must(s.Heal(m))
		s.mark("%s healed", m)
		s.await(10*time.Second, m+" as a replica", func() bool { return s.linkUp(m) })
		s.reports(m, s.awaitMaster(10*time.Second))
		t.Log(n)
	}
	t.Logf("%d acknowledged writes lost", s.lost(w))
}

// TestDeafForLong leaves the master's host deaf: it is heard all the time, and must not hold the others up.
func TestDeafForLong(t *testing.T) {
	s := newSite(t, Plan{})
	w := s.write()
	m := s.awaitReady(10 * time.Second)
	time.Sleep(freshCopy)
	at := clock.Now()
	s.must(s.CutInbound(m))
	s.mark("%s is deaf", m)
	s.awaitWrites(w, 10*time.Second)
	n := &numbers{name: "deaf"}
	s.measure(w, at, n)
	after := clock.Now()
	time.Sleep(pick(3*time.Second, time.Minute))
	later := &numbers{name: "while it stays deaf"}
	s.bound("a deaf host's disturbance", s.measure(w, after, later).Length(), 100*time.Millisecond)
	t.Log(n)
	t.Log(later)
	s.must(s.HealAll())
	s.await(10*time.Second, m+" as a replica", func() bool { return s.linkUp(m) })
	t.Logf("%d acknowledged writes lost", s.lost(w))
}

// TestCutBetweenTwo cuts two hosts from each other, each pair in turn; in short one with the master and one without. The third hears both, so nobody is needed anew.
func TestCutBetweenTwo(t *testing.T) {
	s := newSite(t, Plan{})
	w := s.write()
	m := s.awaitReady(10 * time.Second)
	time.Sleep(3 * s.plan.Lease) // a voter that came late to the first start votes and grants by then
	a, b := s.others(m)[0], s.others(m)[1]
	for _, pair := range few([][2]string{{m, a}, {m, b}, {a, b}}, 0, 2) {
		n := &numbers{name: pair[0] + " cut from " + pair[1]}
		at := clock.Now()
		s.must(s.CutBetween(pair[0], pair[1]))
		s.mark("%s cut from %s", pair[0], pair[1])
		time.Sleep(3 * s.plan.Lease)
		s.must(s.HealAll())
		s.mark("healed")
		if now := s.awaitReady(20 * time.Second); now != m {
			t.Errorf("%s: %s is master, and was not before", n.name, now)
		}
		s.measure(w, at, n)
		t.Log(n)
	}
	s.lossless(w)
}
