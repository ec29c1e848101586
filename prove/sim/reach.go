package sim

import "redkeep/internal/decide"

// watchBreakers asks the pair's tie-breakers, which are where the clients elsewhere are, as often as the agent does by itself.
func (s *seat) watchBreakers() {
	s.agent.later(pollHand, s.w.plan.Lease/3, s.watchBreakers)
	silent := advertDown(s.w.plan.Lease)
	if now := s.w.now; now-max(s.reached, s.begun) >= silent {
		s.agent.post(s.group, decide.Reached{})
	}
	s.askBreakers()
}

// askBreakers puts one question to them. The hand notes when it left, however late the agent hears of the answer.
func (s *seat) askBreakers() {
	w, h := s.w, s.host()
	here, there := h.index, w.net.clients()
	asked := h.clock.read(w.now)
	if w.net.paths[here][there].cut {
		return
	}
	w.after(w.net.delay(here, there)+w.net.delay(there, here), func() {
		if !h.power || !w.net.both(here, there) {
			return
		}
		s.agent.later(pollHand, 0, func() {
			s.reached = w.now
			s.agent.post(s.group, decide.Reached{OK: true, Asked: asked})
		})
	})
}
