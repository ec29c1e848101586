package sim

import (
	"fmt"
	"slices"
	"time"

	"redkeep/internal/decide"
)

// Fault names something that goes wrong, or that a person asks for.
type Fault string

// The faults of the mixtures.
const (
	ServerKill   Fault = "server killed"
	ServerEmpty  Fault = "server restarted empty"
	ServerStop   Fault = "server stopped"
	ServerBusy   Fault = "server busy"
	SyncThenKill Fault = "server killed after a resync"
	AgentKill    Fault = "agent killed"
	AgentFreeze  Fault = "agent frozen"
	AgentsAll    Fault = "all agents restarted"
	BothFreeze   Fault = "agent and server frozen"
	PowerOff     Fault = "host off"
	CutOneWay    Fault = "one-way cut"
	CutBothWays  Fault = "cut"
	Isolate      Fault = "host cut off"
	Partition    Fault = "partition"
	Deaf         Fault = "host hears nothing"
	Loss         Fault = "loss"
	Slow         Fault = "slow path"
	DiskSlow     Fault = "slow disk"
	DiskFails    Fault = "failing disk"
	StoreLost    Fault = "store lost"
	StoreBack    Fault = "store rolled back"
	Flush        Fault = "gate flushed"
	Switch       Fault = "switchover"
	StopAgent    Fault = "agent stopped by a person"
	Suspend      Fault = "agent restarted by a person"
	EditLease    Fault = "lease edited"
	TwoAgents    Fault = "second agent"
	VIPTaken     Fault = "address taken away"
	VIPFails     Fault = "address can't be set"
	VIPSlow      Fault = "address set slowly"
	Stranger     Fault = "stranger has the address"
	PauseGroup   Fault = "paused by a person"
)

// Weight is how often a fault comes, against the others of its mixture.
type Weight struct {
	Fault  Fault
	Weight int
}

// Mixture is what a run's faults are drawn from, and how long there is between two of them.
type Mixture struct {
	Weights []Weight
	Every   time.Duration
	// Freezes is the chance that an agent is frozen right after a step that had actions.
	Freezes float64
	// Lasting is the chance that a network fault stays until the faults end.
	Lasting float64
}

// Common is the mixture of everything that the lease must stand. A store that is rolled back is not in it: the voter can't tell, and
// where those who remember its session are out of reach, nobody can.
func Common() Mixture {
	return Mixture{Every: 700 * time.Millisecond, Freezes: 0.0005, Lasting: 0.1, Weights: []Weight{
		{ServerKill, 8}, {ServerEmpty, 3}, {ServerStop, 5}, {ServerBusy, 3}, {SyncThenKill, 2}, {AgentKill, 8}, {AgentFreeze, 8},
		{AgentsAll, 1}, {BothFreeze, 3}, {PowerOff, 4}, {CutOneWay, 5}, {CutBothWays, 5}, {Isolate, 5}, {Partition, 2}, {Deaf, 3},
		{Loss, 3}, {Slow, 2}, {DiskSlow, 3}, {DiskFails, 1}, {StoreLost, 1}, {Flush, 1}, {Switch, 5}, {StopAgent, 2}, {Suspend, 3},
		{EditLease, 2}, {PauseGroup, 1}, {VIPTaken, 2}, {VIPFails, 1}, {VIPSlow, 1}, {Stranger, 1},
	}}
}

func (m Mixture) draw(n int) Fault {
	sum := 0
	for _, x := range m.Weights {
		sum += x.Weight
	}
	n %= sum
	for _, x := range m.Weights {
		if n < x.Weight {
			return x.Fault
		}
		n -= x.Weight
	}
	return m.Weights[0].Fault
}

// mischief injects faults of the mixture until the end.
func (w *World) mischief(end time.Duration) {
	if len(w.plan.Mix.Weights) == 0 {
		w.plan.Mix = Common()
	}
	var next func()
	next = func() {
		if w.now >= end {
			return
		}
		w.inject(w.plan.Mix.draw(w.rng.IntN(1 << 30)))
		w.after(w.between(0, 2*w.plan.Mix.Every), next)
	}
	next()
}

