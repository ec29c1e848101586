package sim

import (
	"time"

	"redkeep/internal/decide"
)

// poll asks the server how it is, each beat; while an answer is owed it tells of the silence instead.
func (s *seat) poll() {
	sv := s.server()
	every := min(max(s.w.plan.Lease/10, 10*time.Millisecond), 100*time.Millisecond)
	s.agent.later(pollHand, every, s.poll)
	switch {
	case sv.state == gone:
		s.polling = false
		s.agent.post(s.group, decide.Lost{Cause: decide.LossRefused})
	case s.polling:
		ev := decide.Silent{For: s.w.now - s.asked, Process: decide.ProcessRunning, Busy: s.w.now < sv.busy}
		if sv.state == stopped {
			ev.Process, ev.Busy = decide.ProcessStopped, false
		}
		s.agent.post(s.group, ev)
	default:
		s.ask()
	}
}

func (s *seat) ask() {
	sv := s.server()
	s.polling, s.asked = true, s.w.now
	boot, fence := sv.boot, s.unfenced && !s.w.plan.Off.Off(decide.OrderFence)
	s.unfenced = false
	s.w.ports++
	last := firstOrder + uint64(s.w.ports)
	sv.take(&command{conn: 1 << 31, run: func() {
		if fence { // what the server says counts only once no older order can come after it
			sv.killOrders(last)
		}
		info, n, before := sv.info(), len(sv.data), s.ordered
		s.agent.later(pollHand, s.w.between(10*time.Microsecond, 200*time.Microsecond), func() {
			if sv.boot != boot || sv.state == gone {
				return
			}
			s.polling = false
			if s.ordered > before {
				return // an order has come between: what was seen before it is no news after it
			}
			sv.seen = min(n, len(sv.data))
			s.agent.post(s.group, decide.Seen{Server: info})
		})
	}})
}

// serverGone is the connection's end, the process's end by pidfd, and the end of the orders under way.
func (s *seat) serverGone() {
	s.polling = false
	s.agent.later(pollHand, 20*time.Microsecond, func() {
		s.agent.post(s.group, decide.Lost{Cause: decide.LossClosed})
		s.agent.post(s.group, decide.Lost{Cause: decide.LossExited})
	})
	if x := s.errand; x != nil {
		s.agent.later(orderHand, 20*time.Microsecond, x.broken)
	}
}

// serverStarted is the first look at a new process: the hand connects within milliseconds.
func (s *seat) serverStarted() {
	s.polling = false
	s.agent.later(pollHand, s.w.between(100*time.Microsecond, 10*time.Millisecond), func() {
		if sv := s.server(); sv.state != gone && !s.polling && s.machine != nil {
			s.ask()
		}
	})
}
