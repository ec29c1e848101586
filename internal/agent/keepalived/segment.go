package keepalived

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"redkeep/internal/act/advertise"
	"redkeep/internal/decide"
	"redkeep/internal/decide/vrrp"
	"redkeep/internal/speak/advert"
)

// segment names one device and family.
type segment struct {
	dev  string
	ipv6 bool
}

// socket is an open one, and the groups that it is in.
type socket struct {
	hand   *advertise.Hand
	groups []netip.Addr
}

// six reports whether a router speaks over IPv6. One without addresses of its own does not.
func six(r *vrrp.Router) bool { return len(r.Addresses) > 0 && r.Addresses[0].Is6() }

// segmentsOf are what a configuration's routers need, with the groups that they listen to.
func segmentsOf(s *vrrp.Setup) map[segment][]netip.Addr {
	all := map[segment][]netip.Addr{}
	for i := range s.Routers {
		r := &s.Routers[i]
		key := segment{r.Link, six(r)}
		groups := all[key]
		if r.Group.IsValid() && !slices.Contains(groups, r.Group) {
			groups = append(groups, r.Group)
		}
		all[key] = groups
	}
	return all
}

// newSockets opens what routers need and has no open socket, or one of a device that was replaced, or of other groups. Those that are open stay
// so until takeSockets. A device that may still come is waited for; what went wrong with another one does not keep the rest from being opened.
func (p *process) newSockets(s *vrrp.Setup) (map[segment]*socket, error) {
	fresh, failed := map[segment]*socket{}, error(nil)
	for key, groups := range segmentsOf(s) {
		if old := p.sockets[key]; old != nil && slices.Equal(old.groups, groups) && !p.replaced(key.dev, old) {
			continue
		}
		switch one, err := p.openSocket(key, groups); {
		case err == nil:
			fresh[key] = one
		case errors.Is(err, unix.ENODEV):
			p.log.Warn("the device is not there yet", "dev", key.dev) // onLink comes back to it
		default:
			failed = errors.Join(failed, fmt.Errorf("open the segment of %s: %w", key.dev, err))
		}
	}
	return fresh, failed
}

// replaced reports whether the device of a socket is not the one that has its name now.
func (p *process) replaced(dev string, s *socket) bool {
	d, known := p.links[dev]
	return known && d.Index != 0 && d.Index != s.hand.Index()
}

// takeSockets puts sockets in the place of those that are open.
func (p *process) takeSockets(fresh map[segment]*socket) {
	for key, one := range fresh {
		p.closeSocket(key)
		p.sockets[key] = one
	}
}

// closeSurplus closes the sockets, and gives back the claims, that no router needs any more: not before those that a reload has taken away have said their last word.
func (p *process) closeSurplus() {
	if !p.surplus || !p.machine.Buried() {
		return
	}
	p.surplus = false
	setup := setupOf(p.conf)
	wanted := segmentsOf(&setup)
	for key := range p.sockets {
		if _, is := wanted[key]; !is {
			p.closeSocket(key)
		}
	}
	p.releaseSurplus(&setup)
}

// openSocket opens one and listens to it.
func (p *process) openSocket(key segment, groups []netip.Addr) (*socket, error) {
	hand, err := advertise.Open(advertise.Config{Dev: key.dev, IPv6: key.ipv6, Groups: slices.Clone(groups), OnHeard: func(h advertise.Heard) {
		p.post(func() { p.step(heardOn(key.dev, h)) })
	}})
	if err != nil {
		return nil, err
	}
	p.work.Go(func() error { return ending(p.ctx, hand.Run(p.ctx)) })
	return &socket{hand, groups}, nil
}

func (p *process) closeSocket(key segment) {
	if old := p.sockets[key]; old != nil {
		_ = old.hand.Close()
		delete(p.sockets, key)
	}
}

func heardOn(dev string, h advertise.Heard) vrrp.Heard {
	a := h.Advert
	ev := vrrp.Heard{Link: dev, From: h.From, To: h.To, Hops: h.Hops, Advert: vrrp.Advert{
		Version: a.Version, VRID: a.VRID, Priority: a.Priority, Interval: a.Interval, Addresses: a.Addresses,
		Auth: vrrp.Auth(a.Auth), Secret: a.Secret, PlainSum: a.Checksum == advert.Plain,
	}}
	if h.Err != nil {
		ev.Broken = h.Err.Error()
	}
	return ev
}

// advertise sends one to everybody whom it is for.
func (p *process) advertise(a vrrp.Advertise) vrrp.Done {
	done := vrrp.Done{Ticket: a.Ticket}
	s := p.sockets[segment{a.Link, a.From.Is6()}]
	if s == nil || !a.From.IsValid() {
		done.Failed = "no socket, or no address, on " + a.Link
		return done
	}
	out := advert.Advert{
		Version: a.Advert.Version, VRID: a.Advert.VRID, Priority: a.Advert.Priority, Interval: a.Advert.Interval,
		Addresses: a.Advert.Addresses, Auth: advert.Auth(a.Advert.Auth), Secret: a.Advert.Secret,
	}
	if a.Advert.PlainSum {
		out.Checksum = advert.Plain
	}
	hops := a.Hops
	if hops == 0 {
		hops = mostHops
	}
	slot, leased := noSlot, p.routers[a.ID]
	if leased != nil && a.Advert.Priority > 0 { // That of a router that leaves is no claim.
		slot = leased.lease.before()
	}
	sent := false
	for _, to := range a.To {
		if err := s.hand.SendWithin(&out, a.From, to, hops); err != nil {
			done.Failed = err.Error()
		} else {
			sent = true
		}
	}
	if sent {
		done.Failed = ""
		if leased != nil {
			leased.lease.sent(slot)
		}
	}
	return done
}

// mostHops is what shows a receiver that nobody routed an advertisement.
const mostHops = 255

// none is the ticket of what nobody waits for.
const none = decide.Ticket(0)
