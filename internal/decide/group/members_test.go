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
