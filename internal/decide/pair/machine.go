package pair

import (
	"slices"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/decide/group"
	"redkeep/internal/words"
)

// Segment is the voter that stands for what is between the two nodes. No node's name has such characters.
const Segment words.Node = "(segment)"

// Setup is a group's, with what makes it a pair's. Voters are the two nodes; the segment is added.
type Setup struct {
	decide.Setup
	// Advert is the time between two advertisements, above 0; Down is for how long none may be heard before the master counts as gone:
	// at least three of them, and the skew (RFC 5798 §6.1).
	Advert, Down time.Duration
	// TieBreakers says that there are addresses of which one must answer: a node that reaches none gets nothing from the segment.
	TieBreakers bool
}

// Machine decides for one group of a pair, as group.Machine does for one of more nodes.
type Machine struct {
	setup Setup
	boot  decide.Boot
	at    words.Instant
	node  *group.Machine
	// voice is the segment's vote as it looks from here: a witness whose register is this node's, and whose disk is its memory.
	voice *group.Machine
	// admitted says that this node's store takes part, and that voice knows what it knows.
	admitted bool
	out      []decide.Action

	// listen is until when this node listens and says nothing.
	listen words.Instant
	// sending is an advertisement that is on its way, tried when it was begun; spoke says that one has left and none that takes it back.
	sending decide.Ticket
	tried   words.Instant
	spoke   bool
	tickets decide.Ticket
	// released says that the other agent has let go of the lease, and has asked for none since; theirs is the last epoch in which it asked for one.
	released bool
	theirs   words.Epoch
	// left is the last epoch whose end was said on the segment.
	left words.Epoch
	// waiting is what the segment is asked for when an advertisement has left, and a tie-breaker has answered; reached is when the last
	// question left that one of them answered.
	waiting []waiter
	reached words.Instant
	// by is who was heard last.
	by string
	// quietAt is when the segment will have been quiet for long enough; wrong is why an advertisement that was heard can't be accepted, and
	// by whom it was.
	quietAt words.Instant
	wrong   words.Reason
	wrongAt words.Instant
	notedAt words.Instant
	forgery forgery
	// blind says that no tie-breaker answers.
	blind bool
	// met says that the other node has been heard since this one was started, or that this one was the master all the time.
	met bool
	// held is the last request for a vote that came while the segment was not quiet: it is asked again when it is.
	held decide.Message
}

// tickets of the machine's own actions are above all of the node's, which counts from 1.
const ownTickets decide.Ticket = 1 << 62

// New returns the machine of a group at the start of its node's agent.
func New(setup Setup, boot decide.Boot) *Machine {
	slices.Sort(setup.Voters)
	setup.Turns, setup.Turn = words.Epoch(len(setup.Voters)), words.Epoch(slices.Index(setup.Voters, setup.Self))
	setup.Voters = append(slices.Clone(setup.Voters), Segment)
	setup.Pace = setup.Advert
	m := &Machine{setup: setup, boot: boot, node: group.New(setup.Setup, boot), tickets: ownTickets, blind: setup.TieBreakers}
	m.voice = m.newVoice(boot)
	return m
}

// newVoice makes the segment's vote. What this node has voted and seen it has, too: it asked for this node alone.
func (m *Machine) newVoice(boot decide.Boot) *group.Machine {
	s := m.setup.Setup
	s.Self, s.VIP, s.Ungated = Segment, false, false
	boot.Gate = decide.GateState{}
	boot.Register.Record = words.Record{}
	return group.New(s, boot)
}

