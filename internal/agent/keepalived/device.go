package keepalived

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"redkeep/internal/act/link"
	"redkeep/internal/decide/vrrp"
	"redkeep/internal/speak/keepalivedconf"
)

// devicesOf are those that a configuration's routers and checks are about, and the addresses that are nobody's own.
func devicesOf(c *keepalivedconf.Config) (all link.Config) {
	add := func(dev string) {
		if !slices.Contains(all.Devices, dev) {
			all.Devices = append(all.Devices, dev)
		}
	}
	for i := range c.Instances {
		one := &c.Instances[i]
		add(one.Interface)
		if one.TrackSource && one.Source.IsValid() && !slices.Contains(all.Asked, one.Source) {
			all.Asked = append(all.Asked, one.Source)
		}
		for _, t := range one.Interfaces {
			add(t.Name)
		}
		for _, where := range placesOf(one) {
			add(where.Dev)
			all.Virtual = append(all.Virtual, where.Addr)
		}
	}
	for _, g := range c.Groups {
		for _, t := range g.Interfaces {
			add(t.Name)
		}
	}
	return all
}

// follower is the hand that watches the devices of a configuration, until it is cancelled.
type follower struct {
	devices link.Config
	hand    *link.Hand
	ctx     context.Context
	cancel  context.CancelFunc
}

// newFollower opens a hand for the devices of a configuration, which is not told of anything yet; nil where the present one will do.
func (p *process) newFollower(c *keepalivedconf.Config) (*follower, error) {
	all := devicesOf(c)
	if f := p.following; f != nil && slices.Equal(all.Devices, f.devices.Devices) && slices.Equal(all.Virtual, f.devices.Virtual) &&
		slices.Equal(all.Asked, f.devices.Asked) {
		return nil, nil
	}
	f := &follower{devices: all}
	f.ctx, f.cancel = p.until()
	all.OnChange = func(d link.Device) {
		p.post(func() {
			if f.ctx.Err() == nil {
				p.onLink(d)
			}
		})
	}
	var err error
	if f.hand, err = link.Open(all); err != nil {
		f.cancel()
		return nil, fmt.Errorf("follow the network devices: %w", err)
	}
	return f, nil
}

// follow has a new hand watch the devices, in place of the one before. It tells of each of them at once.
func (p *process) follow(f *follower) {
	if p.following != nil {
		p.following.cancel()
	}
	p.following = f
	maps.DeleteFunc(p.links, func(dev string, _ link.Device) bool { return !slices.Contains(f.devices.Devices, dev) })
	p.work.Go(func() error {
		defer f.hand.Close()
		return ending(f.ctx, f.hand.Run(f.ctx))
	})
}

// onLink notes what a device is now, and tells the routers.
func (p *process) onLink(d link.Device) {
	before, known := p.links[d.Name]
	p.links[d.Name] = d
	if d.Index != 0 && before.Index != d.Index {
		p.reopen(d.Name)
	}
	p.source(d)
	if !known || before.Up != d.Up {
		p.log.Info("interface", "dev", d.Name, "up", d.Up)
		p.step(vrrp.Tracked{Name: linkName(d.Name), Passed: d.Up})
	}
}

// source tells the routers on a device of their own address there.
func (p *process) source(d link.Device) {
	for i := range p.conf.Instances {
		c := &p.conf.Instances[i]
		if c.Interface != d.Name || c.Source.IsValid() && !c.TrackSource {
			continue
		}
		own := d.IPv4
		if c.IPv6() {
			own = d.LinkLocal
		}
		if c.TrackSource && c.Source.IsValid() {
			own = c.Source
			if bit := slices.Index(p.following.devices.Asked, own); bit < 0 || d.Has&(1<<bit) == 0 {
				own = netip.Addr{}
			}
		}
		p.step(vrrp.Sourced{ID: vrrp.ID(c.Name), Addr: own})
	}
}

// introduce tells routers that are new what is known of their devices already. Their own addresses are left to the follower where that is new:
// what is known of them answers what the one before it was asked.
func (p *process) introduce(sources bool) {
	for _, dev := range p.following.devices.Devices {
		d, known := p.links[dev]
		if !known {
			continue
		}
		if sources {
			p.source(d)
		}
		p.step(vrrp.Tracked{Name: linkName(dev), Passed: d.Up})
	}
}

// reopen makes the sockets and the addresses of a device that was replaced by another one of its name, or came at last.
func (p *process) reopen(dev string) {
	p.mendSockets()
	for _, r := range p.routers {
		if !r.deleted && slices.ContainsFunc(placesOf(r.conf), func(o place) bool { return o.Dev == dev }) {
			p.replace(r)
		}
	}
}

// mendSockets opens the sockets that are lacking, and comes back where it can't.
func (p *process) mendSockets() {
	setup := setupOf(p.conf)
	fresh, err := p.newSockets(&setup)
	p.takeSockets(fresh)
	if err != nil {
		p.log.Error("a device has come, or was replaced", "err", err, "again in", mending)
		p.mend.Reset(mending)
	}
}

// mending is from one attempt to open a socket to the next.
const mending = time.Second
