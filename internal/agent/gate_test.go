package agent

import (
	"net/netip"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/act/gate"
	"redkeep/internal/decide"
	"redkeep/internal/speak/config"
	"redkeep/internal/words"
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

// TestFoundGateFollowsTheFile is of agents that find a gate of an agent with another file.
func TestFoundGateFollowsTheFile(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("network namespaces need root")
	}
	runtime.LockOSThread() // and never unlocked: the thread ends with the test, and its namespace with that
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	hand, err := gate.Open(t.Context(), gate.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hand.Close() }()
	const self = "h1"
	a := &Agent{gate: hand, opt: Options{Self: config.Node{Name: self}}}
	g := &groupWork{conf: config.Group{Name: "orders", Data: []words.Node{self}, Gate: config.GateOn}}
	g.conf.Server.Port, g.conf.Server.TLS.Port = 6379, 6380
	g.conf.VIPs = []config.VIP{{Addr: netip.MustParseAddr("10.77.0.100")}}
	for _, mode := range []gate.Mode{gate.Shut, gate.Leased, gate.Opened} {
		before := gate.Want{Mode: mode, Ports: []uint16{6379}, Addresses: []netip.Addr{netip.MustParseAddr("10.77.0.99")}, Watch: true}
		if err := hand.Set("orders", before); err != nil {
			t.Fatal(err)
		}
		if found, err := a.gateFound(g); err != nil || found.Mode != modeFound(mode) {
			t.Errorf("%s: found %v, %v", mode, found, err)
		}
		state, err := hand.State("orders")
		if w := state.Want; err != nil || w.Mode != mode || w.Watch || !slices.Equal(w.Ports, []uint16{6379, 6380}) || len(w.Addresses) != 1 || w.Addresses[0] != g.conf.VIPs[0].Addr {
			t.Errorf("%s: the kernel has %+v, %v", mode, w, err)
		}
	}
	g.conf.Gate = config.GateOff
	if _, err := a.gateFound(g); err != nil {
		t.Fatal(err)
	}
	if state, err := hand.State("orders"); err == nil {
		t.Errorf("gate: off, and the kernel has %+v", state.Want)
	}
}
