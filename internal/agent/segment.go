package agent

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"

	"redkeep/internal/act/advertise"
	"redkeep/internal/act/link"
	"redkeep/internal/act/vip"
	"redkeep/internal/decide"
	"redkeep/internal/speak/advert"
)

// segment is how a pair's group speaks on the segment, and to whom.
type segment struct {
	// hand is of the device as it is; device tells when that has been replaced by another of its name.
	hand      atomic.Pointer[advertise.Hand]
	device    *link.Hand
	advert    advert.Advert
	from, to  netip.Addr
	addresses []netip.Addr
}

// openSegment opens the sockets of a pair's group.
func (a *Agent) openSegment(g *groupWork) error {
	c := a.opt.Config
	if !c.PairOf() {
		return nil
	}
	s := &segment{from: a.opt.Self.Addr}
	for _, n := range c.Nodes {
		if n.Name != a.opt.Self.Name {
			s.to = n.Addr
		}
	}
	for _, v := range g.conf.VIPs {
		if v.Addr.Is4() == s.from.Is4() {
			s.addresses = append(s.addresses, v.Addr)
		}
	}
	dev, err := vip.FindDevice(s.from)
	if err != nil {
		return fmt.Errorf("open the pair's segment: %w", err)
	}
	s.advert = advert.Advert{Version: 3, VRID: g.conf.VRID, Priority: priority, Interval: c.Advert(), Addresses: s.addresses}
	socket := advertise.Config{Dev: dev, IPv6: s.from.Is6(), OnHeard: func(h advertise.Heard) { a.onAdvert(g, h) }}
	hand, err := advertise.Open(socket)
	if err != nil {
		return fmt.Errorf("open the pair's segment: %w", err)
	}
	s.hand.Store(hand)
	g.segment = s
	s.device, err = link.Open(link.Config{Devices: []string{dev}, Virtual: s.addresses, OnChange: func(d link.Device) { a.onDevice(g, d, socket) }})
	if err != nil {
		return fmt.Errorf("open the pair's segment: %w", err)
	}
	return nil
}

// onDevice has a device that was made anew, as a bond or a VLAN is at times, spoken and listened on again: the sockets of the one before do
// neither, and where no advertisement can leave the segment votes for nobody. If it fails, the device's next news have it tried again.
func (a *Agent) onDevice(g *groupWork, d link.Device, socket advertise.Config) {
	old := g.segment.hand.Load()
	if d.Index == 0 || d.Index == old.Index() {
		return
	}
	hand, err := advertise.Open(socket)
	a.log.Warn("the pair's device has been replaced", "group", g.conf.Name, "dev", d.Name, "err", err)
	if err != nil {
		return
	}
	g.segment.hand.Store(hand)
	_ = old.Close()
}

// hear receives, on one device after the other.
func (s *segment) hear(ctx context.Context) error {
	for {
		hand := s.hand.Load()
		err := hand.Run(ctx)
		if ctx.Err() != nil || errors.Is(err, context.Canceled) {
			return nil
		}
		if s.hand.Load() == hand {
			return err
		}
	}
}

// close closes the sockets, when nothing runs any more.
func (s *segment) close() {
	_ = s.hand.Load().Close()
	if s.device != nil {
		s.device.Close()
	}
}

// carryAdvert sends an advertisement to the other node. It waits for nobody, and so is done by the loop itself: a late one is a
// failover.
func (a *Agent) carryAdvert(g *groupWork, act decide.Advertise) {
	ad := g.segment.advert
	if act.Leaving {
		ad.Priority = 0
	}
	a.later(g.conf.Name, done(act.Ticket, g.segment.hand.Load().Send(&ad, g.segment.from, g.segment.to)))
}

// onAdvert judges what was heard of the group's virtual router. It is called from the hand's goroutine.
func (a *Agent) onAdvert(g *groupWork, h advertise.Heard) {
	s := g.segment
	if h.Advert.VRID != s.advert.VRID || h.From == s.from {
		return
	}
	ev := decide.Advertised{By: h.From.String(), Leaving: h.Advert.Priority == 0, Down: masterDown(h.Advert.Interval)}
	ev.Wrong = s.flaw(h)
	a.post(g.conf.Name, ev)
}

// flaw says why an advertisement can't be the other node's; "" where it can.
func (s *segment) flaw(h advertise.Heard) string {
	switch {
	case h.Err != nil:
		return "its advertisement can't be read: " + h.Err.Error()
	case h.From != s.to:
		return "it uses this group's vrid, and is not the other node of redkeep.yaml"
	case h.Hops != 255:
		return fmt.Sprintf("its advertisement has come through a router: hop limit %d, not 255", h.Hops)
	case h.Advert.Version != s.advert.Version:
		return fmt.Sprintf("it speaks version %d, this node version %d", h.Advert.Version, s.advert.Version)
	case !sameAddresses(h.Advert.Addresses, s.addresses):
		return fmt.Sprintf("it has the addresses %v, this node %v", h.Advert.Addresses, s.addresses)
	default:
		return ""
	}
}

func sameAddresses(a, b []netip.Addr) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
