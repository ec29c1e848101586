package agent

import (
	"log/slog"
	"slices"
	"testing"

	"redkeep/internal/act/gate"
	"redkeep/internal/decide"
	"redkeep/internal/speak/config"
	"redkeep/internal/words"
)

// TestAnEditedPortLeavesNoServerOpen finds the gate in front of the port of the file before: the server is there still, perhaps a master. A
// port that another group has now is that group's.
func TestAnEditedPortLeavesNoServerOpen(t *testing.T) {
	a := inNamespace(t)
	a.log = slog.New(slog.DiscardHandler)
	orders := a.have(config.Group{Name: "orders", Gate: config.GateOn}, "10.77.0.100")
	jobs := a.have(config.Group{Name: "jobs", Gate: config.GateOn}, "10.77.0.101")
	orders.conf.Server.Port, jobs.conf.Server.Port = 6390, 6380
	a.order = []words.Group{"orders", "jobs"}
	if err := a.gate.Set("orders", gate.Want{Mode: gate.Leased, Slot: 3, Ports: []uint16{6379, 6380}}); err != nil {
		t.Fatal(err)
	}
	found := map[words.Group]decide.GateState{}
	found["orders"], _ = a.gateFound(orders)
	found["jobs"], _ = a.gateFound(jobs)
	if err := a.tellGates(found); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []decide.GateMode{decide.GateSlot, decide.GateShut} {
		if err := a.gate.Set("orders", want(orders, decide.GateState{Mode: mode, Slot: 3})); err != nil {
			t.Fatal(err)
		}
		state, err := a.gate.State("orders")
		if err != nil || !slices.Equal(state.Want.Ports, []uint16{6379, 6390}) {
			t.Errorf("mode %v: the gate is in front of %v, %v", mode, state.Want.Ports, err)
		}
	}
	if state, err := a.gate.State("jobs"); err != nil || !slices.Equal(state.Want.Ports, []uint16{6380}) {
		t.Errorf("jobs has %v, %v", state.Want.Ports, err)
	}
}
