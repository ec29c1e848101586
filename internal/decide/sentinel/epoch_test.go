package sentinel

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestNobodyTakesTheLastEpoch: a question or a greeting of whoever likes to leaves room for elections, and quorums whole.
func TestNobodyTakesTheLastEpoch(t *testing.T) {
	for _, asks := range []bool{true, false} {
		w := site(t, 41, 2, 3, 2)
		w.run(12 * time.Second)
		for _, b := range w.members {
			if !asks {
				b.hail(w.members[0].port, lastEpoch, 2, lastEpoch)
			} else if a, ok := b.vote(lastEpoch, "someone"); !ok || a.Leader == "someone" {
				t.Errorf("it answers %+v, %v", a, ok)
			}
		}
		w.run(30 * time.Second)
		w.die(1)
		w.run(5 * time.Second)
		for _, b := range w.members {
			if e := b.ofGroup().configEpoch; b.heard("+switch-master") != 1 || e == 0 || e > 4*leap {
				t.Errorf("asked %v: %s is in epoch %d: %q", asks, b.name, e, b.events)
			}
		}
		first := w.members[0].ofGroup()
		for _, b := range w.members[1:] {
			if b.master() != w.members[0].master() || b.ofGroup().configEpoch != first.configEpoch {
				t.Errorf("%s is at %d in epoch %d", b.name, b.master(), b.ofGroup().configEpoch)
			}
		}
	}
}

// TestNewcomerAmongThoseFarAhead gets there a leap at a time, and not before has their configuration.
func TestNewcomerAmongThoseFarAhead(t *testing.T) {
	w := site(t, 42, 2, 1, 1)
	b := w.members[0]
	const far = 3*leap - 2
	for i, want := range []uint64{leap, leap, 2 * leap, far} {
		b.hail(105, far, 2, far)
		if got := b.m.currentEpoch; got != want {
			t.Errorf("%d: it is at %d and not at %d", i, got, want)
		}
		if e := b.ofGroup().configEpoch; (e == far) != (want == far) {
			t.Errorf("%d: it has the configuration of %d", i, e)
		}
		if i > 0 {
			w.run(leapPause)
		}
	}
}

// TestNoFailoverAfterTheLastEpoch: a file may have it; each try is told, and none is begun.
func TestNoFailoverAfterTheLastEpoch(t *testing.T) {
	w := site(t, 43, 2, 1, 1)
	b := w.members[0]
	b.kill()
	b.file.CurrentEpoch = lastEpoch
	b.start()
	w.run(12 * time.Second)
	if a := b.request(Failover{Group: "orders"}); a.Refusal != NoEpoch {
		t.Errorf("a person is told %v", a.Refusal)
	}
	w.die(1)
	w.run(time.Minute)
	if b.m.currentEpoch != lastEpoch || b.heard("+try-failover") != 0 {
		t.Errorf("it is at %d: %q", b.m.currentEpoch, b.events)
	}
	told := slices.DeleteFunc(b.notes, func(n string) bool { return !strings.HasPrefix(n, "No failover of orders") })
	if len(told) < 2 || len(told) > 5 {
		t.Errorf("it says so %d times: %q", len(told), told)
	}
}
