package keepalived

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"redkeep/internal/act/vip"
	"redkeep/internal/decide/vrrp"
	"redkeep/internal/speak/keepalivedconf"
	"redkeep/internal/words"
)

// router is one instance: its addresses and its scripts.
type router struct {
	id    vrrp.ID
	conf  *keepalivedconf.Instance
	hands []*vip.Hand
	// jobs are what is to be done with the addresses, in their order, by a goroutine of their own.
	jobs  chan func(context.Context)
	notes *notes
	log   *slog.Logger
	state vrrp.State
}

// jobLimit bounds one job, jobsLimit how many wait.
const (
	jobLimit  = 3 * time.Second
	jobsLimit = 64
)

// openRouters makes those that are new, and gives the others what the configuration now says of them.
func (p *process) openRouters(c *keepalivedconf.Config) error {
	for i := range c.Instances {
		conf := &c.Instances[i]
		id := vrrp.ID(conf.Name)
		if r := p.routers[id]; r != nil && sameAddresses(r.conf, conf) {
			r.conf = conf
			continue
		}
		r, err := p.newRouter(conf)
		if err != nil {
			return err
		}
		if old := p.routers[id]; old != nil {
			r.notes, r.state = old.notes, old.state
		} else {
			r.notes = newNotes(p.log.With("instance", conf.Name))
			p.work.Go(func() error { r.notes.run(p.ctx); return nil })
		}
		p.routers[id] = r
	}
	p.openGroups(c)
	return nil
}

// openGroups makes the sync groups that are new, and leaves out those that are no more.
func (p *process) openGroups(c *keepalivedconf.Config) {
	before := map[string]*syncGroup{}
	for _, g := range p.groups {
		before[g.conf.Name] = g
	}
	p.groups = p.groups[:0]
	for i := range c.Groups {
		g := before[c.Groups[i].Name]
		if g == nil {
			g = &syncGroup{notes: newNotes(p.log.With("group", c.Groups[i].Name))}
			p.work.Go(func() error { g.notes.run(p.ctx); return nil })
		}
		g.conf = &c.Groups[i]
		p.groups = append(p.groups, g)
	}
}

func sameAddresses(a, b *keepalivedconf.Instance) bool {
	x, y := placesOf(a), placesOf(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] != y[i] {
			return false
		}
	}
	return true
}

// placesOf are an instance's addresses with their devices.
func placesOf(c *keepalivedconf.Instance) (all []vip.Address) {
	for _, list := range [][]keepalivedconf.Address{c.VIPs, c.Excluded} {
		for _, a := range list {
			dev := a.Dev
			if dev == "" {
				dev = c.Interface
			}
			all = append(all, vip.Address{Addr: a.Prefix.Addr(), Dev: dev})
		}
	}
	return all
}

func (p *process) newRouter(c *keepalivedconf.Instance) (*router, error) {
	r := &router{id: vrrp.ID(c.Name), conf: c, jobs: make(chan func(context.Context), jobsLimit), log: p.log.With("instance", c.Name)}
	if c.NoVIP {
		p.work.Go(func() error { r.run(p.ctx); return nil })
		return r, nil
	}
	for _, a := range placesOf(c) {
		hand, err := vip.Open(vip.Config{
			Group: words.Group(c.Name), Addresses: []vip.Address{a}, Log: p.log, OnEvent: func(e vip.Event) { r.onAddress(e) },
		})
		if err != nil {
			r.close()
			return nil, fmt.Errorf("open the address %s of %s: %w", a.Addr, c.Name, err)
		}
		r.hands = append(r.hands, hand)
		p.work.Go(func() error { return ending(p.ctx, hand.Run(p.ctx)) })
	}
	p.work.Go(func() error { r.run(p.ctx); return nil })
	return r, nil
}

func (r *router) close() {
	for _, h := range r.hands {
		_ = h.Close()
	}
}

// run does the jobs until the context ends.
func (r *router) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case job := <-r.jobs:
			limited, cancel := context.WithTimeout(ctx, jobLimit)
			job(limited)
			cancel()
		}
	}
}

// give queues a job. Where too many wait nothing can be promised any more.
func (r *router) give(job func(context.Context)) bool {
	select {
	case r.jobs <- job:
		return true
	default:
		return false
	}
}

// set puts the addresses on for a time, or takes them off.
func (r *router) set(ctx context.Context, up bool, until words.Instant) error {
	var failed error
	for _, h := range r.hands {
		failed = errors.Join(failed, h.Set(ctx, up, max(until.Sub(now()), 0)))
	}
	return failed
}

// probe asks who has the addresses that the router's advertisements tell of.
func (r *router) probe(ctx context.Context) string {
	for _, h := range r.hands[:min(len(r.hands), len(r.conf.VIPs))] {
		if taken, by, err := h.Probe(ctx); taken {
			return by
		} else if err != nil {
			r.log.Warn("it is not known whether somebody else has the address", "err", err)
		}
	}
	return ""
}

// onAddress logs what was done to an address.
func (r *router) onAddress(e vip.Event) {
	r.log.Warn("address", "what", fmt.Sprint(e.Kind), "addr", e.Addr, "by", e.By, "err", e.Err)
}

// ending is the error of something that has ended with its context, or before.
func ending(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
