package agent

import (
	"context"
	"fmt"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// batch is how many events one turn takes before it looks at the clocks and publishes.
const batch = 128

// loop is the one goroutine that owns all machines. Each turn takes what has come, steps the machines, hands their actions
// out, and publishes the picture.
func (a *Agent) loop(ctx context.Context) error {
	last, due := awake(), awake()
	if err := a.alarm.set(ctx, 0); err != nil {
		return err
	}
	for {
		var first *letter
		select {
		case <-ctx.Done():
			return nil
		case err := <-a.finish:
			return err
		case l := <-a.mail:
			first = &l
		case <-a.alarm.rings:
		}
		last = a.noticeSleep(last, due)
		a.turn(first)
		a.rouse()
		wait := min(a.untilWake(), a.publishDue())
		due = awake() + wait
		if err := a.alarm.set(ctx, wait); err != nil {
			return err
		}
	}
}

// lateness is how late a turn may be before the machines are told: what is overdue may be this agent's own doing.
const lateness = 10 * time.Millisecond

// noticeSleep tells the machines that this process did not run, before anything else: for as long as a lease, since the loop
// turns several times in one; or past the instant at which it wanted to be woken, which is no silence of anybody else.
func (a *Agent) noticeSleep(last, due time.Duration) time.Duration {
	t := awake()
	slept := t - due
	if gap := t - last; gap >= a.opt.Config.Lease {
		slept = gap
		a.log.Warn("this agent did not run", "for", gap)
	}
	if slept < lateness {
		return t
	}
	for _, name := range a.order {
		a.step(name, decide.Slept{For: slept})
	}
	return t
}

// turn steps the machines with what is in the mailbox, and those that wanted to be woken.
func (a *Agent) turn(first *letter) {
	own := a.backlog
	a.backlog = nil
	for _, l := range own {
		a.step(l.group, l.event)
	}
	if first != nil {
		a.step(first.group, first.event)
	}
	for range batch {
		select {
		case l := <-a.mail:
			a.step(l.group, l.event)
			continue
		default:
		}
		break
	}
	for _, name := range a.order {
		if g := a.groups[name]; now() >= g.wake {
			a.step(name, decide.Tick{})
		}
	}
}

// step steps one machine and hands its actions out. The instant is read after the event was received.
func (a *Agent) step(name words.Group, ev decide.Event) {
	g := a.groups[name]
	if g == nil {
		return
	}
	actions := g.machine.Step(now(), ev)
	// Before any hand hears of them: one that asks whether the lease stands must not be told of the lease before.
	g.holdEnds.Store(int64(g.machine.HoldUntil()))
	for _, act := range actions {
		a.carry(g, act)
	}
	wake, ok := g.machine.Wake()
	if !ok {
		wake = words.Never
	}
	g.wake = wake
}

// untilWake is how long the loop may wait for mail.
func (a *Agent) untilWake() time.Duration {
	if len(a.backlog) > 0 {
		return 0
	}
	first := words.Never
	for _, name := range a.order {
		first = min(first, a.groups[name].wake)
	}
	const idle = time.Second
	if first == words.Never {
		return idle
	}
	return min(max(first.Sub(now()), 0), idle)
}

// rouse has the watches of the servers look now where they soon would. A wake-up costs an idle agent more than what it is for:
// the looks go along with the beats.
func (a *Agent) rouse() {
	for _, name := range a.order {
		if g := a.groups[name]; g.server != nil {
			g.server.Rouse()
		}
	}
}

// publishEvery bounds how often a picture is made where nothing was decided: an agent that only beats is cheap.
const publishEvery = 200 * time.Millisecond

// publishDue publishes the picture if this turn has decided something, or if the last is old enough; and returns how long it
// may wait otherwise. It is not woken for one that is only old enough: the next beat makes it.
func (a *Agent) publishDue() time.Duration {
	age := awake() - a.published
	if a.decided || age >= publishEvery {
		a.publish()
		age = 0
	}
	return publishIdle - age
}

// publishIdle is how old a picture may become where nothing happens at all.
const publishIdle = time.Second

// publish gives the faces the picture of this turn.
func (a *Agent) publish() {
	a.published, a.decided = awake(), false
	n := picture.Node{
		Node: a.opt.Self.Name, Version: a.opt.Version, Session: a.store.Session(), Started: a.started,
		ListenPort: a.opt.Config.TellPort(), Addrs: a.addrs(),
	}
	wall := time.Now()
	a.lookAtWindows(wall)
	for _, name := range a.order {
		g := a.groups[name]
		p := g.machine.Picture()
		a.nameRefusals(&p)
		p.RedisPort = g.conf.Server.LinkPort()
		p.GateMode = fmt.Sprint(g.conf.Gate)
		a.pictureAddresses(g, &p)
		for i := range p.Recent {
			p.Recent[i].At = wall.Add(-p.Recent[i].Ago)
		}
		n.Groups = append(n.Groups, p)
	}
	a.picture.Store(&n)
}
