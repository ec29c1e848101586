package sim

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// seat is one machine in one agent, with the strands that carry out its actions.
type seat struct {
	w       *World
	agent   *agent
	group   int
	machine Machine
	wake    uint64
	woken   words.Instant
	orders  jobs
	errand  *errand
	polling bool
	// unfenced says that an order of an earlier agent, or one that was given up, may still be in the server's sockets.
	unfenced bool
	// ordered counts the orders that were answered.
	ordered int
	asked   time.Duration
	spins   int
	spunAt  time.Duration
	halted  bool
	vip     addressHand
	// epoch is the one that the machine said it was elected in, or resumes.
	epoch words.Epoch
	// begun is when the machine was made, reached when a tie-breaker's last answer was read.
	begun, reached time.Duration
	// lease is the one of the file that the machine was made with.
	lease time.Duration
}

func (s *seat) host() *host     { return s.agent.host }
func (s *seat) gate() *gate     { return s.agent.host.gates[s.group] }
func (s *seat) server() *server { return s.agent.host.servers[s.group] }

// born makes the machine. Its first event is the gate as it is.
func (s *seat) born(boot decide.Boot) {
	p, h, w := s.w.plan, s.host(), s.w
	random := w.fork()
	lease, voters := p.Lease, w.voters()
	if l := p.Leases[h.index]; l > 0 {
		lease = l
	}
	s.lease = lease
	digest := uint64(1)
	if f := p.Files[h.index]; f != nil {
		voters, digest = f, 2
	}
	s.machine = p.Birth(decide.Setup{
		Group: w.groups[s.group], Self: h.name, Voters: voters, Data: w.data(),
		Lease: lease, DownAfter: p.DownAfter, BusyAfter: p.BusyAfter, ColdStartWait: p.ColdStart, Patience: p.Patience,
		Jiffy: h.clock.jiffy, Digest: digest, Random: random.Uint64, Off: p.Off, Version: "sim", Servers: w.addresses(),
		VIP: p.VIP, Ungated: p.Ungated, Prefer: w.preferred(), FailBack: w.window,
	}, boot)
	fence := words.FenceHard
	s.agent.post(s.group, decide.GateSeen{Gate: s.gate().state, Fence: fence})
	s.begun = w.now
	if p.TieBreakers {
		s.watchBreakers()
	}
	if s.server() != nil {
		s.poll()
	}
	s.setWake()
}

// step gives an event to the machine and carries out what it wants.
func (s *seat) step(at words.Instant, ev decide.Event) {
	if s.machine == nil || s.halted || !s.agent.alive {
		return
	}
	w := s.w
	w.steps++
	if _, tick := ev.(decide.Tick); !tick || w.plan.Tame {
		w.logEvent(s, ev)
	}
	actions := s.machine.Step(at, ev)
	for _, a := range actions {
		w.logAction(s, a)
		s.act(a)
	}
	for _, a := range actions {
		if w.onAction != nil {
			w.onAction(s, a)
		}
	}
	w.freezeBetween(s, actions)
	s.setWake()
	s.settle()
}

// settle convicts a machine that goes round in circles.
func (s *seat) settle() {
	if s.w.now-s.spunAt > 100*time.Millisecond {
		s.spins, s.spunAt = 0, s.w.now
	}
	if s.spins++; s.spins > 5000 {
		s.w.insane(s.host(), s.group, "spins: 5000 steps within 100 ms")
		s.halted = true
	}
}

// setWake has a Tick come when the machine wants one. Timers are late, never early.
func (s *seat) setWake() {
	if s.machine == nil || s.halted {
		return
	}
	at, ok := s.machine.Wake()
	if !ok || at == words.Never {
		s.wake++
		s.woken = words.Never
		return
	}
	if at == s.woken {
		return
	}
	s.woken = at
	s.wake++
	mine := s.wake
	after := max(0, s.host().clock.when(at)-s.w.now) + s.w.between(0, s.w.timing.timerLate) + 10*time.Microsecond
	s.agent.later(loop, after, func() {
		if mine == s.wake {
			s.woken = words.Never
			s.agent.post(s.group, decide.Tick{})
		}
	})
}

