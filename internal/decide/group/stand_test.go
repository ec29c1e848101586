package group

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// The stand drives machines on made-up hosts: hands that do everything at once, servers that only remember, and a network
// that loses nothing it is not told to. One thing happens at a time, in the order of its instant.
const (
	wayOfMessage = 200 * time.Microsecond
	wayOfHand    = 50 * time.Microsecond
	lookEvery    = 100 * time.Millisecond
)

type stand struct {
	setup decide.Setup
	now   words.Instant
	hosts []*host
	queue []pending
	cut   map[[2]words.Node]bool
	// fails are the hands that fail, as "h1 gate".
	fails map[string]bool
	// talk are the messages that are shown, by the beginning of their line.
	talk  []string
	out   strings.Builder
	since words.Instant
	rand  uint64
	names int
	count int
	// bare says that nobody's gate covers the group's address, but only the ports.
	bare bool
	// stranger has the group's address, and is no node.
	stranger bool
}

// pending is an event on its way.
type pending struct {
	at    words.Instant
	order int
	to    *host
	life  int
	event decide.Event
}

type host struct {
	name    words.Node
	on      bool // it has power
	machine *Machine
	life    int // grows with each start of the agent
	session words.Session
	disk    words.Register
	lost    bool
	server  words.Server
	alive   bool // the server's process
	mute    bool // it answers nothing
	// unlinked says that its master refuses its link, as one whose user lacks a right.
	unlinked bool
	gate     decide.GateState
	// gateEnds is when an opening for a time ends by itself.
	gateEnds words.Instant
	slots    [decide.Slots]words.Instant
	nextSee  words.Instant
	// vip is when the kernel takes the group's address away; 0 where it is not there.
	vip words.Instant
}

func newStand(setup decide.Setup) *stand {
	s := &stand{setup: setup, now: words.Instant(time.Hour), cut: map[[2]words.Node]bool{}, fails: map[string]bool{}, rand: 1}
	s.setup.Servers = map[words.Node]netip.AddrPort{}
	for i, n := range setup.Voters {
		s.setup.Servers[n] = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), 6379)
		s.hosts = append(s.hosts, &host{name: n, on: true})
	}
	return s
}

func (s *stand) random() uint64 {
	s.rand = s.rand*6364136223846793005 + 1442695040888963407
	return s.rand >> 20
}

func (s *stand) host(n words.Node) *host {
	i := slices.IndexFunc(s.hosts, func(h *host) bool { return h.name == n })
	if i < 0 {
		panic(fmt.Sprintf("no host %q", n))
	}
	return s.hosts[i]
}

// agent starts a host's agent. The same boot finds the gate as it was left.
func (s *stand) agent(h *host, sameBoot bool) {
	h.life++
	h.session++
	setup := s.setup
	setup.Self, setup.Random = h.name, s.random
	h.machine = New(setup, decide.Boot{Session: h.session, Register: h.disk, Lost: h.lost, SameBoot: sameBoot, Gate: h.gate})
	h.lost = false
	h.nextSee = s.now.Add(wayOfHand)
	s.step(h, decide.GateSeen{Gate: h.gate, Fence: words.FenceHard, Bare: s.bare})
}

// kill ends a host's agent.
func (s *stand) kill(h *host) { h.machine, h.life = nil, h.life+1 }

func (s *stand) post(h *host, after time.Duration, ev decide.Event) {
	s.count++
	s.queue = append(s.queue, pending{s.now.Add(after), s.count, h, h.life, ev})
}

// run lets time pass.
func (s *stand) run(d time.Duration) {
	end := s.now.Add(d)
	for steps, last := 0, s.now; ; steps++ {
		if s.now != last {
			steps, last = 0, s.now
		}
		if steps > 1000 {
			s.say("", "THE STAND DOES NOT COME TO REST")
			return
		}
		at, act := s.next()
		if at > end {
			s.now = end
			return
		}
		s.now = max(s.now, at)
		act()
		s.audit()
	}
}

// next returns what happens first.
func (s *stand) next() (words.Instant, func()) {
	best, act := words.Never, func() {}
	first := -1
	for i, p := range s.queue {
		if first < 0 || p.at < s.queue[first].at || p.at == s.queue[first].at && p.order < s.queue[first].order {
			first = i
		}
	}
	if first >= 0 {
		p := s.queue[first]
		best, act = p.at, func() {
			s.queue = slices.Delete(s.queue, first, first+1)
			if p.to.machine != nil && p.to.life == p.life {
				s.step(p.to, p.event)
			}
		}
	}
	for _, h := range s.hosts {
		if h.machine == nil {
			continue
		}
		if wake, ok := h.machine.Wake(); ok && wake < best {
			best, act = wake, func() { s.step(h, decide.Tick{}) }
		}
		if h.alive && !h.mute && h.nextSee < best {
			best, act = h.nextSee, func() {
				h.nextSee = s.now.Add(lookEvery)
				s.step(h, decide.Seen{Server: s.look(h)})
			}
		}
	}
	return best, act
}

