package pair

import (
	"slices"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// noteEvery is the least time between two notes of advertisements that can't be accepted: who sends them decides how many there are.
const noteEvery = time.Minute

// onAdvertised notes that another router has the address, or has it no more.
func (m *Machine) onAdvertised(e decide.Advertised) {
	if e.Wrong != "" {
		// Somebody is there who can't be understood: to be a second master beside it would be worse than none.
		m.wrong, m.wrongAt = words.Reason{Code: words.AdvertWrong, Node: m.setup.Self, Text: e.By + ": " + e.Wrong}, m.at
		if m.notedAt == 0 || m.at.Sub(m.notedAt) >= noteEvery {
			m.notedAt = m.at
			m.out = append(m.out, decide.Note{Reason: m.wrong})
		}
		m.quietAt = max(m.quietAt, m.at.Add(m.setup.Down))
		return
	}
	m.suspect()
	if e.Leaving {
		m.gone()
		return
	}
	m.by = e.By
	m.quietAt = m.at.Add(max(e.Down, m.setup.Down)) // the other one's lease may be the longer one, when its file has just been edited
}

// gone ends the wait for advertisements when the other node has said that its time is over. Anybody can write that on the segment, and a
// master that is well would get a second one beside it: the other agent must have said it, which proves who it is (rule leaving-proved).
func (m *Machine) gone() {
	if !m.released && !m.setup.Off.Off(decide.LeavingProved) {
		return
	}
	m.quietAt = m.at
	if m.wrongAt != 0 { // who can't be understood is no less there
		m.quietAt = max(m.quietAt, m.wrongAt.Add(m.setup.Down))
	}
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
		_, votes := msg.(decide.Vote) // which is the first grant, too
		m.await(msg, votes)
		return
	case decide.Beat:
		if m.blind || m.listening() {
			return
		}
		m.await(msg, true)
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

// listening reports whether this agent has just been started, or been out of reach: like every router it listens before it says anything.
// A lease that it had goes on by the other node's grants alone.
func (m *Machine) listening() bool { return m.at < m.listen && !m.setup.Off.Off(decide.ListenFirst) }

// waiter is a message that the segment is asked for, which it answers when an advertisement has left after it, unless it needs none, and
// when a tie-breaker has answered a question that was put after it.
type waiter struct {
	asks decide.Message
	at   words.Instant
	left bool
}

// await has the segment asked, once an advertisement has left, which each heartbeat comes with. The slot that the heartbeat stands for was
// armed before, and so it has run out when the other node has heard nothing for Down, which is no shorter than the lease.
func (m *Machine) await(asks decide.Message, advertised bool) {
	m.waiting = slices.DeleteFunc(m.waiting, func(w waiter) bool { return m.at.Sub(w.at) >= m.setup.Down })
	m.waiting = append(m.waiting, waiter{asks: asks, at: m.at, left: !advertised || m.setup.Off.Off(decide.AdvertBeforeGrant)})
	if advertised && (m.sending == 0 || m.at.Sub(m.tried) >= m.setup.Down) {
		m.send(false)
	}
	if m.setup.TieBreakers {
		m.out = append(m.out, decide.Reach{})
	}
	m.grant()
}

func (m *Machine) send(leaving bool) {
	m.tickets++
	if !leaving {
		m.sending, m.tried = m.tickets, m.at
	}
	m.out = append(m.out, decide.Advertise{Ticket: m.tickets, Leaving: leaving})
}

// onSent goes on when an advertisement has left, which stands for all that was asked until it was begun. One that could not is no reason
// for the segment to grant anything.
func (m *Machine) onSent(d decide.Done) {
	if d.Ticket != m.sending {
		return
	}
	m.sending = 0
	later := false
	kept := m.waiting[:0]
	for _, w := range m.waiting {
		before := w.at <= m.tried
		w.left = w.left || before && d.Err == ""
		if later = later || !before; w.left || !before {
			kept = append(kept, w)
		}
	}
	m.waiting = kept
	m.spoke = m.spoke || d.Err == ""
	if later {
		m.send(false)
	}
	m.grant()
}

// grant asks the segment for what its time has come for. That a tie-breaker answered earlier says nothing of this moment: a node that has just
// been cut off has heard one of late, and must hold nothing that was asked after the cut (rule reached-since).
func (m *Machine) grant() {
	var due []decide.Message
	m.waiting = slices.DeleteFunc(m.waiting, func(w waiter) bool {
		is := w.left && (!m.setup.TieBreakers || m.reached >= w.at || m.setup.Off.Off(decide.ReachedSince))
		if is {
			due = append(due, w.asks)
		}
		return is
	})
	for _, msg := range due {
		m.tell(msg)
	}
}

// onReached notes whether a tie-breaker answers, and when the last answered question was put. Where none did for about as long as the other
// node waits, that one may have been made the master meanwhile: this one listens first, as at its start, whatever it had asked.
func (m *Machine) onReached(e decide.Reached) {
	m.blind = m.setup.TieBreakers && !e.OK
	if m.reached != 0 && e.Asked.Sub(m.reached) >= m.setup.Down-m.setup.Beat()-m.setup.Again() && !m.setup.Off.Off(decide.ReachedSince) {
		m.listen = m.at.Add(m.setup.Down)
		m.quietAt, m.waiting = max(m.quietAt, m.listen), nil
	}
	m.reached = max(m.reached, e.Asked)
	m.grant()
}

// leave says on the segment that this node's time in an epoch is over, once: to a deaf node the release goes again and again, also when this
// one has been elected anew meanwhile, and asks the segment for another lease.
func (m *Machine) leave(epoch words.Epoch) {
	if epoch <= m.left {
		return
	}
	m.left = epoch
	m.sending, m.waiting = 0, nil
	if m.spoke {
		m.spoke = false
		m.send(true)
	}
}
