package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/decide/pair"
	"redkeep/internal/speak/explain"
	"redkeep/internal/speak/peermsg"
	"redkeep/internal/speak/record"
	"redkeep/internal/words"
)

// orderBudget bounds an order to the server that names no time of its own.
const orderBudget = 2 * time.Second

// errBehind says that a hand has not come to an action in time.
var errBehind = errors.New("too much is waiting for this hand")

// carry hands an action to whoever carries it out.
func (a *Agent) carry(g *groupWork, action decide.Action) {
	switch act := action.(type) {
	case decide.Send:
		if act.To == pair.Segment {
			return // of a pair that gets a witness: the list of voters still has the segment, which nobody hears any more
		}
		a.peer.Send(act.To, peermsg.Append(nil, g.conf.Name, act.Message))
	case decide.Persist:
		a.carryPersist(g, act)
	case decide.Arm:
		a.onGate(g, act.Ticket, func() error { return a.gate.Arm(g.conf.Name, act.Slot, act.For) })
	case decide.SetGate:
		a.onGate(g, act.Ticket, func() error { return a.gate.Set(g.conf.Name, want(g, act.Gate)) })
	case decide.ResetClients:
		a.carryReset(g, act)
	case decide.ProbeVIP:
		a.carryProbe(g, act)
	case decide.SetVIP:
		a.carryAddress(g, act)
	case decide.AnnounceVIP:
		a.carryAnnouncement(g)
	case decide.Instruct:
		a.carryOrder(g, act)
	case decide.Reach:
		a.reach.Ask()
	case decide.Advertise:
		a.carryAdvert(g, act)
	case decide.Announce:
		a.announce(g, act)
	case decide.Note:
		a.note(g, act.Reason)
	case decide.Reply:
		a.answer(act)
	case decide.Halt:
		a.note(g, act.Reason)
		a.fail(fmt.Errorf("group %s: %s", g.conf.Name, explain.Sentence(act.Reason)))
	}
}

func done(t decide.Ticket, err error) decide.Done {
	if err != nil {
		return decide.Done{Ticket: t, Err: err.Error()}
	}
	return decide.Done{Ticket: t}
}

// give has a hand do something that answers with an event. One whose queue is full answers at once, with the event for that.
func (a *Agent) give(g *groupWork, hand *queue, full decide.Event, do func(context.Context) decide.Event) {
	if !hand.add(func(ctx context.Context) { a.post(g.conf.Name, do(ctx)) }) {
		a.later(g.conf.Name, full)
	}
}

// onGate queues a call of the gate's hand. Where there is no gate, everything is as if it were done: the fence is soft, and says so.
func (a *Agent) onGate(g *groupWork, t decide.Ticket, call func() error) {
	if !a.gated(g) {
		a.later(g.conf.Name, decide.Done{Ticket: t})
		return
	}
	a.give(g, a.gates, done(t, errBehind), func(context.Context) decide.Event { return done(t, call()) })
}

func (a *Agent) carryPersist(g *groupWork, act decide.Persist) {
	act.Register.BootID = a.store.BootID()
	a.give(g, g.disk, done(act.Ticket, errBehind), func(context.Context) decide.Event {
		return done(act.Ticket, a.store.Save(g.conf.Name, record.Append(nil, act.Register)))
	})
}

func (a *Agent) carryReset(g *groupWork, act decide.ResetClients) {
	if g.resets == nil {
		a.later(g.conf.Name, decide.Done{Ticket: act.Ticket})
		return
	}
	a.give(g, g.resets, done(act.Ticket, errBehind), func(ctx context.Context) decide.Event {
		ctx, cancel := context.WithTimeout(ctx, orderBudget)
		defer cancel()
		var err error
		a.grounded(g, func() { err = a.reset(ctx, g, act) })
		if err != nil {
			a.log.Warn("connections could not be reset", "group", g.conf.Name, "err", err)
		}
		return done(act.Ticket, err)
	})
}

func (a *Agent) carryOrder(g *groupWork, act decide.Instruct) {
	if g.orders == nil {
		a.later(g.conf.Name, decide.Ordered{Ticket: act.Ticket, Err: "no server on this node"})
		return
	}
	full := decide.Ordered{Ticket: act.Ticket, Err: errBehind.Error()}
	a.give(g, g.orders, full, func(ctx context.Context) decide.Event {
		server, links, err := a.giveOrder(ctx, g, act.Order)
		ev := decide.Ordered{Ticket: act.Ticket, Server: server, Links: links}
		if err != nil {
			ev.Err = err.Error()
			a.log.Warn("order failed", "group", g.conf.Name, "order", fmt.Sprintf("%T", act.Order), "err", err)
		}
		return ev
	})
}

// giveOrder gives the server one order.
func (a *Agent) giveOrder(ctx context.Context, g *groupWork, order decide.Order) (s words.Server, links []decide.Link, err error) {
	budget := orderBudget
	if w, ok := order.(decide.AwaitOffset); ok {
		budget = w.For
	}
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	switch o := order.(type) {
	case decide.Look:
		s, err = g.server.Look(ctx)
	case decide.Seal:
		s, err = g.server.Seal(ctx, o.RunID, o.Drain)
	case decide.Demote:
		s, err = g.server.Demote(ctx, o.RunID)
	case decide.Promote:
		s, err = g.server.Promote(ctx, o.RunID)
	case decide.Follow:
		addr := g.addrs[o.Node]
		s, err = g.server.Follow(ctx, o.RunID, addr.Addr().String(), addr.Port())
	case decide.Pause:
		s, links, err = g.server.Pause(ctx, o.RunID, o.For)
	case decide.Unpause:
		s, err = g.server.Unpause(ctx)
	case decide.AwaitOffset:
		s, err = g.server.AwaitOffset(ctx, o.Offset)
	case decide.KillClients:
		s, err = g.server.KillClients(ctx, o.RunID)
	case decide.FenceBirth:
		s, err = g.server.FenceBirth(ctx)
	case decide.UnfenceBirth:
		s, err = g.server.UnfenceBirth(ctx)
	}
	return s, links, err
}

// announce tells the Sentinel face's subscribers, who will find the new master in the picture.
func (a *Agent) announce(g *groupWork, act decide.Announce) {
	a.publish()
	a.face.Announce(g.conf.Name, act.Epoch, act.Old, act.New)
}

// note logs a decision or a refusal and adds it to the history.
func (a *Agent) note(g *groupWork, r words.Reason) {
	a.decided = true
	sentence := explain.Sentence(r)
	a.log.Info(string(r.Code), "group", g.conf.Name, "what", sentence)
	if a.opt.Trace != nil {
		a.opt.Trace(g.conf.Name, r)
	}
	line := record.Noted(time.Now(), sentence, r)
	g.disk.add(func(context.Context) {
		if err := a.store.Append(g.conf.Name, line); err != nil {
			a.log.Warn("history not written", "group", g.conf.Name, "err", err)
		}
	})
}
