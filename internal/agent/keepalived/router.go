package keepalived

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"redkeep/internal/act/vip"
	"redkeep/internal/decide/vrrp"
	"redkeep/internal/speak/keepalivedconf"
	"redkeep/internal/words"
)

// router is one instance: its addresses and its scripts.
type router struct {
	id     vrrp.ID
	log    *slog.Logger
	notes  *notes
	cancel context.CancelFunc
	// jobs are what is to be done with the addresses, in their order, by a goroutine of their own, whom carried belong to as soon as
	// it runs, and places, where they are to be. lacking is why some address has no hand.
	jobs    chan func(context.Context)
	carried []*carried
	places  []place
	lacking error
	// lease is what answering takes besides, where seconds are too long.
	lease *lease

	// The loop's: what the file says, what was told last and when, whom it obeys, and that the file has it no more.
	conf     *keepalivedconf.Instance
	state    vrrp.State
	turned   words.Instant
	priority uint8
	master   netip.Addr
	deleted  bool
}

// carried is one virtual address.
type carried struct {
	place
	hand   *vip.Hand
	cancel context.CancelFunc
	ended  chan struct{}
}

// place is an address and its device. The advertisements tell of those that are told, and others are asked who has them.
type place struct {
	vip.Address
	told bool
}

// jobLimit bounds one job, jobsLimit how many wait.
const (
	jobLimit  = 3 * time.Second
	jobsLimit = 64
)

// newRouters makes those that are new in a configuration, which do nothing yet.
func (p *process) newRouters(c *keepalivedconf.Config) (made []*router, err error) {
	for i := range c.Instances {
		conf := &c.Instances[i]
		if p.routers[vrrp.ID(conf.Name)] != nil {
			continue
		}
		r, err := p.newRouter(conf)
		if err != nil {
			return made, err
		}
		made = append(made, r)
	}
	return made, nil
}

// takeRouters has those run that are new, and gives the others what the configuration now says of them. What it has no more falls
// in the machine's next step, and is forgotten after its last scripts.
func (p *process) takeRouters(c *keepalivedconf.Config, made []*router) {
	for _, r := range made {
		for _, what := range leftOut(r.conf) {
			r.log.Warn("left out", "what", what)
		}
		if r.conf.Unicast() && r.conf.AnySource {
			r.log.Warn("whoever can reach this host is believed, peer or not: check_unicast_src is off")
		}
		p.routers[r.id] = r
		p.run(r)
	}
	for id, r := range p.routers {
		conf := c.Instance(string(id))
		if r.deleted = conf == nil; !r.deleted {
			r.conf = conf
			p.rule(r)
			p.replace(r)
		}
	}
	p.openGroups(c)
}

// newRouter makes a router with its addresses, which does nothing yet.
func (p *process) newRouter(conf *keepalivedconf.Instance) (*router, error) {
	log := p.log.With("instance", conf.Name)
	r := &router{
		id: vrrp.ID(conf.Name), conf: conf, log: log, notes: newNotes(log), lease: newLease(log), priority: uint8(conf.Priority),
		jobs: make(chan func(context.Context), jobsLimit),
	}
	r.place(p, placesOf(conf))
	if r.lacking != nil && !errors.As(r.lacking, new(*vip.NoDeviceError)) { // A device that is to come brings its addresses.
		r.close()
		return nil, fmt.Errorf("open the addresses of %s: %w", conf.Name, r.lacking)
	}
	return r, nil
}

// run starts a router's goroutines, which end when it is cancelled.
func (p *process) run(r *router) {
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(p.ctx)
	p.work.Go(func() error { r.work(ctx); return nil })
	p.work.Go(func() error { r.notes.run(ctx); return nil })
}

// replace has a router carry what the file says now.
func (p *process) replace(r *router) {
	places := placesOf(r.conf)
	if !r.give(func(context.Context) { r.place(p, places) }) {
		r.log.Error("the addresses stay as they were: too much waits for them")
	}
}

