package keepalived

import (
	"context"

	"redkeep/internal/decide"
	"redkeep/internal/decide/vrrp"
)

// act does one thing that the machine wants.
func (p *process) act(a vrrp.Action) {
	switch a := a.(type) {
	case vrrp.Advertise:
		done := p.advertise(a)
		if a.Ticket != none {
			p.later(done)
		}
	case vrrp.Probe:
		p.job(a.ID, a.Ticket, func(ctx context.Context, r *router) string { return r.probe(ctx) })
	case vrrp.SetAddress:
		p.setAddress(a)
	case vrrp.DropAddress:
		p.dropAddress(a)
	case vrrp.Announce:
		p.job(a.ID, none, func(_ context.Context, r *router) string { r.announce(); return "" })
	case vrrp.Promote: // a keepalived.conf has its servers in its scripts, which are told of the state
		p.later(vrrp.Done{Ticket: a.Ticket})
	case vrrp.Demote:
		p.later(vrrp.Done{Ticket: a.Ticket})
	case vrrp.Ask:
		p.later(vrrp.Done{Ticket: a.Ticket})
	case vrrp.Turned:
		p.onTurned(a)
	case vrrp.Contended:
		p.onContended(a)
	case vrrp.Report:
		p.onReport(a)
	}
}

// later gives the machine an event that is of its own actions' making, behind the step that is being done.
func (p *process) later(d vrrp.Done) {
	do := func() { p.step(d) }
	select {
	case p.mail <- do:
	default:
		go p.post(do) // the mailbox is full of what others have to say; ends with the loop at the latest
	}
}

// job has the router's own goroutine do something, and tells the machine what came of it.
// It reports whether that will be done.
func (p *process) job(id vrrp.ID, ticket decide.Ticket, do func(context.Context, *router) string) bool {
	r := p.routers[id]
	if r == nil {
		if ticket != none {
			p.later(vrrp.Done{Ticket: ticket, Failed: "no such instance"})
		}
		return false
	}
	given := r.give(func(ctx context.Context) {
		failed := do(ctx, r)
		if ticket != none {
			p.post(func() { p.step(vrrp.Done{Ticket: ticket, Failed: failed}) })
		} else if failed != "" {
			r.log.Warn("address", "err", failed)
		}
	})
	if !given && ticket != none {
		p.later(vrrp.Done{Ticket: ticket, Failed: "too much waits for the addresses"})
	}
	return given
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// onReport logs a trouble.
func (p *process) onReport(r vrrp.Report) {
	if r.Over {
		p.log.Info("trouble is over", "instance", string(r.ID), "what", r.Trouble.String())
		return
	}
	p.log.Warn("trouble", "instance", string(r.ID), "what", r.Trouble.String())
}
