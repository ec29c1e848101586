package sim

import (
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// idle is a machine that does nothing: what happens is the simulator's own doing.
type idle struct{ self words.Node }

func (idle) Step(words.Instant, decide.Event) []decide.Action { return nil }
func (idle) Wake() (words.Instant, bool)                      { return 0, false }
func (i idle) Picture() picture.Group                         { return picture.Group{Self: i.self} }

func idleBirth(s decide.Setup, _ decide.Boot) Machine { return idle{s.Self} }

// rash promotes its server without asking anybody as soon as it is told of a second loss of the network.
type rash struct {
	idle
	run words.RunID
	up  bool
}

func (r *rash) Step(_ words.Instant, ev decide.Event) []decide.Action {
	seen, ok := ev.(decide.Seen)
	if !ok {
		return nil
	}
	if seen.Server.Role == words.RoleReplica && !seen.Server.LinkUp && !r.up {
		r.up = true
		return []decide.Action{decide.Arm{Ticket: 1, For: time.Minute}, decide.SetGate{Ticket: 2, Gate: decide.GateState{Mode: decide.GateSlot}},
			decide.Instruct{Ticket: 3, Order: decide.Promote{RunID: seen.Server.RunID}}}
	}
	return nil
}

func TestServersReplicateAndAcknowledge(t *testing.T) {
	var w *World
	o := Run(Plan{Seed: 1, Birth: idleBirth, Voters: 3, Data: 3, Groups: 1, Calm: true, Tame: true, NoRest: true, Length: 5 * time.Second,
		Script: func(x *World) { w = x }})
	m, r := w.hosts[0].servers[0], w.hosts[1].servers[0]
	if len(o.Findings) > 0 || o.Acks < 500 || len(m.data)-len(r.data) > 5 || r.pos.ReplID != m.pos.ReplID {
		o.Print(t.Output())
		t.Fatalf("%d acknowledged, master %d writes, replica %d", o.Acks, len(m.data), len(r.data))
	}
}

func TestAJudgeConvictsARashMachine(t *testing.T) {
	birth := func(s decide.Setup, _ decide.Boot) Machine { return &rash{idle: idle{s.Self}} }
	o := Run(Plan{Seed: 1, Birth: birth, Voters: 3, Data: 3, Groups: 1, Calm: true, Tame: true, NoRest: true, Length: 5 * time.Second,
		Script: func(w *World) { w.hosts[1].servers[0].link.cut(); w.net.isolate(1, true, false) }})
	if len(o.Findings) == 0 {
		o.Print(t.Output())
		t.Fatal("two masters, and no finding")
	}
}

func TestASeedIsARun(t *testing.T) {
	p := Plan{Seed: 7, Birth: idleBirth, NoRest: true, Length: 5 * time.Second}
	a, b := Run(p), Run(p)
	if a.Acks != b.Acks || a.Steps != b.Steps || a.Faults != b.Faults {
		t.Fatalf("two runs of one seed differ: %+v %+v", a, b)
	}
}