// span draws how long a fault lasts: mostly about a lease, sometimes much longer.
func (w *World) span() time.Duration {
	l := w.plan.Lease
	switch w.rng.IntN(4) {
	case 0:
		return w.between(time.Millisecond, l/2)
	case 1:
		return w.between(l/2, 2*l)
	case 2:
		return w.between(l, 4*l)
	default:
		return w.between(l, 2*l+2*time.Second)
	}
}

// victim prefers the holder, whom most histories are about.
func (w *World) victim() *host {
	h := w.watch[w.rng.IntN(len(w.watch))].holder
	if h >= 0 && w.rng.IntN(2) == 0 {
		return w.hosts[h]
	}
	return w.hosts[w.rng.IntN(len(w.hosts))]
}

func (w *World) inject(f Fault) {
	h := w.victim()
	w.log("FAULT %s at %s", f, h.name)
	done := w.injectServer(f, h) || w.injectHost(f, h) || w.injectNet(f, h) || w.injectDisk(f, h) || w.injectVIP(f, h) || w.ask(f, h)
	if done {
		w.count(string(f))
	}
	w.weather()
}

func (w *World) injectServer(f Fault, h *host) bool {
	g := w.rng.IntN(len(w.groups))
	s := h.servers[g]
	if s == nil {
		return false
	}
	switch f {
	case ServerKill:
		w.killServer(s, withAOF, w.span())
	case ServerEmpty:
		w.killServer(s, withEmpty, w.between(20*time.Millisecond, 400*time.Millisecond))
	case SyncThenKill:
		w.resyncThenKill(g)
	case ServerStop:
		s.stop()
		w.after(w.span(), s.cont)
	case ServerBusy:
		s.occupy(w.between(10*time.Millisecond, 2*w.plan.DownAfter))
	case BothFreeze:
		s.stop()
		h.freeze()
		d := w.span()
		w.after(d, s.cont)
		w.after(d+w.between(0, 2*time.Millisecond), h.thaw)
	default:
		return false
	}
	return true
}

func (w *World) killServer(s *server, how start, down time.Duration) {
	s.kill(false)
	boot := s.boot
	w.after(down, func() {
		if s.boot == boot {
			s.start(how)
		}
	})
}

// resyncThenKill has a replica start anew, and the master die soon after it has its data.
func (w *World) resyncThenKill(g int) {
	m := w.watch[g].holder
	r := w.rng.IntN(w.plan.Data)
	if m < 0 || m == r {
		return
	}
	w.killServer(w.hosts[r].servers[g], withAOF, 20*time.Millisecond)
	w.after(w.between(100*time.Millisecond, 800*time.Millisecond), func() { w.killServer(w.hosts[m].servers[g], withAOF, w.span()) })
}

func (w *World) injectHost(f Fault, h *host) bool {
	switch f {
	case AgentKill:
		h.killAgent()
		w.after(w.between(5*time.Millisecond, w.span()), h.startAgent)
	case AgentsAll:
		for _, o := range w.hosts {
			o.killAgent()
			w.after(w.between(5*time.Millisecond, 300*time.Millisecond), o.startAgent)
		}
	case AgentFreeze:
		h.freeze()
		w.after(w.span(), h.thaw)
	case PowerOff:
		h.off()
		after := w.between(10*time.Millisecond, 2*time.Second)
		w.after(w.between(50*time.Millisecond, 5*time.Second), func() { h.on(withAOF, after) })
	case Flush:
		for _, g := range h.gates {
			w.flush(g)
		}
	case TwoAgents:
		h.startAgent()
	default:
		return false
	}
	return true
}

// flush removes the table; the hand restores it and tells, where an agent runs.
func (w *World) flush(g *gate) {
	if g.state.Mode == decide.GateAbsent || g.host.agent() == nil || g.host.agent().frozen {
		return
	}
	g.flushed, g.flushedAt = true, w.now
	w.dirty(g.group)
	if w.plan.Off.Off(decide.FenceProved) {
		return
	}
	w.after(w.between(time.Millisecond, 10*time.Millisecond), func() {
		if !g.flushed {
			return
		}
		g.flushed = false
		w.dirty(g.group)
		if a := g.host.agent(); a != nil {
			a.post(g.group, decide.GateSeen{Gate: g.state, Broken: true, By: "firewalld"})
		}
	})
}