func (s *stand) step(h *host, ev decide.Event) {
	for _, a := range h.machine.Step(s.now, ev) {
		s.carry(h, a)
	}
}

// carry does an action, and shows it.
func (s *stand) carry(h *host, a decide.Action) {
	s.show(h, a)
	err := func(hand string) string {
		if s.fails[string(h.name)+" "+hand] {
			return hand + " failed"
		}
		return ""
	}
	switch act := a.(type) {
	case decide.Send:
		to := s.host(act.To)
		if to.machine != nil && !s.cut[[2]words.Node{h.name, act.To}] {
			s.post(to, wayOfMessage, decide.Received{From: h.name, Session: h.session, Message: act.Message})
		}
	case decide.Persist:
		if e := err("disk"); e == "" {
			h.disk = act.Register
		}
		s.post(h, wayOfHand, decide.Done{Ticket: act.Ticket, Err: err("disk")})
	case decide.Arm:
		if e := err("arm"); e == "" {
			h.slots[act.Slot] = s.now.Add(act.For)
		}
		s.post(h, wayOfHand, decide.Done{Ticket: act.Ticket, Err: err("arm")})
	case decide.SetGate:
		if e := err("gate"); e == "" {
			h.gate, h.gateEnds = act.Gate, s.now.Add(act.Gate.For)
		}
		s.post(h, wayOfHand, decide.Done{Ticket: act.Ticket, Err: err("gate")})
	case decide.ProbeVIP:
		s.post(h, wayOfHand, s.probe(h, act.Ticket, err("probe")))
	case decide.SetVIP:
		if e := err("vip"); e == "" {
			h.vip = 0
			if act.Up {
				h.vip = s.now.Add(act.For)
			}
		}
		s.post(h, wayOfHand, decide.Done{Ticket: act.Ticket, Err: err("vip")})
	case decide.ResetClients:
		s.post(h, wayOfHand, decide.Done{Ticket: act.Ticket})
	case decide.Instruct:
		e := err("server") + err(orderName(act.Order))
		if e == "" {
			e = s.order(h, act.Order)
		}
		s.post(h, wayOfHand, decide.Ordered{Ticket: act.Ticket, Err: e, Server: s.look(h), Links: s.links(h)})
	case decide.Halt:
		s.kill(h)
	}
}

// open reports whether the host's gate lets clients through.
func (s *stand) open(h *host) bool {
	switch h.gate.Mode {
	case decide.GateAbsent:
		return true
	case decide.GateOpen:
		return h.gate.For == 0 || s.now < h.gateEnds
	case decide.GateSlot:
		return s.now < h.slots[h.gate.Slot]
	}
	return false
}

// has reports whether a host has the group's address.
func (s *stand) has(h *host) bool { return h.on && s.now < h.vip }

// answersFor reports whether a host would answer a question for the group's address: it has it, and its gate is open to clients.
func (s *stand) answersFor(h *host) bool {
	return s.has(h) && (s.bare || h.gate.Mode == decide.GateAbsent || h.gate.Mode == decide.GateSlot && s.open(h))
}

// probe asks for the group's address.
func (s *stand) probe(asker *host, t decide.Ticket, err string) decide.Probed {
	p := decide.Probed{Ticket: t, Err: err, Taken: s.stranger && err == "", By: "02:00:00:00:00:63"}
	for i, h := range s.hosts {
		if h != asker && err == "" && s.answersFor(h) && !s.cut[[2]words.Node{h.name, asker.name}] {
			p.Taken, p.By = true, fmt.Sprintf("02:00:00:00:00:%02x", i+1)
		}
	}
	if !p.Taken {
		p.By = ""
	}
	return p
}

// audit makes sure that there are never two writable masters behind gates, nor two who answer for the address.
func (s *stand) audit() {
	var here []words.Node
	for _, h := range s.hosts {
		if s.answersFor(h) {
			here = append(here, h.name)
		}
	}
	if len(here) > 1 || s.stranger && len(here) > 0 {
		s.say("", fmt.Sprintf("TWO ANSWER FOR THE ADDRESS: %v", here))
	}
	var writable []words.Node
	for _, h := range s.hosts {
		if h.alive && h.server.Role == words.RoleMaster && h.gate.Mode != decide.GateAbsent && s.open(h) {
			writable = append(writable, h.name)
		}
	}
	if len(writable) > 1 {
		s.say("", fmt.Sprintf("TWO WRITABLE MASTERS: %v", writable))
	}
}