// place opens hands for addresses that are new, and takes off and closes the others'.
func (r *router) place(p *process, places []place) {
	var kept []*carried
	var left []netip.Addr
	for _, c := range r.carried {
		if i := slices.IndexFunc(places, func(o place) bool { return o.Address == c.Address }); i >= 0 {
			c.told = places[i].told
			kept = append(kept, c)
			continue
		}
		if err := c.hand.Set(p.ctx, false, 0); err != nil {
			left = append(left, c.Addr)
			if p.ctx.Err() == nil {
				r.log.Warn("address is left", "addr", c.Addr, "err", err)
			}
		}
		c.close()
	}
	r.carried, r.places, r.lacking = kept, places, nil
	for _, where := range places {
		if slices.ContainsFunc(r.carried, func(c *carried) bool { return c.Address == where.Address }) {
			continue
		}
		c, err := r.open(p, where)
		if err != nil {
			r.lacking = errors.Join(r.lacking, err)
			continue
		}
		r.carried = append(r.carried, c)
	}
	var addrs []netip.Addr
	for _, where := range places {
		addrs = append(addrs, where.Addr)
	}
	r.lease.cover(addrs, left)
}

// open makes the hand of an address, and runs it.
func (r *router) open(p *process, where place) (*carried, error) {
	hand, err := vip.Open(vip.Config{
		Group: words.Group(r.id), Addresses: []vip.Address{where.Address}, Log: r.log, OnEvent: func(e vip.Event) { r.onAddress(e) },
	})
	if err != nil {
		return nil, err
	}
	c := &carried{place: where, hand: hand, ended: make(chan struct{})}
	var ctx context.Context
	ctx, c.cancel = context.WithCancel(p.ctx)
	p.work.Go(func() error {
		defer close(c.ended)
		return ending(ctx, hand.Run(ctx))
	})
	return c, nil
}

// close ends a hand. The address stays as it is.
func (c *carried) close() {
	c.cancel()
	<-c.ended
	_ = c.hand.Close()
}

// forget ends a router that the file has no more, after its last scripts.
func (p *process) forget(r *router) {
	delete(p.routers, r.id)
	r.give(func(context.Context) { r.place(p, nil) })
	p.work.Go(func() error { // Ends with the scripts, which have their limits, or with all.
		r.notes.await(p.ctx)
		r.give(func(context.Context) { r.cancel() })
		return nil
	})
}

// close gives back what a router has that does not run any more.
func (r *router) close() {
	for _, c := range r.carried {
		c.close()
	}
	r.carried = nil
}

// placesOf are an instance's addresses, with their devices and all that they are written with.
func placesOf(c *keepalivedconf.Instance) (all []place) {
	for told, list := range [][]keepalivedconf.Address{c.Excluded, c.VIPs} {
		for _, a := range list {
			dev := a.Dev
			if dev == "" {
				dev = c.Interface
			}
			all = append(all, place{vip.Address{Addr: a.Prefix.Addr(), Dev: dev, Form: formOf(&a)}, told == 1})
		}
	}
	return all
}

// work does the jobs until the context ends.
func (r *router) work(ctx context.Context) {
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
func (r *router) set(ctx context.Context, p *process, up bool, until words.Instant) error {
	var failed error
	if up {
		if r.lacking != nil { // Its device may have come meanwhile.
			r.place(p, r.places)
		}
		failed = r.lacking
	}
	for _, c := range r.carried {
		failed = errors.Join(failed, c.hand.Set(ctx, up, max(until.Sub(now()), 0)))
	}
	return failed
}

// probe asks who has the addresses that the router's advertisements tell of.
func (r *router) probe(ctx context.Context) string {
	for _, c := range r.carried {
		if !c.told {
			continue
		}
		if taken, by, err := c.hand.Probe(ctx); taken {
			return by
		} else if err != nil {
			r.log.Warn("it is not known whether somebody else has the address", "addr", c.Addr, "err", err)
		}
	}
	return ""
}

// announce tells the segment where the addresses are.
func (r *router) announce() {
	for _, c := range r.carried {
		c.hand.Announce()
	}
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
