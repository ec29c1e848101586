package sentinel

import (
	"strings"
	"time"

	"redkeep/internal/words"
)

// Setup is what a Machine is given besides its State.
type Setup struct {
	// Random is the machine's only source of chance.
	Random func() uint64
	// TLSPort is announced instead of Port where it is not 0.
	Port, TLSPort int
	// Password is this process' own requirepass, with which it also introduces itself at other Sentinels.
	Password string
	// Executable reports whether a script can be run; SENTINEL SET asks.
	Executable func(path string) bool
	// Observe makes a machine that changes nothing anywhere: it greets nobody, votes for nobody, gives no orders and writes no
	// file; it says what it would have done.
	Observe bool
}

// Machine decides. It belongs to one goroutine.
type Machine struct {
	setup   Setup
	now     words.Instant
	out     []Action
	periods Periods

	myID         string
	currentEpoch uint64
	// leapt is when this one last took over a part of an epoch that was too far ahead; 0 is never.
	leapt  words.Instant
	groups []*group
	byName map[string]*group

	instances    map[InstanceID]*instance
	links        map[LinkID]*link
	lastInstance InstanceID
	lastLink     LinkID
	queue        queue
	// peers are the Sentinels by run ID, one for each group that knows it.
	peers map[string][]*instance

	announceIP                          string
	announcePort                        int
	peerUser, peerPassword, ownPassword string
	denyScripts                         bool
	resolveHostnames, announceHostnames bool

	tilt      bool
	tiltSince words.Instant
	// pressing is until when something is happening that others wait for.
	pressing words.Instant
	simulate Simulate

	// saves counts the Saves asked for; ended is the last that has ended, saved the last that is on disk, awaited what goes on then.
	saves     uint64
	ended     uint64
	saved     uint64
	awaited   []awaited
	wantsSave bool
}

// awaited goes on when a Save has ended.
type awaited struct {
	ticket uint64
	then   func(failed bool)
}

// New returns a machine with what the file says. Its first actions come with the first Step.
func New(setup Setup, s State) *Machine {
	m := &Machine{
		setup: setup, periods: DefaultPeriods(), byName: map[string]*group{}, instances: map[InstanceID]*instance{}, links: map[LinkID]*link{},
		ownPassword: setup.Password, peers: map[string][]*instance{},
	}
	m.restore(s)
	return m
}

// Step tells the machine what has happened, and returns what to do. The slice is good until the next Step.
func (m *Machine) Step(at words.Instant, ev Event) []Action {
	clear(m.out)
	m.out = m.out[:0]
	m.begin(at)
	m.checkTilt()
	m.take(ev)
	m.tendAll()
	if m.wantsSave {
		m.wantsSave = false
		m.do(Save{m.saves})
	}
	return m.out
}

// begin sets the clock. The first reading is also when everything that was restored begins.
func (m *Machine) begin(at words.Instant) {
	if m.now == 0 {
		for _, l := range m.links {
			l.pinged, l.alive, l.ponged = at, at, at
		}
		for _, i := range m.instances {
			i.roleSince = at
			if i.kind == sentinel {
				i.heardAt = at
			}
		}
	}
	m.now = max(m.now, at)
}

// Wake returns when the machine next wants a Step, Never if it waits for others only.
func (m *Machine) Wake() words.Instant {
	if len(m.queue) == 0 {
		return words.Never
	}
	return m.queue[0].due
}

// Pressing reports whether a master was lost, a vote given or a step of a failover taken just now: what happens then should wait for
// nothing, while in quieter times much may be gathered for some milliseconds.
func (m *Machine) Pressing() bool { return m.now < m.pressing }

// press begins such a time.
func (m *Machine) press() { m.pressing = m.now.Add(pressTime) }

func (m *Machine) do(a Action) { m.out = append(m.out, a) }

func (m *Machine) random() uint64 { return m.setup.Random() }

// since is how long ago an instant was; a very long time for the zero one.
func (m *Machine) since(i words.Instant) time.Duration { return m.now.Sub(i) }

// notice tells an event of an instance, by the channel's name, to the log, to subscribers, and if it is a warning to the group's
// script. more follows the instance.
func (m *Machine) notice(l Level, channel string, i *instance, more ...string) {
	payload := strings.Join(append([]string{m.title(i)}, more...), " ")
	m.do(Notice{l, channel, payload})
	if l == Warning && i.group.notify != "" && !m.setup.Observe {
		m.do(RunScript{i.group.notify, []string{channel, payload}})
	}
}

