package keepalived

import (
	"context"

	"redkeep/internal/act/gate"
	"redkeep/internal/decide/vrrp"
	"redkeep/internal/speak/keepalivedconf"
)

// needGate makes the gate where some instance of a configuration needs it. A host that can't have it does without, and is told so once.
func (p *process) needGate(c *keepalivedconf.Config) {
	if p.gate != nil || p.gateless {
		return
	}
	for i := range c.Instances {
		if termOf(&c.Instances[i]) == 0 {
			continue
		}
		made, err := gate.OpenAddresses(p.log)
		if err != nil {
			p.gateless = true
			p.log.Warn("without the kernel's gate an address stays for whole seconds when this program is killed, and others take it too", "err", err)
		}
		p.gate = made
		return
	}
}

// ungate takes the gate away, at the end of routers that have left: where no other process here uses it, and it judges nothing any more. What is left of
// it is empty as soon as the lives of its addresses are over, and harms nobody.
func (p *process) ungate() {
	if p.gate == nil || !p.isLast() {
		return
	}
	if err := p.gate.Remove(); err != nil {
		p.log.Warn("the kernel's gate is left, and is empty in some seconds; remove it with: "+
			"nft delete table inet redkeep_keepalived; nft delete table arp redkeep_keepalived", "err", err)
	}
}

// rule gives a router's addresses the lease that its file now asks for.
func (p *process) rule(r *router) {
	if why := unleased(r.conf); why != "" {
		r.log.Warn("the address stays for whole seconds when this program is killed, and others take it too", "since", why)
	}
	r.lease.rule(p.gate, r.conf)
}

// setAddress puts addresses on, or renews them, behind the lease that the last advertisement stands for.
func (p *process) setAddress(a vrrp.SetAddress) {
	set := func(ctx context.Context, r *router) string { return text(r.set(ctx, p, true, a.Until)) }
	r := p.routers[a.ID]
	if r == nil || !r.lease.due() {
		p.job(a.ID, a.Ticket, set)
		return
	}
	point, outcome := r.lease.point()
	given := p.job(a.ID, a.Ticket, func(ctx context.Context, r *router) string {
		pointed, armed := point()
		p.post(func() { outcome(pointed, armed) })
		return set(ctx, r)
	})
	if !given {
		outcome(false, false)
	}
}

// dropAddress takes addresses off. One that could not be stays silent until its life is over.
func (p *process) dropAddress(a vrrp.DropAddress) {
	if r := p.routers[a.ID]; r != nil {
		r.lease.fallen()
	}
	p.job(a.ID, a.Ticket, func(ctx context.Context, r *router) string {
		err := r.set(ctx, p, false, 0)
		if err == nil {
			r.lease.release()
		}
		return text(err)
	})
}
