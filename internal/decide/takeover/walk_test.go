package takeover

import (
	"slices"
	"testing"

	"redkeep/internal/decide"
)

// order walks to the end.
func order(w *Walk) (steps []Step) {
	for s := w.Now(); s != End; s = w.Done() {
		steps = append(steps, s)
	}
	return steps
}

// TestOrders: the order is the safety, and a rule that is switched off shows as another order.
func TestOrders(t *testing.T) {
	for _, c := range []struct {
		name string
		walk func(decide.Rules) *Walk
		off  decide.Rule
		want []Step
	}{
		{"reads end before the promotion", Up, "", []Step{PointGate, Promote, TakeVIP, OpenRow}},
		{"without", Up, decide.ReadsOffFirst, []Step{Promote, PointGate, TakeVIP, OpenRow}},
		{"shut before released", Down, "", []Step{Shut, ResetSockets, DropVIP, Release}},
		{"without", Down, decide.CloseBeforeRel, []Step{Release, Shut, ResetSockets, DropVIP}},
		{"level after closed", Over, "", []Step{Prepare, Pause, Level, CloseClients, Reread, LevelAgain, KillClients}},
		{"without", Over, decide.LevelAfterClose, []Step{Prepare, Pause, Level, CloseClients, KillClients}},
	} {
		if got := order(c.walk(decide.Rules{c.off: true})); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestPast(t *testing.T) {
	w := Up(nil)
	if w.Past(PointGate) {
		t.Error("past a step that is being taken")
	}
	w.Done()
	if !w.Past(PointGate) || w.Past(Promote) || w.Past(Release) {
		t.Error("past says otherwise than the steps taken")
	}
	w.Done()
	w.Done()
	if w.Done() != End || w.Done() != End {
		t.Error("the end is not the end")
	}
}
