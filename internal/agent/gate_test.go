package agent

import (
	"testing"
	"time"

	"redkeep/internal/act/gate"
	"redkeep/internal/decide"
	"redkeep/internal/speak/config"
)

// TestFoundGate reads back what the hand was told: an opening by hand, for ten minutes, must not be taken for one without end.
func TestFoundGate(t *testing.T) {
	g := &groupWork{conf: config.Group{Server: config.Server{Port: 6379}}}
	for _, s := range []decide.GateState{
		{Mode: decide.GateAbsent},
		{Mode: decide.GateShut},
		{Mode: decide.GateSlot, Slot: 7},
		{Mode: decide.GateOpen},
		{Mode: decide.GateOpen, For: 10 * time.Minute},
		{Mode: decide.GateReplication},
	} {
		if got := stateFound(want(g, s)); got.String() != s.String() || got.For != s.For {
			t.Errorf("told %v, found %v", s, got)
		}
	}
	if got := stateFound(gate.Want{Mode: gate.Opened, For: time.Second}); got.For != time.Second {
		t.Errorf("an opening for a second was found as %v", got)
	}
}
