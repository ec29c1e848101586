package group

import (
	"slices"

	"redkeep/internal/decide"
	"redkeep/internal/decide/detect"
	"redkeep/internal/decide/quorum"
	"redkeep/internal/decide/register"
	"redkeep/internal/words"
)

// Machine decides for one group on one node. At most one of its roles is set at a time, but a holder may be a candidate
// as well, to reclaim its hold; with none it is a follower.
type Machine struct {
	setup decide.Setup
	// file are the data nodes that the configuration names; setup.Data are those that the voters agreed on.
	file []words.Node
	boot decide.Boot
	at   words.Instant
	born words.Instant
	out  []decide.Action

	voter  *register.Voter
	health *detect.Health
	peers  map[words.Node]*peer
	own    ownServer
	gate   gateDesk
	desk   orderDesk
	disk   diskDesk
	vip    addressDesk

	tickets decide.Ticket
	await   map[decide.Ticket]func(decide.Event)
	seq     words.Seq

	holder    *holder
	candidate *candidate
	leaving   *leaving
	resume    *resuming
	admission *admission
	handover  *handover
	target    *targetOf
	vacancy   *vacancy
	bereft    words.Instant // since when no open master is known; 0 while one is
	ending    *ending
	departure *departure
	pausing   *pausing
	prefers   preferring
	pauseEnd  words.Instant // of the register's pause, where that has time left
	// pauseStored is the version that this voter has told others to have on disk.
	pauseStored words.Pause
	rounds      uint16 // departures that this agent has led
	revoked     uint64 // the latest departure known to have come to nothing
	// promisedTo is who led the departure that this voter has promised in; empty after a restart.
	promisedTo words.Node
	alone      *aloneRequest
	undead     *holder // what was let go of last, where rule release-final is off; nil otherwise

	releases   map[words.Node]decide.Release
	chosen     choice
	nextTry    words.Instant
	failures   int // attempts to be elected that have failed in a row
	failedFor  words.Reason
	nextStatus words.Instant
	lastBeat   lastBeat
	announced  words.Row // the last master that clients were told of
	why        []words.Reason
	order      []rankEntry
	recent     []noted
	unpause    bool // a switchover was called off: writes are let go as soon as the server takes an order
	gone       bool // the group has been let go of: this node does nothing in it any more
	asleep     bool // suspended or halted: nothing is done any more
}

// New returns the machine of a group at the start of its node's agent.
func New(setup decide.Setup, boot decide.Boot) *Machine {
	if setup.Off == nil {
		setup.Off = decide.Rules{}
	}
	return &Machine{
		setup: setup, boot: boot,
		peers:    map[words.Node]*peer{},
		await:    map[decide.Ticket]func(decide.Event){},
		releases: map[words.Node]decide.Release{},
		health:   detect.New(setup),
		gate:     gateDesk{state: boot.Gate},
		own:      ownServer{record: boot.Register.Record},
	}
}

// Step takes an event at an instant and returns what is to be done, in the order of effects. Instants never go back.
func (m *Machine) Step(at words.Instant, ev decide.Event) []decide.Action {
	m.out = nil
	m.at = max(m.at, at)
	if m.asleep {
		return nil
	}
	if m.voter == nil {
		m.begin()
	}
	m.hear(ev)
	m.tend()
	m.check()
	return m.out
}

// begin is the first turn: what a restart may resume, and what it must ask for first.
func (m *Machine) begin() {
	m.born = m.at
	if m.boot.Lost && !m.setup.Off.Off(decide.Readmission) {
		m.boot.Register.Admitted = false
	}
	m.voter = register.New(m.setup, m.boot, m.at)
	m.announced = m.voter.Register.Newest()
	m.pauseEnd = m.at.Add(m.voter.Register.Pause.Left)
	m.beginDefinition()
	if len(m.voter.Register.Members) == 0 {
		m.voter.Register.Members = slices.Clone(m.setup.Voters)
		m.voter.Register.Generation = 1
	}
	if m.gone = m.voter.Register.Left; m.gone {
		return
	}
	// An agent before this one may have left the address; where the store is lost, the kernel's gate tells of that agent.
	m.vip.there = m.setup.VIP && m.data() && (m.leased() || m.boot.Gate.Mode != decide.GateAbsent)
	m.vip.goneBy = m.at.Add(m.vipLasts())
	if !m.voter.Register.Admitted {
		m.beginAdmission()
	}
	m.beginResume()
}

