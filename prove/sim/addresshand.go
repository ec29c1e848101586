package sim

import (
	"time"

	"redkeep/internal/decide"
	"redkeep/prove/judge"
)

// addressHand is what a seat keeps of what its machine was told and wants, for the judge.
type addressHand struct {
	// wanted is what the machine asked for last; asking is how many questions are under way; taken is what the last answer said.
	wanted, taken bool
	asking        int
}

// probeVIP asks the segment, and waits a while for an answer.
func (s *seat) probeVIP(v decide.ProbeVIP) {
	w, h := s.w, s.host()
	s.vip.asking++
	s.agent.later(vipHand, w.between(10*time.Microsecond, 200*time.Microsecond), func() {
		by := w.segments[s.group].question(h)
		ev := decide.Probed{Ticket: v.Ticket, Taken: by != "", By: by}
		wait := w.timing.probe
		if ev.Taken {
			wait = w.net.delay(h.index, w.net.clients())
		}
		if h.vipFails && w.rng.IntN(2) == 0 {
			ev = decide.Probed{Ticket: v.Ticket, Err: "probe: network is down"}
		}
		s.agent.later(vipHand, wait, func() {
			s.vip.asking--
			s.vip.taken = ev.Taken && !s.vip.wanted
			s.agent.post(s.group, ev)
		})
	})
}

// setVIP makes one change after another. The kernel finishes what it was given, whatever becomes of the agent.
func (s *seat) setVIP(v decide.SetVIP) {
	a, w := s.agent, s.w
	s.judgeVIP(v)
	a.vipJobs.add(func(next func()) {
		a.later(vipHand, 5*time.Microsecond, func() {
			boot := a.host.boots
			w.after(w.skewed(w.timing.gateLow, w.timing.gateHigh)+a.host.vipSlow, func() {
				if !a.host.power || a.host.boots != boot {
					return
				}
				err := s.applyVIP(v)
				a.later(vipHand, 5*time.Microsecond, func() {
					a.post(s.group, decide.Done{Ticket: v.Ticket, Err: err})
					next()
				})
			})
		})
	})
}

// applyVIP is the kernel's part. An order that fails may have been carried out or not.
func (s *seat) applyVIP(v decide.SetVIP) string {
	addr := s.host().addresses[s.group]
	fails := s.host().vipFails
	if fails || s.host().vipSlow > 0 {
		addr.troubled = s.w.now
	}
	if !v.Linger && (!fails || s.w.rng.IntN(2) == 0) {
		addr.set(v.Up, v.For)
	}
	if fails {
		return "set address: no buffer space available"
	}
	return ""
}

// judgeVIP finds a machine guilty that takes what it was just told that a stranger has.
func (s *seat) judgeVIP(v decide.SetVIP) {
	if v.Up && !s.vip.wanted && s.vip.taken && s.vip.asking == 0 {
		s.w.find(s.group, judge.NotStrangers, "%s takes the address although it was told that another host has it", s.host().name)
	}
	s.vip.wanted = v.Up
}

// takeAway is another program that removes an address; the hand puts it back and tells, where an agent runs.
func (w *World) takeAway(addr *address) bool {
	h := addr.host
	if !addr.here() {
		return false
	}
	addr.up, addr.troubled = false, w.now
	w.dirty(addr.group)
	a := h.agent()
	if a == nil {
		return true
	}
	ends := addr.ends
	a.later(vipHand, w.between(time.Millisecond, 10*time.Millisecond), func() {
		if s := a.seats[addr.group]; h.power && s.vip.wanted && addr.ends == ends && w.now < ends {
			left := (ends - w.now).Truncate(time.Second)
			addr.set(true, max(left, time.Second))
			a.post(addr.group, decide.VIPSeen{Broken: true, By: "dhclient[4711]"})
		}
	})
	return true
}

// injectVIP has something go wrong with an address.
func (w *World) injectVIP(f Fault, h *host) bool {
	if !w.plan.VIP {
		return false
	}
	g := w.rng.IntN(len(w.groups))
	switch f {
	case VIPTaken:
		return w.takeAway(h.addresses[g])
	case VIPFails:
		h.vipFails = true
		w.after(w.span(), func() { h.vipFails = false })
	case VIPSlow:
		h.vipSlow = w.between(time.Millisecond, w.plan.Lease)
		w.after(w.span(), func() { h.vipSlow = 0 })
	case Stranger:
		w.segments[g].comes()
		w.after(w.span(), w.segments[g].goes)
	default:
		return false
	}
	return true
}