// Step takes an event at an instant and returns what is to be done, in the order of effects.
func (m *Machine) Step(at words.Instant, ev decide.Event) []decide.Action {
	if m.at == 0 {
		m.met = m.boot.Running           // nobody else can have been elected in between
		m.quietAt = at.Add(m.setup.Down) // as a router begins: it listens first
		if !m.met {
			m.listen = m.quietAt
		}
	}
	m.at = max(m.at, at)
	m.out = nil
	switch e := ev.(type) {
	case decide.Advertised:
		m.onAdvertised(e)
		m.toNode(decide.Tick{})
	case decide.Reached:
		m.onReached(e)
		m.toNode(decide.Tick{})
	case decide.Done:
		if e.Ticket > ownTickets {
			m.onSent(e)
			break
		}
		m.toNode(ev)
	case decide.Received:
		m.overhear(e)
		m.toNode(ev)
		if _, readmits := e.Message.(decide.Readmitted); readmits {
			// Where this node's store is lost, what the segment had promised is, too: the other one knows what there is to know.
			m.toNode(decide.Received{From: Segment, Session: m.boot.Session, Message: e.Message})
		}
	default:
		m.toNode(ev)
	}
	m.admit()
	m.askAgain()
	m.toVoice(decide.Tick{})
	return m.out
}

// Wake returns the next instant at which a Tick is wanted.
func (m *Machine) Wake() (words.Instant, bool) {
	at, ok := m.node.Wake()
	if !ok {
		return at, ok
	}
	if v, ok := m.voice.Wake(); ok {
		at = min(at, v)
	}
	if m.held != nil && m.quietAt > m.at {
		at = min(at, m.quietAt)
	}
	return at, at != words.Never
}

// HoldUntil returns until when this node holds the lease; an instant that is past where it holds none.
func (m *Machine) HoldUntil() words.Instant { return m.node.HoldUntil() }

// toNode gives an event to the node's machine and carries out what stays within the pair; all else goes to the agent.
func (m *Machine) toNode(ev decide.Event) {
	for _, a := range m.node.Step(m.at, ev) {
		send, ok := a.(decide.Send)
		switch {
		case ok && send.To == Segment:
			m.ask(send.Message)
		case ok:
			if r, releases := send.Message.(decide.Release); releases && r.Holder == m.setup.Self {
				m.leave(r.Epoch)
			}
			m.out = append(m.out, a)
		default:
			m.out = append(m.out, m.inWords(a))
		}
	}
}

// toVoice gives an event to the segment's vote. It answers this node alone, and its disk is its memory.
func (m *Machine) toVoice(ev decide.Event) {
	for _, a := range m.voice.Step(m.at, ev) {
		switch a := a.(type) {
		case decide.Send:
			if a.To == m.setup.Self {
				m.toNode(decide.Received{From: Segment, Session: m.boot.Session, Message: a.Message})
			}
		case decide.Persist:
			m.toVoice(decide.Done{Ticket: a.Ticket})
		case decide.SetGate:
			m.toVoice(decide.Done{Ticket: a.Ticket})
		}
	}
}

// admit makes the segment's vote anew when this node's store has been admitted: it has no other memory than that.
func (m *Machine) admit() {
	r := m.node.Register()
	if m.admitted || !r.Admitted {
		return
	}
	m.admitted = true
	m.voice = m.newVoice(decide.Boot{Session: m.boot.Session, Register: r, SameBoot: m.boot.SameBoot})
}

// overhear tells the segment's vote what the other node says: it has promised that one the lease, too, as far as this node knows.
func (m *Machine) overhear(e decide.Received) {
	if e.From != Segment && slices.Contains(m.setup.Voters, e.From) {
		// It is there, and can vote itself: it may know why not.
		m.met, m.by, m.forgery.heard = true, string(e.From), m.at
		m.quietAt = max(m.quietAt, m.at.Add(m.setup.Down))
	}
	switch msg := e.Message.(type) {
	case decide.Release:
		m.toVoice(e)
		// One that is older than what its sender has asked for since says nothing of that (rule release-current).
		if msg.Holder == e.From && (msg.Epoch >= m.theirs || m.setup.Off.Off(decide.ReleaseCurrent)) {
			m.released = true
			m.gone()
		}
	case decide.Vote:
		m.released, m.theirs, m.forgery.unasked = false, max(m.theirs, msg.Epoch), 0
	case decide.Beat:
		m.released, m.theirs, m.forgery.unasked = false, max(m.theirs, msg.Epoch), 0
		m.toVoice(e)
	case decide.Status:
		m.toVoice(e)
	}
}
