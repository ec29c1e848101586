package group

import (
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/decide/quorum"
	"redkeep/internal/words"
)

// TestListCoversTheGate takes voters in again while the gate rests on the one that was alone: they may elect by the new list
// once their own grants are over, so they must have granted what the gate points at.
func TestListCoversTheGate(t *testing.T) {
	all := []words.Node{"a", "b", "c"}
	start := words.Instant(time.Hour)
	m := New(decide.Setup{Self: "a", Voters: all, Data: all, Lease: time.Second}, decide.Boot{Session: 1, Register: words.Register{
		Admitted: true, Generation: 2, Members: []words.Node{"a"},
	}})
	m.Step(start, decide.Tick{})
	h := &holder{hold: quorum.NewHold(3, m.lasts()), open: true, row: words.Row{Epoch: 3, Holder: "a", ReplID: "x"}}
	m.holder, m.out = h, nil
	h.accepted = map[words.Node]bool{"a": true, "b": true, "c": true}
	h.hold.Sent(1, 1, start)
	h.hold.Sent(2, 2, start.Add(700*time.Millisecond))
	h.hold.Granted("a", 2)
	h.hold.Granted("b", 1)
	h.hold.Granted("c", 1)
	h.hold.Active = 2 // by the list {a}
	m.at = start.Add(710 * time.Millisecond)
	m.commitList()
	if h.committing {
		t.Fatal("the list was taken while the gate pointed at a request that its majority has not granted")
	}
	h.hold.Granted("c", 2)
	m.commitList()
	if !h.committing {
		t.Error("the list was not taken although its majority stands behind the gate")
	}
}

// TestReadmissionByTheNewestList takes the list of the latest generation; of several of the first its own; of several later ones none.
func TestReadmissionByTheNewestList(t *testing.T) {
	answer := func(generation uint64, members ...words.Node) decide.Readmitted {
		return decide.Readmitted{Generation: generation, Members: members}
	}
	own := []words.Node{"a", "b", "c"}
	for _, c := range []struct {
		name  string
		b, c  decide.Readmitted
		want  int // how many members the list has
		clash bool
	}{
		{"agreed", answer(1, "a", "b", "c"), answer(1, "c", "b", "a"), 3, false},
		{"one is newer", answer(2, "b"), answer(3, "b", "c"), 2, false},
		{"an old clash is over", answer(3, "a", "b"), answer(2, "c"), 2, false},
		{"files differ", answer(1, "a", "b"), answer(1, "a", "b", "c"), 3, false},
		{"two recovered", answer(2, "b"), answer(2, "c"), 1, true},
	} {
		a := &admission{answers: map[words.Node]decide.Readmitted{"b": c.b, "c": c.c}}
		best, clash := a.newestList(own)
		if len(best.Members) != c.want || clash != c.clash {
			t.Errorf("%s: %v of generation %d, clash %v", c.name, best.Members, best.Generation, clash)
		}
	}
}
