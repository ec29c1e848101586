package keepalived

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"

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
		if one.TrackSource && one.Source.IsValid() {
			all.Asked = append(all.Asked, one.Source)
		}
		for _, t := range one.Interfaces {
			add(t.Name)
		}
		for _, v := range slices.Concat(one.VIPs, one.Excluded) {
			all.Virtual = append(all.Virtual, v.Prefix.Addr())
		}
	}
	for _, g := range c.Groups {
		for _, t := range g.Interfaces {
			add(t.Name)
		}
	}
	return all
}

// follow has the devices watched, in place of those that were.
func (p *process) follow(c *keepalivedconf.Config) error {
	all := devicesOf(c)
	if p.stopFollowing != nil && slices.Equal(all.Devices, p.devices.Devices) && slices.Equal(all.Virtual, p.devices.Virtual) &&
		slices.Equal(all.Asked, p.devices.Asked) {
		return nil
	}
	p.devices = all
	ctx, cancel := context.WithCancel(p.ctx)
	all.OnChange = func(d link.Device) {
		p.post(func() {
			if ctx.Err() == nil {
				p.onLink(d)
			}
		})
	}
	hand, err := link.Open(all)
	if err != nil {
		cancel()
		return fmt.Errorf("follow the network devices: %w", err)
	}
	if p.stopFollowing != nil {
		p.stopFollowing()
	}
	p.stopFollowing = cancel
	p.work.Go(func() error {
		defer hand.Close()
		return ending(ctx, hand.Run(ctx))
	})
	return nil
}

// onLink notes what a device is now, and tells the routers.
func (p *process) onLink(d link.Device) {
	before, known := p.links[d.Name]
	p.links[d.Name] = d
	if known && before.Index != d.Index && d.Index != 0 {
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
			if own = c.Source; d.Has&(1<<slices.Index(p.devices.Asked, own)) == 0 {
				own = netip.Addr{}
			}
		}
		p.step(vrrp.Sourced{ID: vrrp.ID(c.Name), Addr: own})
	}
}

// introduce tells routers that are new what is known of their devices already.
func (p *process) introduce() {
	for _, dev := range p.devices.Devices {
		if d, known := p.links[dev]; known {
			p.source(d)
			p.step(vrrp.Tracked{Name: linkName(dev), Passed: d.Up})
		}
	}
}

// reopen makes the sockets of a device anew that was replaced by another one of its name, or came at last.
func (p *process) reopen(dev string) {
	if _, err := net.InterfaceByName(dev); err != nil {
		return
	}
	for _, v6 := range []bool{false, true} {
		p.closeSocket(segment{dev, v6})
	}
	if err := p.openSockets(setupOf(p.conf)); err != nil {
		p.log.Error("a device was replaced", "dev", dev, "err", err)
	}
	for _, r := range p.routers {
		if !r.deleted && r.conf.Interface == dev {
			p.replace(r)
		}
	}
}
