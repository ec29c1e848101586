package sim

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// Machine is what the simulator drives: one group's core on one node.
type Machine interface {
	Step(at words.Instant, ev decide.Event) []decide.Action
	Wake() (words.Instant, bool)
	Picture() picture.Group
}

// Birth makes a machine, as group.New does.
type Birth func(decide.Setup, decide.Boot) Machine

// Plan is all that a run depends on: its seed, the core, and what is fixed beforehand. The seed draws the sizes and times that are zero.
type Plan struct {
	Seed  uint64
	Birth Birth
	// Off are the rules that are switched off, in the core and in the simulated hands.
	Off decide.Rules
	// Voters is 3 or 5, Data how many of them have servers, Groups how many groups the agents share.
	Voters, Data, Groups int
	Lease                time.Duration
	DownAfter, BusyAfter time.Duration
	Patience, ColdStart  time.Duration
	// Length is the time of faults; at most Rest more is given to the group to come to rest in.
	Length, Rest time.Duration
	// Calm draws no fault: what happens is the script's. Tame makes delays short and clocks true.
	Calm, Tame bool
	// Mix are the weights of the faults; nil is the common mixture.
	Mix Mixture
	// Stale is how much older than the last acknowledgement a write must be that no election may lose without saying so; zero is what
	// a list of who is in sync may be wrong by where anything may happen.
	Stale time.Duration
	// Write is the time between two writes of one client.
	Write time.Duration
	// Script is called once when the first holder has opened.
	Script func(*World)
	// NoRest leaves out the healing and the laws of rest.
	NoRest bool
	// VIP gives the groups virtual addresses; Ungated takes the gates away. A mixture draws VIP by its seed.
	VIP, Ungated bool
	// Preferred counts from one the host that the groups go back to; 0 is none. A mixture of faults on a pair draws it by its seed.
	Preferred int
	// TieBreakers are a pair's, reached where the clients elsewhere are.
	TieBreakers bool
	// Empty starts with servers that hold nothing instead of a master with replicas.
	Empty bool
	// Leases are the hosts' own leases where they differ from Lease; Files are their lists of voters.
	Leases map[int]time.Duration
	Files  map[int][]words.Node
	// Late are hosts whose agents are not started before a script does.
	Late map[int]bool
	// Excused are findings that a person is to answer for; nil excuses none.
	Excused func(Finding) bool
	// Lines is how many lines of the log an outcome keeps.
	Lines int
}

// Outcome is what became of a run.
type Outcome struct {
	Plan     Plan
	Findings []Finding
	// Faults and Votes are what was injected and voted; Opens, Acks and Steps say how much the run was worth.
	Faults, Votes, Opens, Acks, Steps int
	ByFault                           map[string]int
	// Elapsed is true time, as simulated.
	Elapsed time.Duration
	Log     []string
}

// timing is how long things take in a run.
type timing struct {
	diskLow, diskHigh   time.Duration
	netLow, netHigh     time.Duration
	gateLow, gateHigh   time.Duration
	orderLow, orderHigh time.Duration
	syncLow, syncHigh   time.Duration
	dial                time.Duration // a replica's, until it begins to reach its master: up to a second before Redis 7
	turn                time.Duration
	probe               time.Duration
	timerLate           time.Duration
	loss, copies, late  float64
}

func (w *World) draw() {
	p := &w.plan
	pick := func(d *time.Duration, of ...time.Duration) {
		if *d == 0 {
			*d = of[w.rng.IntN(len(of))]
		}
	}
	count := func(n *int, of ...int) {
		if *n == 0 {
			*n = of[w.rng.IntN(len(of))]
		}
	}
	ms := time.Millisecond
	count(&p.Voters, 3, 3, 5)
	if p.Data == 0 {
		p.Data = max(2, p.Voters-w.rng.IntN(2))
	}
	count(&p.Groups, 1, 1, 2)
	pick(&p.Lease, 200*ms, 500*ms, time.Second, 3*time.Second)
	pick(&p.DownAfter, 300*ms, time.Second, 2*time.Second)
	pick(&p.BusyAfter, 3*time.Second)
	pick(&p.Patience, 2*time.Second, 4*time.Second)
	pick(&p.ColdStart, 2*time.Second, 4*time.Second)
	pick(&p.Length, 20*time.Second)
	pick(&p.Rest, 20*time.Second+2*p.Patience+2*p.ColdStart+5*p.Lease+2*p.BusyAfter)
	pick(&p.Write, 4*ms)
	count(&p.Lines, 90)
	w.timing = timing{
		diskLow: 50 * time.Microsecond, diskHigh: 2 * ms, netLow: 50 * time.Microsecond, netHigh: ms,
		gateLow: 20 * time.Microsecond, gateHigh: 700 * time.Microsecond, orderLow: 20 * time.Microsecond, orderHigh: ms,
		syncLow: 5 * ms, syncHigh: 300 * ms, turn: 5 * time.Microsecond, probe: 20 * ms, timerLate: 300 * time.Microsecond,
	}
	if p.Tame {
		return
	}
	p.VIP = p.VIP || p.Seed%3 != 0
	if p.Voters == 2 && p.Preferred == 0 && p.Script == nil {
		p.Preferred = []int{1, 2, 0, 0}[p.Seed%4]
	}
	w.drawWeather()
}

// drawWeather makes some runs slow, lossy or duplicating from the start to the end of the faults.
func (w *World) drawWeather() {
	ms, t := time.Millisecond, &w.timing
	if w.rng.IntN(3) == 0 {
		t.diskHigh = 100 * ms
	}
	if w.rng.IntN(4) == 0 {
		t.netHigh = w.plan.Lease / 8
	}
	if w.rng.IntN(4) == 0 {
		t.gateHigh = 20 * ms
	}
	if w.rng.IntN(2) == 0 {
		t.orderLow, t.orderHigh = 0, 0
	}
	if w.rng.IntN(3) == 0 {
		t.copies, t.late = 0.02, 0.01
	}
	if w.rng.IntN(4) == 0 {
		t.loss = 0.01
	}
	if w.rng.IntN(4) == 0 {
		t.probe = 2 * ms // within what a takeover waits for
	}
}

// preferred is the node that the groups go back to, if there is one.
func (w *World) preferred() words.Node {
	if w.plan.Preferred == 0 {
		return ""
	}
	return w.hosts[w.plan.Preferred-1].name
}

// openWindow begins the hours in which the groups may go back. Before, a run has its first holder, which is judged.
func (w *World) openWindow() {
	w.window = w.plan.Preferred > 0
	for _, h := range w.hosts {
		if a := h.agent(); a != nil && w.window {
			for g := range w.groups {
				a.post(g, decide.FailBackWindow{Open: true})
			}
		}
	}
}

// votes is how many votes there are: a pair's segment has one, too.
func (p Plan) votes() int {
	if p.Voters == 2 {
		return 3
	}
	return p.Voters
}