func (w *World) injectNet(f Fault, h *host) bool {
	n := w.net
	o := w.rng.IntN(len(n.paths))
	d := w.span()
	lasting := w.rng.Float64() < w.plan.Mix.Lasting
	undo := func(do func()) {
		if !lasting {
			w.after(d, do)
		}
	}
	switch f {
	case CutOneWay:
		n.cut(h.index, o, true)
		undo(func() { n.cut(h.index, o, false) })
	case CutBothWays:
		n.cutBoth(h.index, o, true)
		undo(func() { n.cutBoth(h.index, o, false) })
	case Isolate:
		n.isolate(h.index, true, w.rng.IntN(2) == 0)
		undo(func() { n.isolate(h.index, false, true) })
	case Deaf:
		for b := range w.hosts {
			n.cut(b, h.index, true)
		}
		undo(func() { n.isolate(h.index, false, false) })
	case Partition:
		w.partition(undo)
	case Loss:
		p := []float64{0.1, 0.3, 0.6}[w.rng.IntN(3)]
		n.paths[h.index][o].loss = p
		undo(func() { n.paths[h.index][o].loss = 0 })
	case Slow:
		n.paths[h.index][o].slow = w.between(0, 2*w.plan.Lease)
		undo(func() { n.paths[h.index][o].slow = 0 })
	default:
		return false
	}
	return true
}

func (w *World) partition(undo func(func())) {
	side := make([]bool, len(w.hosts)+1)
	for i := range side {
		side[i] = w.rng.IntN(2) == 0
	}
	set := func(is bool) {
		for a := range side {
			for b := range side {
				if side[a] != side[b] {
					w.net.cut(a, b, is)
				}
			}
		}
	}
	set(true)
	undo(func() { set(false) })
}

func (w *World) injectDisk(f Fault, h *host) bool {
	switch f {
	case DiskSlow:
		h.disk.slow = w.between(10*time.Millisecond, 300*time.Millisecond)
		w.after(w.span(), func() { h.disk.slow = 0 })
	case DiskFails:
		h.disk.fails = true
		w.after(w.span(), func() { h.disk.fails = false })
	case StoreLost, StoreBack:
		return w.loseStore(f, h)
	default:
		return false
	}
	return true
}

// loseStore happens at most once in a run: a majority of stores lost is beyond every promise.
func (w *World) loseStore(f Fault, h *host) bool {
	if w.outcome.ByFault[string(StoreLost)]+w.outcome.ByFault[string(StoreBack)] > 0 || h.disk.fails {
		return false
	}
	old := h.disk.page.clone()
	lose := func() {
		h.killAgent()
		if f == StoreLost {
			h.disk.lose(w.rng.IntN(2) == 0)
		} else {
			h.disk.rollBack(old)
		}
		w.log("%s %s, back to session %d", h.name, f, h.disk.page.session)
		w.after(w.between(5*time.Millisecond, w.span()), h.startAgent)
	}
	if f == StoreLost {
		lose()
	} else {
		w.after(w.span(), lose)
	}
	return true
}

// freezeBetween stops an agent right after it has decided: what it wants done is on its way, or waits with it.
func (w *World) freezeBetween(s *seat, actions []decide.Action) {
	if w.quiet || w.plan.Mix.Freezes == 0 || !slices.ContainsFunc(actions, weighty) || w.rng.Float64() > w.plan.Mix.Freezes*10 {
		return
	}
	w.count("frozen between two actions")
	s.host().troubled = w.now
	after := w.skewed(0, 2*time.Millisecond)
	w.after(after, s.host().freeze)
	w.after(after+w.span(), s.host().thaw)
}

func weighty(a decide.Action) bool {
	switch v := a.(type) {
	case decide.SetGate, decide.Instruct, decide.Persist, decide.SetVIP, decide.ProbeVIP:
		return true
	case decide.Send:
		_, release := v.Message.(decide.Release)
		return release
	}
	return false
}

func (w *World) describe() string {
	p := w.plan
	return fmt.Sprintf("%d voters, %d data, %d groups, lease %v, down after %v, patience %v, net %v, disk %v, orders %v, gate %v",
		p.Voters, p.Data, p.Groups, p.Lease, p.DownAfter, p.Patience, w.timing.netHigh, w.timing.diskHigh, w.timing.orderHigh, w.timing.gateHigh)
}
