package agent

import (
	"context"
	"errors"

	"redkeep/internal/act/flows"
	"redkeep/internal/act/vip"
	"redkeep/internal/decide"
	"redkeep/internal/picture"
	"redkeep/internal/speak/config"
	"redkeep/internal/speak/explain"
	"redkeep/internal/words"
)

// openAddress takes over the hand of a group's virtual addresses, where this node may come to have them.
func (a *Agent) openAddress(g *groupWork) error {
	if len(g.conf.VIPs) == 0 || !g.conf.HasData(a.opt.Self.Name) {
		return nil
	}
	conf := vip.Config{
		Group: g.conf.Name, Log: a.log,
		OnEvent: func(e vip.Event) { a.onAddress(g, e) },
		Holds:   func() bool { return now() < words.Instant(g.holdEnds.Load()) },
	}
	for _, v := range g.conf.VIPs {
		conf.Addresses = append(conf.Addresses, vip.Address{Addr: v.Addr, Dev: v.Dev})
	}
	var err error
	if g.vip, err = vip.Open(conf); err != nil {
		return err
	}
	g.vips, g.probes = newQueue(), newQueue()
	g.lookAtAddress()
	return nil
}

// lookAtAddress keeps what the hand says of the addresses for the picture: the loop must not wait for the hand, which may be
// waiting for the kernel.
func (g *groupWork) lookAtAddress() {
	state := g.vip.State()
	g.vipState.Store(&state)
}

// carryAddress sets the addresses, after the connections on them have been reset: on the way down blocked clients would wait
// for ever otherwise, and on the way up what an earlier master left must not be taken for a client's.
func (a *Agent) carryAddress(g *groupWork, act decide.SetVIP) {
	if g.vip == nil {
		a.later(g.conf.Name, decide.Done{Ticket: act.Ticket})
		return
	}
	a.give(g, g.vips, done(act.Ticket, errBehind), func(ctx context.Context) decide.Event {
		ctx, cancel := context.WithTimeout(ctx, orderBudget)
		defer cancel()
		if !act.Up {
			a.grounded(g, func() { a.resetAddress(ctx, g) })
		} else if act.Fresh {
			a.resetAddress(ctx, g)
		}
		var err error
		if act.Linger {
			g.vip.Hush()
		} else {
			err = g.vip.Set(ctx, act.Up, act.For)
		}
		g.lookAtAddress()
		return done(act.Ticket, err)
	})
}

// grounded resets connections where the address may have gone by itself, while the agent was dead or stopped: it is put back for
// that moment, or their clients would not hear that they are over. Behind no gate others would be told where it is, so there it
// stays away.
func (a *Agent) grounded(g *groupWork, reset func()) {
	if g.vip == nil || a.gate == nil || g.conf.Gate != config.GateOn || !g.vip.Missing() {
		reset()
		return
	}
	if n, err := flows.Count(g.conf.Server.Ports(), g.conf.Addresses()); err != nil || n == 0 {
		reset()
		return
	}
	err := g.vip.Ground()
	reset()
	if err = errors.Join(err, g.vip.Lift()); err != nil {
		a.log.Warn("connections on the virtual address can't be told that they are over", "group", g.conf.Name, "err", err)
	}
}

// resetAddress ends the connections of the group's clients on its addresses.
func (a *Agent) resetAddress(ctx context.Context, g *groupWork) {
	n, err := flows.Destroy(ctx, g.conf.Server.Ports(), flows.Keep{But: g.conf.Addresses()})
	if err != nil {
		a.log.Warn("connections on the virtual address could not be reset", "group", g.conf.Name, "err", err)
	} else if n > 0 {
		a.log.Info("connections on the virtual address reset", "group", g.conf.Name, "count", n)
	}
}

// carryProbe asks whether somebody else has the addresses, beside what else is to be done with them.
func (a *Agent) carryProbe(g *groupWork, act decide.ProbeVIP) {
	if g.vip == nil {
		a.later(g.conf.Name, decide.Probed{Ticket: act.Ticket})
		return
	}
	full := decide.Probed{Ticket: act.Ticket, Err: errBehind.Error()}
	a.give(g, g.probes, full, func(ctx context.Context) decide.Event {
		ctx, cancel := context.WithTimeout(ctx, orderBudget)
		defer cancel()
		taken, by, err := g.vip.Probe(ctx)
		ev := decide.Probed{Ticket: act.Ticket, Taken: taken, By: by}
		if err != nil {
			ev.Err = err.Error()
		}
		return ev
	})
}

// carryAnnouncement says again where the addresses are; one that finds no room is made up for by the next.
func (a *Agent) carryAnnouncement(g *groupWork) {
	if g.vip != nil {
		g.vips.add(func(context.Context) { g.vip.Announce() })
	}
}

// onAddress tells the machine what happened to an address on this host or on its segment.
func (a *Agent) onAddress(g *groupWork, e vip.Event) {
	g.lookAtAddress()
	seen := decide.VIPSeen{}
	switch e.Kind {
	case vip.Claimed:
		seen.Claimed = e.By
	case vip.Expired: // nobody's doing but this agent's, which did not run
		if e.Err == nil {
			seen.RanOut = e.Life
		}
		a.log.Warn("the virtual address was not renewed in time", "group", g.conf.Name, "addr", e.Addr, "dev", e.Dev, "life", e.Life, "restored_in", e.Took, "err", e.Err)
	default:
		seen.Broken, seen.By = true, whatWasDone(e)
		a.log.Error("the virtual address was changed", "group", g.conf.Name, "addr", e.Addr, "dev", e.Dev, "what", e.Kind, "by", e.By, "restored_in", e.Took, "err", e.Err)
	}
	if e.Err != nil {
		seen.Err = e.Err.Error()
	}
	a.post(g.conf.Name, seen)
}

// pictureAddresses puts together what the machine and the hand know of the addresses. Which of two is here the hand alone knows:
// the machine has both or none.
func (a *Agent) pictureAddresses(g *groupWork, p *picture.Group) {
	var states []vip.Status
	if s := g.vipState.Load(); s != nil {
		states = *s
	}
	for i, v := range g.conf.VIPs {
		out := picture.VIP{Addr: v.Addr, Dev: v.Dev}
		if i < len(states) {
			out.Dev, out.Held, out.Trouble = states[i].Dev, states[i].Held, states[i].Trouble
		}
		if out.Trouble == "" && !p.VIPWhy.Zero() {
			out.Trouble = explain.Sentence(p.VIPWhy)
		}
		p.VIPs = append(p.VIPs, out)
	}
}

// whatWasDone says it in words that follow "the group's address was changed: ".
func whatWasDone(e vip.Event) string {
	what, by := e.Kind.String(), e.By
	switch e.Kind {
	case vip.LinkDown:
		what = "its interface was set down"
	case vip.Added:
		what = "put there unasked"
	}
	if by == "" || by == "unknown" {
		by = "a program that the kernel does not name"
	}
	return what + " by " + by
}
