package lab

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/ether"
	"redkeep/internal/stage/observer"
	"redkeep/internal/stage/writer"
)

// onlooker is the host from which the group's address is watched.
const onlooker = "onlooker"

// vip is the group's address, the first where it has two.
func (s *Site) vip() netip.Addr { return s.vips()[0] }

// vips are all of the group's addresses.
func (s *Site) vips() []netip.Addr {
	switch {
	case s.plan.Both:
		return []netip.Addr{stage.VIP, stage.VIP6}
	case s.plan.IPv6:
		return []netip.Addr{stage.VIP6}
	default:
		return []netip.Addr{stage.VIP}
	}
}

// list writes addresses as the configuration has them.
func list(addresses []netip.Addr) string {
	if len(addresses) == 1 {
		return strconv.Quote(addresses[0].String())
	}
	var quoted []string
	for _, a := range addresses {
		quoted = append(quoted, strconv.Quote(a.String()))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// whole is the group's address as a host carries it.
func (s *Site) whole() netip.Prefix { return netip.PrefixFrom(s.vip(), s.vip().BitLen()) }

// service is where an application that knows the group's address finds it.
func (s *Site) service() netip.AddrPort { return netip.AddrPortFrom(s.vip(), stage.DefaultPort) }

// addr is a node's address, as the configuration has it.
func (s *Site) addr(h string) netip.Addr {
	if s.plan.IPv6 {
		return s.Host(h).Addr6()
	}
	return s.Host(h).Addr()
}

// writeFrom starts an application on another host than the client's, which knows an address of the group and nothing else.
func (s *Site) writeFrom(h string, vip netip.Addr) *writer.Writer {
	s.t.Helper()
	w, err := writer.Start(context.Background(), writer.Options{
		Dial: s.Host(h).Dial, Finder: writer.Fixed(netip.AddrPortFrom(vip, stage.DefaultPort)), Name: "from-" + h,
		Interval: 2 * time.Millisecond, DialTimeout: 20 * time.Millisecond, Identify: s.Whose,
	})
	return s.join(w, err)
}

// observe begins to ask for the group's addresses from a third host, all the time: who has them, and whose server takes a
// connection on them.
func (s *Site) observe() {
	s.t.Helper()
	if !s.plan.NoVIP {
		s.observeFrom(onlooker)
	}
}

// observeFrom does so from a guest, which may see another part of the network than others.
func (s *Site) observeFrom(h string) {
	s.t.Helper()
	o, err := observer.Watch(observer.Options{Stage: s.Stage, Host: s.Host(h), Addresses: s.vips(), Port: stage.DefaultPort})
	if err != nil {
		s.t.Fatal(err)
	}
	s.observers = append(s.observers, o)
}

// judgedAddress fails the test where two nodes answered for an address of the group at the same time, in whatever way, and
// whoever of the observers saw the one and the other. A stranger is the test's own, and no node.
func (s *Site) judgedAddress() {
	if len(s.observers) == 0 {
		return
	}
	count := 0
	for _, o := range s.observers {
		claims, err := o.Stop()
		if err != nil {
			s.t.Errorf("the onlooker: %v", err)
		}
		count += len(claims)
	}
	for i, kinds := range [][]ether.Kind{observer.Named, observer.Served} {
		most := []time.Duration{0, s.astray}[i]
		for _, vip := range s.vips() {
			two := s.twoAnswer(vip, kinds)
			s.t.Logf("%d claims of %s, two hosts at once by %v: %v", count, vip, kinds, two)
			switch {
			case s.shared && two == 0:
				s.t.Errorf("the onlooker did not see that two hosts answered for %s by %v", vip, kinds)
			case !s.shared && !s.guilty && two > most:
				s.t.Errorf("two hosts answered for %s at the same time, for %v; by %v: %s", vip, two, kinds, s.stretches(vip, kinds))
			}
		}
	}
}

// twoAnswer returns for how long two nodes answered for an address, at the least.
func (s *Site) twoAnswer(vip netip.Addr, kinds []ether.Kind) time.Duration {
	var all []map[string][]clock.Span
	for _, o := range s.observers {
		all = append(all, o.Stretches(vip, s.begun, kinds...))
	}
	var most time.Duration
	for _, one := range all {
		for _, other := range all {
			for i, a := range s.plan.Hosts {
				for _, b := range s.plan.Hosts[i+1:] {
					most = max(most, clock.Overlap(one[a], other[b]), clock.Overlap(other[a], one[b]))
				}
			}
		}
	}
	return most
}

// stretches says who answered and when, as each observer saw it.
func (s *Site) stretches(vip netip.Addr, kinds []ether.Kind) string {
	text := ""
	for i, o := range s.observers {
		for h, spans := range o.Stretches(vip, s.begun, kinds...) {
			for _, one := range spans {
				text += fmt.Sprintf("\n\t%s from %v to %v (observer %d)", h, s.wall(one.From), s.wall(one.To), i+1)
			}
		}
	}
	return text
}

// silence is the longest time between an instant and now in which nobody answered the onlooker who asked for the address.
func (s *Site) silence(from clock.Instant) time.Duration {
	last, longest := from, time.Duration(0)
	for _, c := range s.observers[0].Claims() {
		if c.Addr != s.vip() || !slices.Contains(observer.Named, c.Kind) {
			continue
		}
		if c.At >= from {
			longest = max(longest, c.At.Sub(max(last, from)))
		}
		last = max(last, c.At)
	}
	return longest
}

// address reports whether a host has the group's address on its device, whoever answers for it.
func (s *Site) address(h string) bool {
	s.t.Helper()
	has, err := s.Host(h).HasAddress(s.vip())
	s.must(err)
	return has
}

// elected is when another node than that one was elected after an instant, by its own log; false if none was.
func (s *Site) elected(but string, after clock.Instant) (clock.Instant, bool) {
	elections, _ := s.facts()
	for _, f := range elections {
		if f.at >= after && f.node != but {
			return f.at, true
		}
	}
	return 0, false
}
