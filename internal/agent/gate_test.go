package agent

import (
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/act/gate"
	"redkeep/internal/act/vip"
	"redkeep/internal/decide"
	"redkeep/internal/speak/config"
	"redkeep/internal/stage/need"
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
	a := inNamespace(t)
	g := a.have(config.Group{Name: "orders", Gate: config.GateOn}, "10.77.0.100")
	g.conf.Server.Port, g.conf.Server.TLS.Port = 6379, 6380
	for _, mode := range []gate.Mode{gate.Shut, gate.Leased, gate.Opened} {
		before := gate.Want{Mode: mode, Ports: []uint16{6379}, Addresses: []netip.Addr{netip.MustParseAddr("10.77.0.99")}, Watch: true}
		if err := a.gate.Set("orders", before); err != nil {
			t.Fatal(err)
		}
		found, _ := a.gateFound(g)
		if err := a.tellGate(g, found); err != nil || found.Mode != modeFound(mode) {
			t.Errorf("%s: found %v, %v", mode, found, err)
		}
		state, err := a.gate.State("orders")
		if w := state.Want; err != nil || w.Mode != mode || w.Watch || !slices.Equal(w.Ports, []uint16{6379, 6380}) || len(w.Addresses) != 1 || w.Addresses[0] != g.conf.VIPs[0].Addr {
			t.Errorf("%s: the kernel has %+v, %v", mode, w, err)
		}
	}
	g.conf.Gate = config.GateOff
	found, _ := a.gateFound(g)
	if err := a.tellGate(g, found); err != nil {
		t.Fatal(err)
	}
	if state, err := a.gate.State("orders"); err == nil {
		t.Errorf("gate: off, and the kernel has %+v", state.Want)
	}
}

// TestAnAddressChangesItsGroup has the group that is told first get what the other one had.
func TestAnAddressChangesItsGroup(t *testing.T) {
	a := inNamespace(t)
	moved, other := netip.MustParseAddr("10.77.0.100"), netip.MustParseAddr("10.77.0.101")
	for port, of := range map[uint16]words.Group{6379: "jobs", 6380: "orders"} {
		g := a.have(config.Group{Name: of, Gate: config.GateOn}, map[words.Group]string{"jobs": "10.77.0.100", "orders": "10.77.0.101"}[of])
		g.conf.Server.Port = port
	}
	a.order = []words.Group{"jobs", "orders"}
	found := map[words.Group]decide.GateState{"jobs": {Mode: decide.GateShut}, "orders": {Mode: decide.GateShut}}
	if err := a.gate.Set("orders", gate.Want{Mode: gate.Shut, Ports: []uint16{6380}, Addresses: []netip.Addr{moved}}); err != nil {
		t.Fatal(err)
	}
	if err := a.tellGates(found); err != nil {
		t.Fatal(err)
	}
	jobs, err1 := a.gate.State("jobs")
	orders, err2 := a.gate.State("orders")
	if err1 != nil || err2 != nil || jobs.Want.Addresses[0] != moved || orders.Want.Addresses[0] != other {
		t.Errorf("jobs %+v %v, orders %+v %v", jobs.Want, err1, orders.Want, err2)
	}
	// What a third group has, which is in no file any more, nobody gives away.
	if err := a.gate.Set("old", gate.Want{Mode: gate.Shut, Ports: []uint16{6381}}); err != nil {
		t.Fatal(err)
	}
	a.groups["jobs"].conf.Server.Port = 6381
	if err := a.tellGates(found); err == nil || !strings.Contains(err.Error(), "port 6381 belongs to old; what") {
		t.Errorf("%v", err)
	}
}

// TestLeftoversOfAnotherFile has the address that the group had before, and what the host has of it for good.
func TestLeftoversOfAnotherFile(t *testing.T) {
	a := inNamespace(t)
	a.log = slog.New(slog.DiscardHandler)
	g := a.have(config.Group{Name: "orders", Gate: config.GateOn}, "10.77.0.100")
	a.opt.Config = &config.Config{Groups: []config.Group{g.conf}}
	now, before := netip.MustParseAddr("10.77.0.100"), netip.MustParseAddr("10.77.0.99")
	left, err := vip.Open(vip.Config{Group: "orders", Addresses: []vip.Address{{Addr: now, Dev: "lo"}}})
	if err != nil {
		t.Fatal(err)
	}
	old, err := vip.Open(vip.Config{Group: "orders", Addresses: []vip.Address{{Addr: before, Dev: "lo"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = left.Close(), old.Close() }()
	if err := errors.Join(left.Set(t.Context(), true, time.Minute), old.Set(t.Context(), true, time.Minute)); err != nil {
		t.Fatal(err)
	}
	for _, told := range []netip.Addr{now, before} {
		if err := a.gate.Set("orders", gate.Want{Mode: gate.Shut, Ports: []uint16{6379}, Addresses: []netip.Addr{told}}); err != nil {
			t.Fatal(err)
		}
		a.dropLeftovers(t.Context())
		gone, err := vip.TakeOff([]netip.Addr{told})
		if here := len(gone) == 1; err != nil || here != (told == now) {
			t.Errorf("%s is here: %v, %v", told, here, err)
		}
	}
}

// inNamespace is an agent with a gate in a network namespace of its own.
func inNamespace(t *testing.T) *Agent {
	t.Helper()
	if os.Getuid() != 0 {
		need.Right(t, "network namespaces need root")
	}
	runtime.LockOSThread() // and never unlocked: the thread ends with the test, and its namespace with that
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	hand, err := gate.Open(t.Context(), gate.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hand.Close() })
	return &Agent{gate: hand, opt: Options{Self: config.Node{Name: "h1"}}, groups: map[words.Group]*groupWork{}}
}

// have adds a group with a server on this node and an address.
func (a *Agent) have(conf config.Group, addr string) *groupWork {
	conf.Data, conf.VIPs = []words.Node{"h1"}, []config.VIP{{Addr: netip.MustParseAddr(addr)}}
	g := &groupWork{conf: conf}
	a.groups[conf.Name] = g
	return g
}
