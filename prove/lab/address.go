package lab

import (
	"fmt"
	"net/netip"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/ether"
	"redkeep/internal/stage/observer"
)

// onlooker is the host from which the group's address is watched.
const onlooker = "onlooker"

// vip is the group's address.
func (s *Site) vip() netip.Addr {
	if s.plan.IPv6 {
		return stage.VIP6
	}
	return stage.VIP
}

// addr is a node's address, as the configuration has it.
func (s *Site) addr(h string) netip.Addr {
	if s.plan.IPv6 {
		return s.Host(h).Addr6()
	}
	return s.Host(h).Addr()
}

// observe begins to ask for the group's address from a third host, all the time: who has it, and whose server takes a
// connection on it.
func (s *Site) observe() {
	s.t.Helper()
	if s.plan.NoVIP {
		return
	}
	var err error
	s.observer, err = observer.Watch(observer.Options{
		Stage: s.Stage, Host: s.Host(onlooker), Addresses: []netip.Addr{s.vip()}, Port: stage.DefaultPort,
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// judgedAddress fails the test where two hosts answered for the group's address at the same time, in whatever way.
func (s *Site) judgedAddress() {
	if s.observer == nil {
		return
	}
	claims, err := s.observer.Stop()
	if err != nil {
		s.t.Errorf("the onlooker: %v", err)
	}
	since := s.begun
	for _, kinds := range [][]ether.Kind{observer.Named, observer.Served} {
		two := s.observer.TwoAnswer(s.vip(), since, kinds...)
		s.t.Logf("%d claims of %s, two hosts at once by %v: %v", len(claims), s.vip(), kinds, two)
		if two > 0 && !s.guilty {
			s.t.Errorf("two hosts answered for %s at the same time, for %v; by %v: %s", s.vip(), two, kinds, s.stretches(kinds))
		}
	}
}

// stretches says who answered and when.
func (s *Site) stretches(kinds []ether.Kind) string {
	text := ""
	for h, spans := range s.observer.Stretches(s.vip(), s.begun, kinds...) {
		for _, one := range spans {
			text += fmt.Sprintf("\n\t%s from %v to %v", h, s.wall(one.From), s.wall(one.To))
		}
	}
	return text
}

// moved is when the group's address was first answered for by another host than before.
func (s *Site) moved(to string, after clock.Instant) (clock.Instant, bool) {
	return s.observer.First(to, s.vip(), after, observer.Named...)
}
