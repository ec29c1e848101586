package pair

import (
	"slices"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// onAdvertised notes that another router has the address, or has it no more.
func (m *Machine) onAdvertised(e decide.Advertised) {
	if e.Wrong != "" {
		// Somebody is there who can't be understood: to be a second master beside it would be worse than none.
		m.wrong, m.wrongAt = words.Reason{Code: words.AdvertWrong, Node: m.setup.Self, Text: e.By + ": " + e.Wrong}, m.at
		m.quietAt = max(m.quietAt, m.at.Add(m.setup.Down))
		return
	}
	if e.Leaving {
		m.quietAt = m.at
		return
	}
	m.by = e.By
	m.quietAt = m.at.Add(max(e.Down, m.setup.Down))
}

// quiet reports whether neither the other node nor any router has been heard for as long as VRRP waits (rule segment-quiet).
func (m *Machine) quiet() bool { return m.at >= m.quietAt || m.setup.Off.Off(decide.SegmentQuiet) }

// refusal says why the segment gives this node nothing; zero while it does.
func (m *Machine) refusal() words.Reason {
	switch {
	case m.blind:
		return words.Reason{Code: words.TieBreakersSilent, Node: m.setup.Self}
	case !m.met:
		return words.Reason{Code: words.OtherUnheard, Node: m.setup.Self}
	case m.quiet():
		return words.Reason{}
	case m.wrongAt != 0 && m.at < m.wrongAt.Add(m.setup.Down):
		return m.wrong
	default:
		return words.Reason{Code: words.SegmentTaken, Node: m.setup.Self, N: m.quietAt.Sub(m.at).Milliseconds(), Text: m.by}
	}
}

// ask gives the segment a message of this node's. Votes it gives only when it is quiet; the lease only for advertisements that have
// really left (rule advert-before-grant), as they are what keeps another router from taking over.
func (m *Machine) ask(msg decide.Message) {
	switch msg.(type) {
	case decide.PreVote, decide.Vote:
		if m.blind || !m.quiet() || !m.informed(msg) {
			m.held = msg
			return
		}
		m.held = nil
		if _, votes := msg.(decide.Vote); votes { // which is the first grant, too
			m.advertise(msg)
			return
		}
	case decide.Beat:
		if m.blind || m.listening() {
			return
		}
		m.advertise(msg)
		return
	}
	m.tell(msg)
}

// tell gives the segment's vote a message of this node's.
func (m *Machine) tell(msg decide.Message) {
	m.toVoice(decide.Received{From: m.setup.Self, Session: m.boot.Session, Message: msg})
}

// askAgain asks once more for the vote that was held back, as soon as the segment is quiet.
func (m *Machine) askAgain() {
	if m.held == nil || m.blind || !m.quiet() || !m.informed(m.held) {
		return
	}
	msg := m.held
	m.ask(msg)
}

// informed reports whether this node can know that the other has not gone on without it: it has heard it since it was started, or is the
// master still that it was. Else it waits for the other one, or for a person (rule heard-once).
func (m *Machine) informed(asks decide.Message) bool {
	basis := decide.BasisLineage
	switch asks := asks.(type) {
	case decide.PreVote:
		basis = asks.Basis
	case decide.Vote:
		basis = asks.Basis
	}
	return m.met || basis == decide.BasisChosen || m.setup.Off.Off(decide.HeardOnce)
}

// listening reports whether this agent has just been started: like every router it listens before it says anything. A lease that it had
// goes on by the other node's grants alone.
func (m *Machine) listening() bool {
	return m.at < m.begun.Add(m.setup.Down) && !m.boot.Running && !m.setup.Off.Off(decide.ListenFirst)
}

// advertise sends an advertisement with each heartbeat; the segment is asked when it has left. The slot that the heartbeat stands for was armed
// before, and so it has run out when the other node has heard nothing for Down, which is no shorter than the lease.
func (m *Machine) advertise(asks decide.Message) {
	if m.setup.Off.Off(decide.AdvertBeforeGrant) {
		m.tell(asks)
	} else {
		m.waiting = append(m.waiting, asks)
	}
	if m.sending != 0 && m.at.Sub(m.tried) < m.setup.Down {
		return
	}
	m.send(false)
}

func (m *Machine) send(leaving bool) {
	m.tickets++
	if !leaving {
		m.sending, m.tried, m.carried = m.tickets, m.at, len(m.waiting)
	}
	m.out = append(m.out, decide.Advertise{Ticket: m.tickets, Leaving: leaving})
}

// onSent goes on when an advertisement has left. One that could not is no reason for the segment to grant anything.
func (m *Machine) onSent(d decide.Done) {
	if d.Ticket != m.sending {
		return
	}
	carried := m.waiting[:min(m.carried, len(m.waiting))]
	m.sending, m.waiting = 0, slices.Clone(m.waiting[len(carried):])
	if d.Err == "" {
		m.spoke = true
		for _, msg := range carried {
			m.tell(msg)
		}
	}
	if len(m.waiting) > 0 {
		m.send(false) // it came after the one that has just left
	}
}

// leave says on the segment that this node's time is over.
func (m *Machine) leave() {
	m.sending, m.waiting = 0, nil
	if m.spoke {
		m.spoke = false
		m.send(true)
	}
}
