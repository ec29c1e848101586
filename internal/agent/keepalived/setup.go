package keepalived

import (
	"fmt"
	"net"
	"net/netip"

	"redkeep/internal/act/advertise"
	"redkeep/internal/act/link"
	"redkeep/internal/decide"
	"redkeep/internal/decide/vrrp"
	"redkeep/internal/speak/advert"
	"redkeep/internal/speak/keepalivedconf"
)

// setup is what the machine is told of a configuration.
func (p *process) setup(c *keepalivedconf.Config) vrrp.Setup {
	var s vrrp.Setup
	for i := range c.Instances {
		s.Routers = append(s.Routers, routerOf(c, &c.Instances[i]))
	}
	for _, g := range c.Groups {
		var ids []vrrp.ID
		for _, name := range g.Instances {
			ids = append(ids, vrrp.ID(name))
		}
		s.Groups = append(s.Groups, vrrp.Group{Members: ids, Weights: g.Weights})
	}
	return s
}

func routerOf(c *keepalivedconf.Config, i *keepalivedconf.Instance) vrrp.Router {
	r := vrrp.Router{
		ID: vrrp.ID(i.Name), Link: i.Interface, Source: i.Source, Version: uint8(i.Version), VRID: uint8(i.VRID), Priority: uint8(i.Priority),
		Interval: i.AdvertInt, NoPreempt: i.NoPreempt, PreemptDelay: i.PreemptDelay,
		DownAdverts: i.DownTimerAdverts, QuietLower: i.LowerNoAdvert, LastWord: i.HigherAdvert, PlainSum: i.PlainChecksum, Group: i.Group,
		Announce: vrrp.Announcing{Repeat: i.Announce.Repeat, Again: i.Announce.Delay, Refresh: i.Announce.Refresh},
	}
	if i.Announce.Refresh == 0 {
		r.Announce.Refresh = vrrp.DefaultAnnouncing().Refresh
	}
	if !i.Password.Empty() {
		r.Auth, r.Secret = vrrp.Password, i.Password
	}
	for _, a := range i.VIPs {
		r.Addresses = append(r.Addresses, a.Prefix.Addr())
	}
	for _, peer := range i.Peers {
		r.Peers = append(r.Peers, peer.Addr)
	}
	r.Tracks = tracksOf(c, i)
	return r
}

// tracksOf are the checks of an instance, its own device among them. Inside a group weights don't count, as with keepalived.
func tracksOf(c *keepalivedconf.Config, i *keepalivedconf.Instance) (all []vrrp.Track) {
	if !i.DontTrackPrimary {
		all = append(all, vrrp.Track{Name: linkName(i.Interface)})
	}
	add := func(name string, w keepalivedconf.Weight) {
		all = append(all, vrrp.Track{Name: name, Weight: w.Value, Reverse: w.Reverse})
	}
	for _, t := range i.Interfaces {
		add(linkName(t.Name), t.Weight)
	}
	for _, t := range i.Scripts {
		add(scriptName(t.Name), t.Weight)
	}
	for _, t := range i.Processes {
		add(processName(t.Name), t.Weight)
	}
	for _, g := range c.Groups {
		for _, member := range g.Instances {
			if member != i.Name {
				continue
			}
			for _, t := range g.Interfaces {
				all = append(all, vrrp.Track{Name: linkName(t.Name)})
			}
			for _, t := range g.Scripts {
				all = append(all, vrrp.Track{Name: scriptName(t.Name)})
			}
		}
	}
	return all
}

// Checks are of several kinds, and names may be the same.
func linkName(dev string) string     { return "interface " + dev }
func scriptName(name string) string  { return "script " + name }
func processName(name string) string { return "process " + name }