// hear gives an event to whoever it is for.
func (m *Machine) hear(ev decide.Event) {
	switch e := ev.(type) {
	case decide.Received:
		m.receive(e)
	case decide.Done:
		m.finish(e.Ticket, e)
	case decide.Ordered:
		m.finish(e.Ticket, e)
	case decide.Probed:
		m.finish(e.Ticket, e)
	case decide.VIPSeen:
		m.vipSeen(e)
	case decide.Seen:
		m.seen(e.Server)
	case decide.Complained:
		m.health.Complained(m.at, e)
	case decide.Lost:
		m.lost(e.Cause)
	case decide.Silent:
		m.health.Silent(e)
	case decide.Slept:
		m.slept(e)
	case decide.GateSeen:
		m.gateSeen(e)
	case decide.Asked:
		m.asked(e)
	case decide.FailBackWindow:
		m.window(e)
	case decide.Tick:
	}
}

// tend does what the passing of time, or the last event, has made due. Every part looks at the state as it is: nothing
// depends on which event came.
func (m *Machine) tend() {
	m.why = m.why[:0]
	m.tendPausing()
	m.tendDeparture()
	if m.gone {
		m.tendAddress()
		m.tendEnding()
		m.tendStatus()
		return
	}
	m.tendAdmission()
	m.tendResume()
	m.tendHolder()
	m.tendHandover()
	m.tendPreferring()
	m.tendCandidate()
	m.tendLeaving()
	m.tendVacancy()
	m.tendServer()
	m.tendAddress()
	m.tendRecord()
	m.tendEnding()
	m.tendMembers()
	m.tendDefinition()
	m.tendStatus()
}

// Register returns a copy of what this voter has on disk, or on its way there. Before the first Step it is what the boot found.
func (m *Machine) Register() words.Register {
	if m.voter == nil {
		return m.boot.Register
	}
	return m.copyRegister()
}

// Wake returns the next instant at which a Tick is wanted.
func (m *Machine) Wake() (words.Instant, bool) {
	if m.voter == nil {
		return 0, true
	}
	if m.asleep {
		return words.Never, false
	}
	at := words.Earliest(m.nextStatus, m.health.Wake(m.at), m.wakeHolder(), m.wakeCandidate(), m.wakeVacancy(),
		m.wakeLeaving(), m.wakeHandover(), m.wakeAdmission(), m.wakeResume(), m.wakeEnding(), m.wakeRecord(), m.wakeDeparture(), m.wakeGate(),
		m.wakePausing(), m.wakeAddress(), m.wakePreferring())
	return at, at != words.Never
}

// do adds an action.
func (m *Machine) do(a decide.Action) { m.out = append(m.out, a) }

// ticket returns a new ticket whose Done or Ordered will be given to then.
func (m *Machine) ticket(then func(decide.Event)) decide.Ticket {
	m.tickets++
	m.await[m.tickets] = then
	return m.tickets
}

func (m *Machine) finish(t decide.Ticket, ev decide.Event) {
	then, ok := m.await[t]
	if !ok {
		return
	}
	delete(m.await, t)
	then(ev)
}

// failed returns the error of a Done or Ordered.
func failed(ev decide.Event) string {
	switch e := ev.(type) {
	case decide.Done:
		return e.Err
	case decide.Ordered:
		return e.Err
	}
	return ""
}

// lists returns the voters that count.
func (m *Machine) lists() quorum.Lists {
	r := m.voter.Register
	l := quorum.Lists{Members: r.Members, Pending: r.Pending}
	if m.setup.Off.Off(decide.Majority) {
		l = quorum.Lists{Members: []words.Node{m.setup.Self}}
	}
	if m.setup.Off.Off(decide.PersistedMembers) {
		l = quorum.Lists{Members: m.setup.Voters}
	}
	return l
}

// others returns every node of the group but this one: voters, and nodes of the file that may become voters again.
func (m *Machine) others() []words.Node {
	var list []words.Node
	for _, n := range append(m.lists().All(), m.setup.Voters...) {
		if n != m.setup.Self && !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

func (m *Machine) send(to words.Node, msg decide.Message) { m.do(decide.Send{To: to, Message: msg}) }

func (m *Machine) sendAll(msg decide.Message) {
	for _, n := range m.others() {
		m.send(n, msg)
	}
}

func (m *Machine) leased() bool { return m.voter.Register.Leased() }

// data reports whether this node has a server.
func (m *Machine) data() bool { return m.setup.IsData(m.setup.Self) }
