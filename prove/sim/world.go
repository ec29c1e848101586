package sim

import (
	"math/rand/v2"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
	"redkeep/prove/judge"
)

// Finding is what the judge found.
type Finding = judge.Finding

// World is one run: everything there is in it, and the true time.
type World struct {
	plan    Plan
	rng     *rand.Rand
	now     time.Duration
	queue   queue
	hosts   []*host
	net     *network
	groups  []words.Group
	court   *judge.Court
	journal *journal
	timing  timing
	outcome Outcome
	watch   []watch
	// segments are what is beyond the hosts, by group.
	segments []*segment
	steps    int
	names    int
	ports    int
	writes   uint64
	asks     uint64
	replies  map[uint64]func(decide.Reply)
	quiet    bool // the faults have ended
	window   bool // groups may go back to the preferred node
	done     bool

	// onAction is called for each action after it has been given to its hand: scripts freeze and kill there.
	onAction func(*seat, decide.Action)
}

// Run makes a world by the plan and lets it happen.
func Run(plan Plan) Outcome {
	w := &World{plan: plan, rng: rand.New(rand.NewPCG(plan.Seed, 0x9e3779b97f4a7c15)), court: judge.Convene(1),
		journal: newJournal(4000), replies: map[uint64]func(decide.Reply){}}
	w.court.Excuse(plan.Excused)
	w.draw()
	w.outcome.ByFault = map[string]int{}
	for g := range w.plan.Groups {
		w.groups = append(w.groups, words.Group([]string{"orders", "carts", "users"}[g]))
		w.watch = append(w.watch, newWatch(w.plan.Voters))
		w.segments = append(w.segments, newSegment(w, g))
	}
	for i := range w.plan.Voters {
		w.hosts = append(w.hosts, newHost(w, i))
	}
	w.net = newNetwork(w, w.plan.Voters)
	w.found()
	w.happen()
	w.outcome.Plan, w.outcome.Findings, w.outcome.Steps = w.plan, w.court.Findings(), w.steps
	w.outcome.Elapsed = w.now
	w.outcome.Log = w.journal.last(w.plan.Lines)
	return w.outcome
}

// found starts servers, agents and writers: a master with replicas, as a site is found, or servers that hold nothing.
func (w *World) found() {
	for g := range w.groups {
		for i := range w.plan.Data {
			s := w.hosts[i].servers[g]
			s.start(withEmpty)
			if i == 0 && !w.plan.Empty {
				for range 20 {
					w.writes++
					s.append(w.writes)
				}
			}
		}
		for i := 1; i < w.plan.Data && !w.plan.Empty; i++ {
			w.hosts[i].servers[g].replicaOf(0)
		}
	}
	for i, h := range w.hosts {
		if !w.plan.Late[i] {
			w.after(200*time.Millisecond+w.between(0, 300*time.Millisecond), h.startAgent)
		}
		for g := range w.groups {
			if i < w.plan.Data {
				newWriter(w, h, g, false).write()
				newWriter(w, h, g, true).write()
			}
		}
	}
	if w.plan.VIP {
		for _, n := range w.segments {
			n.clients()
		}
	}
	w.at(w.settleBound(), w.begin)
	w.forecast()
}

func (w *World) settleBound() time.Duration {
	return 2*time.Second + 2*w.plan.Lease + w.plan.ColdStart
}

// begin starts the faults: by now every group has had time for its first holder.
func (w *World) begin() {
	for g := range w.groups {
		if len(w.writable(g)) != 1 && !w.plan.NoRest {
			w.find(g, judge.ComesToRest, "no writable master %v after a start without faults: %s", w.now, w.views(g))
			return
		}
	}
	w.log("faults begin: %s", w.describe())
	w.openWindow()
	end := w.now + w.plan.Length
	if w.plan.Script != nil {
		w.plan.Script(w)
	}
	if !w.plan.Calm {
		w.mischief(end)
	}
	w.at(end, w.end)
}

// happen is the event loop of the world.
func (w *World) happen() {
	for !w.done {
		h, ok := w.queue.next()
		if !ok {
			return
		}
		w.now = h.at
		h.do()
		w.look()
		if found := w.court.Findings(); len(found) > 0 {
			w.log("JUDGE: %v", found[0])
			return
		}
	}
}

func (w *World) at(t time.Duration, do func())    { w.queue.add(max(t, w.now), do) }
func (w *World) after(d time.Duration, do func()) { w.queue.add(w.now+max(d, 0), do) }

func (w *World) between(low, high time.Duration) time.Duration {
	if high <= low {
		return low
	}
	return low + time.Duration(w.rng.Int64N(int64(high-low)))
}

// skewed draws mostly short times, and once in a while a long one.
func (w *World) skewed(low, high time.Duration) time.Duration {
	if w.rng.IntN(8) > 0 {
		high = low + (high-low)/10
	}
	return w.between(low, high)
}

func (w *World) fork() *rand.Rand { return rand.New(rand.NewPCG(w.rng.Uint64(), w.rng.Uint64())) }

func (w *World) voters() []words.Node { return w.first(w.plan.Voters) }
func (w *World) data() []words.Node   { return w.first(w.plan.Data) }

func (w *World) first(n int) []words.Node {
	var out []words.Node
	for _, h := range w.hosts[:n] {
		out = append(out, h.name)
	}
	return out
}

func (w *World) indexOf(n words.Node) target {
	for i, h := range w.hosts {
		if h.name == n {
			return target(i)
		}
	}
	return deadEnd
}

func (w *World) log(format string, args ...any) { w.journal.add(w.now, format, args...) }

// forecast keeps the times of well-being: disturbances shorter than its turn leave their own marks.
func (w *World) forecast() {
	w.weather()
	w.after(20*time.Millisecond, w.forecast)
}

func (w *World) count(fault string) {
	w.outcome.Faults++
	w.outcome.ByFault[fault]++
}

func (w *World) find(g int, law judge.Law, format string, args ...any) {
	w.court.Find(finding(w.now, w.groups[g], law, format, args...))
}

func (w *World) insane(h *host, g int, format string, args ...any) {
	w.find(g, judge.Sane, string(h.name)+" "+format, args...)
}
