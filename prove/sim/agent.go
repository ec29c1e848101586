package sim

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// strand is one of an agent's threads of work: within a strand, order holds; across, nothing does.
type strand int

const (
	loop strand = iota
	diskHand
	gateHand
	netHand
	orderHand
	pollHand
	vipHand
	strands
)

// agent is one agent process: its loop, its mailbox, its hands. Frozen, it does nothing; what its hands had already given to the
// kernel, the disk or a server happens all the same.
type agent struct {
	w         *World
	host      *host
	session   words.Session
	heard     []uint64 // the highest session of each other agent
	alive     bool
	since     time.Duration // of its start
	frozen    bool
	ending    bool // a person has asked it to end: its groups stop one by one
	frozenAt  time.Duration
	seats     []*seat
	held      [strands][]func()
	mail      []letter
	turning   bool
	slept     time.Duration
	lastTurn  words.Instant
	gateJobs  jobs
	vipJobs   jobs
	crowd     int
	crowdedAt time.Duration
}

type letter struct {
	group int
	event decide.Event
}

// later has one of the agent's strands do something after a while, or when it is thawed, or never.
func (a *agent) later(s strand, d time.Duration, do func()) {
	a.w.after(d, func() { a.run(s, do) })
}

func (a *agent) run(s strand, do func()) {
	switch {
	case !a.alive:
	case a.frozen || len(a.held[s]) > 0:
		a.held[s] = append(a.held[s], do)
	default:
		do()
	}
}

func (a *agent) freeze() {
	if a.alive && !a.frozen {
		a.w.log("%s agent frozen", a.host.name)
		a.frozen, a.frozenAt = true, a.w.now
	}
}

// thaw lets the strands go on, each from where it was, in any order among them.
func (a *agent) thaw() {
	if !a.alive || !a.frozen {
		return
	}
	a.frozen = false
	d := a.w.now - a.frozenAt
	a.w.log("%s agent thawed after %v", a.host.name, d)
	if d >= 10*time.Millisecond {
		a.slept = d
	}
	for s := range a.held {
		a.release(strand(s))
	}
	a.turn()
}

func (a *agent) release(s strand) {
	if len(a.held[s]) == 0 {
		return
	}
	a.w.after(a.w.between(0, 100*time.Microsecond), func() {
		if !a.alive || a.frozen || len(a.held[s]) == 0 {
			return
		}
		do := a.held[s][0]
		a.held[s] = a.held[s][1:]
		do()
		a.release(s)
	})
}

func (a *agent) kill() {
	if a.alive {
		a.w.log("%s agent dies", a.host.name)
		a.alive = false
		a.host.troubled = a.w.now
	}
}

// begin makes the machines from what the store holds, and lets the hands look around.
func (a *agent) begin(lost bool) {
	h, w := a.host, a.w
	a.lastTurn = h.clock.read(w.now)
	for g, s := range a.seats {
		boot := decide.Boot{
			Session: a.session, Register: h.disk.page.registers[g], Lost: lost,
			SameBoot: h.disk.page.registers[g].BootID == h.bootID(),
			Gate:     h.gates[g].state,
			Running:  h.gates[g].state.Mode == decide.GateSlot && h.gates[g].serves() && !h.gates[g].flushed,
		}
		s.born(boot)
	}
}

// post puts an event into the mailbox; the loop drains it in batches.
func (a *agent) post(group int, ev decide.Event) {
	a.mail = append(a.mail, letter{group, ev})
	a.turn()
}

func (a *agent) turn() {
	if a.turning {
		return
	}
	a.turning = true
	a.later(loop, a.w.timing.turn, func() {
		a.turning = false
		a.drain()
	})
}

// drain is one turn of the loop. It notices first that it has not run for a while. The clock is read after the packets were
// (rule stamp-after-receive); the broken loop uses what it read before it went to sleep.
func (a *agent) drain() {
	at := a.host.clock.read(a.w.now)
	stamp := at
	if a.w.plan.Off.Off(decide.StampAfterRecv) {
		stamp = a.lastTurn
	}
	if a.slept > 0 {
		for _, s := range a.seats {
			s.step(stamp, decide.Slept{For: a.slept})
		}
		a.slept = 0
	}
	mail := a.mail
	a.mail = nil
	for _, l := range mail {
		if !a.alive {
			return
		}
		a.seats[l.group].step(stamp, l.event)
	}
	a.lastTurn = at
}

// jobs runs one job after another; a job calls next when it is done.
type jobs struct {
	queue []func(next func())
	busy  bool
}

func (j *jobs) add(job func(next func())) {
	j.queue = append(j.queue, job)
	if !j.busy {
		j.start()
	}
}

func (j *jobs) start() {
	j.busy = true
	job := j.queue[0]
	j.queue = j.queue[1:]
	job(func() {
		j.busy = false
		if len(j.queue) > 0 {
			j.start()
		}
	})
}