// openSockets opens those that are not open yet.
func (p *process) openSockets(s vrrp.Setup) error {
	for _, r := range s.Routers {
		key := socket{r.Link, r.Addresses[0].Is6()}
		if p.sockets[key] != nil {
			continue
		}
		c := advertise.Config{Dev: r.Link, IPv6: key.ipv6, OnHeard: func(h advertise.Heard) {
			p.post(func() { p.step(heardOn(key.dev, h)) })
		}}
		if r.Group.IsValid() {
			c.Groups = []netip.Addr{r.Group}
		}
		hand, err := advertise.Open(c)
		if err != nil {
			return fmt.Errorf("open the segment of %s: %w", r.Link, err)
		}
		p.sockets[key] = hand
		p.work.Go(func() error { return ending(p.ctx, hand.Run(p.ctx)) })
	}
	return nil
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
	hand := p.sockets[socket{a.Link, a.From.Is6()}]
	done := vrrp.Done{Ticket: a.Ticket}
	if hand == nil {
		done.Failed = "no socket on " + a.Link
		return done
	}
	out := advert.Advert{
		Version: a.Advert.Version, VRID: a.Advert.VRID, Priority: a.Advert.Priority, Interval: a.Advert.Interval,
		Addresses: a.Advert.Addresses, Auth: advert.Auth(a.Advert.Auth), Secret: a.Advert.Secret,
	}
	if a.Advert.PlainSum {
		out.Checksum = advert.Plain
	}
	sent := false
	for _, to := range a.To {
		if err := hand.Send(&out, a.From, to); err != nil {
			done.Failed = err.Error()
		} else {
			sent = true
		}
	}
	if sent {
		done.Failed = ""
	}
	return done
}

// follow has the devices of all routers and checks watched, until the end.
func (p *process) follow(s vrrp.Setup) error {
	c := link.Config{OnChange: func(d link.Device) { p.post(func() { p.onLink(d) }) }}
	seen := map[string]bool{}
	add := func(dev string) {
		if !seen[dev] {
			seen[dev] = true
			c.Devices = append(c.Devices, dev)
		}
	}
	for _, r := range s.Routers {
		add(r.Link)
		c.Virtual = append(c.Virtual, r.Addresses...)
	}
	for _, i := range p.conf.Instances {
		for _, t := range i.Interfaces {
			add(t.Name)
		}
	}
	for _, g := range p.conf.Groups {
		for _, t := range g.Interfaces {
			add(t.Name)
		}
	}
	hand, err := link.Open(c)
	if err != nil {
		return fmt.Errorf("follow the network devices: %w", err)
	}
	p.work.Go(func() error {
		defer hand.Close()
		return ending(p.ctx, hand.Run(p.ctx))
	})
	return nil
}

// onLink tells the routers of a device: whether it is up, and their own address on it.
func (p *process) onLink(d link.Device) {
	before, known := p.links[d.Name]
	p.links[d.Name] = d
	for i := range p.conf.Instances {
		c := &p.conf.Instances[i]
		if c.Interface != d.Name || c.Source.IsValid() {
			continue
		}
		own := d.IPv4
		if c.IPv6() {
			own = d.LinkLocal
		}
		p.step(vrrp.Sourced{ID: vrrp.ID(c.Name), Addr: own})
	}
	if !known || before.Up != d.Up {
		p.step(vrrp.Tracked{Name: linkName(d.Name), Passed: d.Up})
	}
	if known && before.Index != d.Index && d.Index != 0 {
		p.reopen(d.Name)
	}
}

// reopen makes the sockets of a device anew that was replaced by another one of its name.
func (p *process) reopen(dev string) {
	if _, err := net.InterfaceByName(dev); err != nil {
		return
	}
	for _, v6 := range []bool{false, true} {
		key := socket{dev, v6}
		if old := p.sockets[key]; old != nil {
			_ = old.Close()
			delete(p.sockets, key)
		}
	}
	if err := p.openSockets(p.setup(p.conf)); err != nil {
		p.log.Error("a device was replaced", "dev", dev, "err", err)
	}
}

// none is the ticket of what nobody waits for.
const none = decide.Ticket(0)
