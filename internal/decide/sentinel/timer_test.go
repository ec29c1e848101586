package sentinel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"redkeep/internal/words"
)

// TestTimersAreInOrder sets, moves and takes out timers at random, and compares the queue with a list.
func TestTimersAreInOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	m := &Machine{}
	all := make([]timer, 300)
	for step := range 50_000 {
		one := &all[r.IntN(len(all))]
		at := words.Instant(r.IntN(1000))
		switch r.IntN(4) {
		case 0:
			m.sleep(one)
		case 1:
			m.rouse(one, at)
		default:
			m.settle(one, at)
		}
		if step%97 != 0 {
			continue
		}
		first, set := words.Never, 0
		for i := range all {
			if all[i].place == 0 {
				continue
			}
			set++
			first = min(first, all[i].due)
			if e := m.queue[all[i].place-1]; e.timer != &all[i] || e.due != all[i].due {
				t.Fatalf("step %d: timer %d is not where it says", step, i)
			}
		}
		if set != len(m.queue) || m.Wake() != first {
			t.Fatalf("step %d: %d of %d timers, the first at %v instead of %v", step, len(m.queue), set, m.Wake(), first)
		}
	}
	var order []words.Instant
	for len(m.queue) > 0 {
		order = append(order, m.Wake())
		m.sleep(m.queue[0].timer)
	}
	if !slices.IsSorted(order) {
		t.Error("they come out of order")
	}
}

func TestPressing(t *testing.T) {
	w := site(t, 1, 2, 3, 2)
	b := w.members[0]
	if b.m.Pressing() {
		t.Error("it presses while nothing happens")
	}
	w.die(1)
	for range 100 {
		w.run(100 * 1e6)
		if b.heard("+sdown") > 0 {
			break
		}
	}
	if b.heard("+sdown") == 0 || !b.m.Pressing() {
		t.Errorf("the loss of a master does not press: %q", b.events)
	}
	w.run(60 * 1e9)
	if b.m.Pressing() {
		t.Error("it still presses")
	}
}

// TestSameWayTwice: the same events have the same actions in the same order, also those that are about everybody.
func TestSameWayTwice(t *testing.T) {
	play := func() string {
		s := State{MyID: idOf(1)}
		for i := range 3 {
			g := watching(fmt.Sprint("orders", i), 1+i, 2)
			for j := range 8 {
				g.Replicas = append(g.Replicas, here(100+10*i+j))
				g.Sentinels = append(g.Sentinels, Peer{here(200 + j), idOf(200 + j)})
			}
			s.Groups = append(s.Groups, g)
		}
		m := New(Setup{Random: func() uint64 { return 1 }}, s)
		var all strings.Builder
		step := func(at time.Duration, ev Event) {
			for _, a := range m.Step(words.Instant(time.Hour+at), ev) {
				fmt.Fprintf(&all, "%T %v\n", a, a)
			}
		}
		step(0, Began{})
		step(time.Second, Asked{1, Configure{Option: "sentinel-pass", Text: "x"}})
		step(2*time.Second, Asked{2, SetPeriod{"ping-period", 100 * time.Millisecond}})
		step(time.Minute, Passed{}) // tilt
		step(2*time.Minute, Passed{})
		return all.String()
	}
	first := play()
	for range 5 {
		if play() != first {
			t.Fatal("the order is another one each time")
		}
	}
}