// proclaim tells an event of a group whose payload names no instance.
func (m *Machine) proclaim(g *group, channel, payload string) {
	m.do(Notice{Warning, channel, payload})
	if g.notify != "" && !m.setup.Observe {
		m.do(RunScript{g.notify, []string{channel, payload}})
	}
}

// announce tells an event that no group is behind. There is no script for these.
func (m *Machine) announce(l Level, channel, payload string) { m.do(Notice{l, channel, payload}) }

// note is a line of the log and nothing else.
func (m *Machine) note(l Level, text string) { m.do(Notice{Level: l, Payload: text}) }

// take sorts an event to where it belongs. Links and instances that are not known any more have nothing to say.
func (m *Machine) take(ev Event) {
	switch e := ev.(type) {
	case Linked:
		m.with(e.Link, func(l *link) { m.onLinked(l, e) })
	case Lost:
		m.with(e.Link, func(l *link) { m.onLost(l, e) })
	case Ponged:
		m.with(e.Link, func(l *link) { l.answered(); m.onPonged(l, e.Pong) })
	case Informed:
		m.withInstance(e.Link, e.Instance, func(i *instance) { m.onInformed(i, e.Info) })
	case Greeted:
		m.withInstance(e.Link, e.Instance, func(i *instance) { m.onGreeted(i, e.OK) })
	case Told:
		m.withInstance(e.Link, e.Instance, func(i *instance) { m.onTold(i, e) })
	case HandedOver:
		m.withInstance(e.Link, e.Instance, func(i *instance) { m.onHandedOver(i, e.Refused) })
	case Done:
		m.with(e.Link, (*link).answered)
	case Heard:
		m.with(e.Link, func(l *link) { m.onHeard(l, e.Hello) })
	case Saved:
		m.onSaved(e)
	case Asked:
		m.onAsked(e)
	case Began:
		for _, g := range m.groups {
			m.monitored(g)
		}
	case Passed:
	}
}

func (m *Machine) with(id LinkID, do func(*link)) {
	if l := m.links[id]; l != nil {
		do(l)
	}
}

func (m *Machine) withInstance(id LinkID, who InstanceID, do func(*instance)) {
	l := m.links[id]
	if l == nil {
		return
	}
	l.answered()
	if i := m.instances[who]; i != nil && i.link == l {
		do(i)
	}
}

// answered counts a command's answer.
func (l *link) answered() { l.pending = max(0, l.pending-1) }

func (m *Machine) onLinked(l *link, e Linked) {
	conn := l.of(e.Channel)
	if conn.state != dialing {
		return
	}
	conn.state = up
	if e.Channel == Commands {
		l.local, l.localText = e.Local, e.Local.String()
	} else {
		conn.heard = m.now
	}
	if e.Peer.IsValid() && l.addr.IP != e.Peer && l.addr.named() {
		m.resolved(l, e.Peer)
	}
	for _, i := range l.users {
		m.rouse(&i.timer, m.now)
		m.prompt(i.group)
	}
}

// onLost notes that a connection failed. The reason is told at the level of debugging: a server that is away fails every second.
func (m *Machine) onLost(l *link, e Lost) {
	if l.of(e.Channel).state == down {
		return
	}
	channel := "-cmd-link-reconnection"
	if e.Channel == PubSub {
		channel = "-pubsub-link-reconnection"
	}
	m.do(Notice{Debug, channel, m.title(l.users[0]) + " #" + e.Reason})
	left := m.leaves(l)
	m.lost(l, e.Channel)
	if e.Channel == Commands {
		l.unanswered = left
	}
}

// save asks for the state to be written at the end of this Step, and returns the ticket of that.
func (m *Machine) save() uint64 {
	if m.setup.Observe {
		return 0
	}
	if !m.wantsSave {
		m.wantsSave = true
		m.saves++
	}
	return m.saves
}

// after has then called when the save with that ticket has ended, at once if it has.
func (m *Machine) after(ticket uint64, then func(failed bool)) {
	if ticket <= m.saved {
		then(false)
		return
	}
	m.awaited = append(m.awaited, awaited{ticket, then})
}

func (m *Machine) onSaved(e Saved) {
	m.ended = max(m.ended, e.Ticket)
	if !e.Failed {
		m.saved = max(m.saved, e.Ticket)
	}
	waiting := m.awaited
	m.awaited = nil
	for _, w := range waiting {
		if w.ticket > e.Ticket {
			m.awaited = append(m.awaited, w)
			continue
		}
		w.then(e.Failed)
	}
}
