package vrrp

import (
	"net/netip"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// Machine decides for all virtual routers of one host. It belongs to one goroutine.
type Machine struct {
	now     words.Instant
	out     []Action
	routers []*router
	// gone are those of an older configuration that are not down yet.
	gone   []*router
	byWire map[wire]*router
	byID   map[ID]*router
	groups []*group
	checks map[string]verdict

	lastTicket decide.Ticket
	tickets    map[decide.Ticket]*router
	// began and stopping are that the first and the last event were told.
	began, stopping bool
}

// wire is how an advertisement finds its router.
type wire struct {
	link string
	vrid uint8
	six  bool
}

// verdict is a check's result, once it has one.
type verdict struct{ known, passed bool }

// New returns a machine whose routers do nothing until they are told Began. The Setup is one that a configuration's reader
// accepted; it must not be changed.
func New(s Setup) *Machine {
	m := &Machine{
		byWire: map[wire]*router{}, byID: map[ID]*router{}, checks: map[string]verdict{}, tickets: map[decide.Ticket]*router{},
	}
	m.configure(s)
	return m
}

// Step tells the machine what has happened, and returns what to do. The slice is good until the next Step.
//
// What lapsed or was missed while this host did not run is dealt with before the event, whatever that says.
func (m *Machine) Step(at words.Instant, ev Event) []Action {
	clear(m.out)
	m.out = m.out[:0]
	m.now = max(m.now, at)
	for _, r := range m.routers {
		r.guard()
	}
	m.take(ev)
	for _, r := range m.routers {
		r.tend()
	}
	for _, r := range m.gone {
		r.tend()
	}
	m.bury()
	for _, g := range m.groups {
		g.move()
	}
	return m.out
}

// Wake returns when the machine next wants a Step, Never if it waits for others only.
func (m *Machine) Wake() words.Instant {
	next := words.Never
	for _, r := range m.routers {
		next = min(next, r.wake())
	}
	for _, r := range m.gone {
		next = min(next, r.wake())
	}
	return next
}

func (m *Machine) do(a Action) { m.out = append(m.out, a) }

// ticket returns a new ticket of a router.
func (m *Machine) ticket(r *router) decide.Ticket {
	m.lastTicket++
	m.tickets[m.lastTicket] = r
	return m.lastTicket
}

// take sorts an event to where it belongs. What is about a router that this host has not is not about this host.
func (m *Machine) take(ev Event) {
	switch e := ev.(type) {
	case Began:
		m.began = true
		for _, r := range m.routers {
			r.next(Dropping) // What an agent before this one may have left there.
		}
	case Passed:
	case Heard:
		if r := m.byWire[wire{e.Link, e.Advert.VRID, e.From.Is6()}]; r != nil {
			r.heard(e)
		}
	case Done:
		if r := m.tickets[e.Ticket]; r != nil {
			delete(m.tickets, e.Ticket)
			r.done(e)
		}
	case Tracked:
		m.checks[e.Name] = verdict{true, e.Passed}
		for _, r := range m.routers {
			r.check()
		}
	case Sourced:
		if r := m.byID[e.ID]; r != nil {
			if r.sourceless = !e.Addr.IsValid(); !r.sourceless {
				r.conf.Source = e.Addr // The last one that it had is that of its last words.
			}
			for _, all := range m.routers {
				all.check()
			}
		}
	case Configured:
		m.configure(e.Setup)
	case Stop:
		m.stopping = true
		for _, r := range m.routers {
			r.stop()
		}
	}
}

// View is what faces may know of one router.
type View struct {
	ID       ID
	State    State
	Step     Step
	Priority uint8
	// Master is who was last heard as one, this host's own address while it is one itself.
	Master netip.Addr
	// Until is when the address goes unless an advertisement is sent before.
	Until words.Instant
	// Held says that the router would be master if it were not for its Troubles.
	Held     bool
	Troubles []Trouble
	// Sourceless says that this host has no address of its own to speak from, which is a fault.
	Sourceless bool
	// NotPassed are its checks that have failed, or have no result yet.
	NotPassed []NotPassed
}

// NotPassed is a check of a router that has failed, or has no result yet.
type NotPassed struct {
	Name    string
	Pending bool
	// Fault says that it alone keeps the router from being master.
	Fault bool
	// Weight is what it takes from the priority, or does not give; 0 also where weights don't count: for an owner, and in a group that wants none.
	Weight int
}

// View returns what is known of all routers, in the order of the Setup.
func (m *Machine) View() []View {
	var views []View
	for _, r := range m.routers {
		v := View{
			ID: r.conf.ID, State: r.state, Step: r.step, Priority: r.priority(), Master: r.master, Held: r.held, Troubles: r.troubles(),
			Sourceless: r.sourceless, NotPassed: r.notPassed(),
		}
		if r.state == Master {
			v.Master, v.Until = r.conf.Source, r.until
		}
		views = append(views, v)
	}
	return views
}
