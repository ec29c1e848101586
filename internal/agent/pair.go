package agent

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"redkeep/internal/act/reach"
	"redkeep/internal/decide"
	"redkeep/internal/decide/group"
	"redkeep/internal/decide/pair"
	"redkeep/internal/picture"
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
			work.Go(func() error { return s.hear(ctx) })
			work.Go(func() error {
				if err := s.device.Run(ctx); err != nil { // no reason to end a master
					a.log.Error("the pair's device is not followed any more: restart this agent if it is replaced", "group", name, "err", err)
				}
				return nil
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
