package agent

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"redkeep/internal/act/advertise"
	"redkeep/internal/act/reach"
	"redkeep/internal/act/vip"
	"redkeep/internal/decide"
	"redkeep/internal/decide/group"
	"redkeep/internal/decide/pair"
	"redkeep/internal/picture"
	"redkeep/internal/speak/advert"
	"redkeep/internal/speak/config"
	"redkeep/internal/words"
)

// machine is what decides for a group: group.Machine, or pair.Machine where there are two nodes.
type machine interface {
	Step(at words.Instant, ev decide.Event) []decide.Action
	Wake() (words.Instant, bool)
	HoldUntil() words.Instant
	Picture() picture.Group
}

// newMachine makes the one that the file's number of nodes wants.
func (a *Agent) newMachine(g *groupWork, boot decide.Boot) machine {
	setup := a.setup(g)
	c := a.opt.Config
	if !c.PairOf() {
		return group.New(setup, boot)
	}
	return pair.New(pair.Setup{Setup: setup, Advert: c.Advert(), Down: masterDown(c.Advert()), TieBreakers: len(c.TieBreakers) > 0}, boot)
}

// priority is a pair's, of both: which of them is master is not decided by it. The skew is short with a high one.
const priority = 254

// masterDown is for how long no advertisement may be heard until their sender counts as gone (RFC 5798 §6.1).
func masterDown(interval time.Duration) time.Duration {
	skew := (256 - priority) * interval / 256
	return 3*interval + skew
}

// segment is how a pair's group speaks on the segment, and to whom.
type segment struct {
	hand      *advertise.Hand
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
	if len(s.addresses) == 0 {
		return fmt.Errorf("open the pair's segment of group %s: no vip is of the nodes' own family; add one that is", g.conf.Name)
	}
	dev, err := vip.FindDevice(s.from)
	if err != nil {
		return fmt.Errorf("open the pair's segment: %w", err)
	}
	s.advert = advert.Advert{Version: 3, VRID: g.conf.VRID, Priority: priority, Interval: c.Advert(), Addresses: s.addresses}
	s.hand, err = advertise.Open(advertise.Config{Dev: dev, IPv6: s.from.Is6(), OnHeard: func(h advertise.Heard) { a.onAdvert(g, h) }})
	if err != nil {
		return fmt.Errorf("open the pair's segment: %w", err)
	}
	g.segment = s
	return nil
}

// carryAdvert sends an advertisement to the other node. It waits for nobody, and so is done by the loop itself: a late one is a
// failover.
func (a *Agent) carryAdvert(g *groupWork, act decide.Advertise) {
	ad := g.segment.advert
	if act.Leaving {
		ad.Priority = 0
	}
	a.later(g.conf.Name, done(act.Ticket, g.segment.hand.Send(&ad, g.segment.from, g.segment.to)))
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

// openReach watches the tie-breakers, for all groups.
func (a *Agent) openReach() error {
	c := a.opt.Config
	if len(c.TieBreakers) == 0 {
		return nil
	}
	var err error
	reached := true // what the machines know of before the first answer has its own time
	a.reach, err = reach.Open(reach.Config{
		Hosts: c.TieBreakers, Every: c.Advert(), Silent: masterDown(c.Advert()), Now: now,
		OnNews: func(is bool, asked words.Instant) {
			if is != reached {
				a.log.Info("tie-breakers", "reached", is)
			}
			reached = is
			for _, name := range a.order {
				a.post(name, decide.Reached{OK: is, Asked: asked})
			}
		},
	})
	return err
}

// startPair starts what only a pair has.
func (a *Agent) startPair(ctx context.Context, work *errgroup.Group) {
	if a.reach != nil {
		work.Go(func() error { return a.reach.Run(ctx) })
	}
	for _, name := range a.order {
		if s := a.groups[name].segment; s != nil {
			work.Go(func() error {
				err := s.hand.Run(ctx)
				if errors.Is(err, context.Canceled) {
					return nil
				}
				return err
			})
		}
	}
}

// lookAtWindows tells the machines whose hours of going back have begun or ended. It is asked about once a second.
func (a *Agent) lookAtWindows(at time.Time) {
	for _, name := range a.order {
		g := a.groups[name]
		if g.conf.Failback != config.FailbackWindow {
			continue
		}
		if is := g.conf.Window.Has(at); is != g.windowOpen {
			g.windowOpen = is
			a.later(name, decide.FailBackWindow{Open: is})
		}
	}
}