// act gives an action to the strand that carries it out.
func (s *seat) act(action decide.Action) {
	a, w := s.agent, s.w
	us := time.Microsecond
	switch v := action.(type) {
	case decide.Send:
		a.later(netHand, w.between(1*us, 20*us), func() { w.send(s, v) })
	case decide.Persist:
		s.persist(v)
	case decide.Arm:
		s.kernel(v.Ticket, func() string {
			if w.plan.Ungated {
				return ""
			}
			return s.gate().arm(v.Slot, v.For)
		})
	case decide.SetGate:
		s.setGate(v)
	case decide.ResetClients:
		s.kernel(v.Ticket, func() string { s.resetClients(v.Keep); return "" })
	case decide.Instruct:
		s.instruct(v)
	case decide.ProbeVIP:
		s.probeVIP(v)
	case decide.SetVIP:
		s.setVIP(v)
	case decide.AnnounceVIP:
		a.later(vipHand, w.between(5*us, 50*us), s.host().addresses[s.group].announce)
	case decide.Advertise:
		s.advertise(v)
	case decide.Reach:
		a.later(pollHand, w.between(5*us, 50*us), s.askBreakers)
	case decide.Reply:
		if v.Final {
			w.replied(s, v)
		}
	case decide.Note:
		w.noted(s, v.Reason)
	case decide.Halt:
		s.halted = true
		w.insane(s.host(), s.group, "halts: %v", v.Reason)
	}
}

// persist writes and syncs; without rule durable-vote it says so before the sync.
func (s *seat) persist(v decide.Persist) {
	a := s.agent
	s.w.persisted(s, v.Register)
	done := func(err string) {
		a.later(diskHand, 10*time.Microsecond, func() { a.post(s.group, decide.Done{Ticket: v.Ticket, Err: err}) })
	}
	a.later(diskHand, 5*time.Microsecond, func() {
		d := a.host.disk
		d.write(s.group, v.Register)
		if s.w.plan.Off.Off(decide.DurableVote) {
			done("") // the disk gets it some time
			s.w.after(300*time.Millisecond, func() { d.sync(func(string) {}) })
			return
		}
		d.sync(done)
	})
}

// kernel makes one netlink transaction after another. The kernel finishes what it was given, whatever becomes of the agent.
func (s *seat) kernel(ticket decide.Ticket, do func() string) {
	a, w := s.agent, s.w
	a.gateJobs.add(func(next func()) {
		a.later(gateHand, 5*time.Microsecond, func() {
			boot := a.host.boots
			w.after(w.skewed(w.timing.gateLow, w.timing.gateHigh)+a.host.commit, func() {
				if !a.host.power || a.host.boots != boot {
					return
				}
				err := do()
				a.later(gateHand, 5*time.Microsecond, func() {
					a.post(s.group, decide.Done{Ticket: ticket, Err: err})
					next()
				})
			})
		})
	})
}

func (s *seat) setGate(v decide.SetGate) {
	epoch := s.epoch
	s.kernel(v.Ticket, func() string {
		if s.w.plan.Ungated {
			return "" // there is none, and the hand says that all is done
		}
		g := s.gate()
		was := g.state.Mode
		g.set(v.Gate)
		if v.Gate.Mode == decide.GateSlot {
			s.w.opened(s, epoch, was != decide.GateSlot)
		}
		return ""
	})
}

// resetClients ends clients' sockets, and the links that are not kept.
func (s *seat) resetClients(keep []decide.Link) {
	sv := s.server()
	if sv == nil || sv.state == gone {
		return
	}
	sv.killClients()
	kept := map[decide.Link]bool{}
	for _, k := range keep {
		kept[k] = true
	}
	for _, l := range append([]*link(nil), sv.links...) {
		if !kept[l.source] {
			l.cut()
		}
	}
}
