package repair

import (
	"net/netip"
	"testing"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

var (
	shut   = decide.GateState{Mode: decide.GateShut}
	open   = decide.GateState{Mode: decide.GateOpen}
	absent = decide.GateState{Mode: decide.GateAbsent}
	lent   = decide.GateState{Mode: decide.GateOpen, For: ReadsFor}
)

// group is the view of a node whose server is the holder's verified replica, changed by edits.
func group(edits ...func(*View)) View {
	v := View{
		Self: "b", Known: true, Leased: true, Held: true, Gate: open, Confirmed: "r",
		Row:    words.Row{Epoch: 3, Holder: "a", ReplID: "z", From: 100},
		Master: netip.MustParseAddrPort("10.0.0.1:6379"),
		Record: words.Record{Epoch: 3},
		Server: words.Server{RunID: "r", Role: words.RoleReplica, Master: "10.0.0.1", MasterPort: 6379, Keys: 5, BornFenced: true},
	}
	for _, e := range edits {
		e(&v)
	}
	return v
}

func strays(v *View) { v.Server.Master = "10.0.0.9" }

func sealed(v *View) { v.Server.Master, v.Server.MasterPort = words.DeadEnd, words.DeadEndPort }

func master(v *View) { v.Server.Role, v.Server.Master, v.Gate = words.RoleMaster, "", shut }

func restarted(v *View) { v.Confirmed, v.Server.RunID, v.Gate = "r", "new", shut }

func orphaned(v *View) { v.Held = false }

func TestPlans(t *testing.T) {
	for _, c := range []struct {
		name    string
		view    View
		gate    decide.GateState
		follow  words.Node
		why     words.Code
		confirm bool
		demoted bool
	}{
		{name: "a group never leased is not touched", view: group(master, func(v *View) { v.Leased, v.Gate = false, absent }), gate: absent},
		{name: "a server not seen is shut", view: group(func(v *View) { v.Known = false }), gate: shut},
		{name: "the holder's replica serves its readers", view: group(), gate: open, confirm: true},
		{name: "for ten minutes where a restart would make it a master", view: group(func(v *View) { v.Server.BornFenced = false }), gate: lent, confirm: true},
		{name: "the replica of another is led to the holder, its readers stay", view: group(strays), gate: open, follow: "a"},
		{name: "a restarted one is shut, and led", view: group(sealed, restarted), gate: shut, follow: "a"},
		{name: "with no holder, a verified replica keeps its readers", view: group(sealed, orphaned), gate: open},
		{name: "with no holder, a restarted one is shut", view: group(sealed, orphaned, restarted), gate: shut},
		{name: "with no holder, a master is shut", view: group(master, orphaned, func(v *View) { v.Gate = open }), gate: shut},
		{name: "one that held the lease is demoted, some time after", view: group(master, orphaned, func(v *View) { v.Lapsed = true }), gate: shut, demoted: true},
		{name: "and follows at once where there is a holder", view: group(master, func(v *View) { v.Lapsed = true }), gate: shut, follow: "a"},
		{name: "a replica is not demoted", view: group(sealed, orphaned, func(v *View) { v.Lapsed = true }), gate: open},
		{name: "an old master follows, and says what it loses", view: group(master, func(v *View) { v.Beyond = 7 }), gate: shut, follow: "a", why: words.LosesBytes},
		{name: "one that loads is waited for", view: group(master, func(v *View) { v.Server.Loading = true }), gate: shut, why: words.ServerLoading},
		{name: "one whose keys are not known is waited for", view: group(master, func(v *View) { v.Server.Keys = -1 }), gate: shut, why: words.ServerLoading},
		{name: "a stranger with data stays out", view: group(master, stranger), gate: shut, why: words.ServerForeign},
		{name: "and so does a stranger's replica with data", view: group(stranger, strays, func(v *View) { v.Confirmed, v.Gate = "", shut }), gate: shut, why: words.ServerForeign},
		{name: "unless a person chose", view: group(master, stranger, func(v *View) { v.Chosen = true }), gate: shut, follow: "a"},
		{name: "an empty stranger follows", view: group(master, stranger, func(v *View) { v.Server.Keys = 0 }), gate: shut, follow: "a"},
	} {
		p := Next(c.view)
		order, _ := p.Order.(decide.Follow)
		if p.Gate.String() != c.gate.String() || order.Node != c.follow || p.Why.Code != c.why || p.Confirm != c.confirm {
			t.Errorf("%s: gate %v, follow %q, why %q, confirm %v; want %v, %q, %q, %v", c.name, p.Gate, order.Node, p.Why.Code, p.Confirm, c.gate, c.follow, c.why, c.confirm)
		}
		if d, demoted := p.Order.(decide.Demote); demoted != c.demoted || demoted && d.RunID != c.view.Server.RunID {
			t.Errorf("%s: demoted %v (%q)", c.name, demoted, d.RunID)
		}
		if p.Order != nil && !c.demoted && order.RunID != c.view.Server.RunID {
			t.Errorf("%s: the order names process %q", c.name, order.RunID)
		}
	}
}

func stranger(v *View) { v.Beyond, v.Record = -1, words.Record{} }
