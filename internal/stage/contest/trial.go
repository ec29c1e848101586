package contest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/observer"
	"redkeep/internal/stage/writer"
)

const (
	// readyLimit bounds the wait until a contender could fail over, moveLimit that until writes go on after a fault, and
	// restLimit that until there is one master again after it was mended: redis-sentinel needs some 10 s for that.
	readyLimit = 30 * time.Second
	moveLimit  = 20 * time.Second
	restLimit  = 25 * time.Second
	// warm is how long is written before the fault, and steady how long after it.
	warm, steady = 500 * time.Millisecond, 500 * time.Millisecond
	// quiet is how long there has to be one master before it is called the last one.
	quiet = 500 * time.Millisecond
	// auditLimit bounds the reading back of everything.
	auditLimit = 20 * time.Second
	// writeInterval is the client's, and localInterval that of the clients on the hosts themselves.
	writeInterval, localInterval = time.Millisecond, 5 * time.Millisecond
	// patience is how long clients wait for an answer: some stalls of this machine, and short beside what is measured.
	patience = 25 * time.Millisecond
)

// Trial is one fault, once. It is used once.
type Trial struct {
	Contender Contender
	Fault     Fault
	// Keep is where the stage's directory is left; empty for nowhere.
	Keep string
	// Phase, 0 to a second, is added to the time before the fault, so that those who look once a second are met at different moments. Those
	// who advertise are met at as great a part of their interval as it is of a second.
	Phase time.Duration

	site   *Site
	keeper Keeper
	finder writer.Finder
	asker  *observer.Observer
	watch  *clock.Watcher
	client *writer.Writer
	locals []*writer.Writer
	// mended says that the local clients' questions come from the client's host now; their own may be dead.
	mended atomic.Bool
}

// Run makes a stage, breaks it and takes it away.
func (t *Trial) Run(ctx context.Context) (Result, error) {
	result := Result{Contender: t.Contender.Name, Fault: t.Fault.Name}
	st, err := stage.New(ctx, stage.Options{Hosts: t.Contender.Hosts, Guests: t.guests(), Dir: t.Keep, Keep: t.Keep != ""})
	if err != nil {
		return result, err
	}
	err = t.play(ctx, st, &result)
	t.end()
	return result, errors.Join(err, st.Close())
}

func (t *Trial) play(ctx context.Context, st *stage.Stage, result *Result) (err error) {
	if t.site, t.keeper, err = prepare(ctx, st, t.Contender, t.Fault.back); err != nil {
		return err
	}
	if err := t.begin(ctx); err != nil {
		return err
	}
	if err := t.await(ctx); err != nil {
		return err
	}
	at, err := t.Fault.strike(ctx, t)
	if err != nil {
		return fmt.Errorf("%s: %w", t.Fault.Name, err)
	}
	result.Recovered = t.moved(ctx, at)
	gap := writer.Longest(t.client.Writes(), at, clock.Now())
	result.Gap, result.Stall = Duration(gap.Length()), Duration(t.watch.Worst(at, gap.To))
	if t.Fault.mend == nil {
		result.Settled = t.settled(ctx)
		return t.audit(ctx, result)
	}
	pause(ctx, at.Add(t.Fault.hold).Sub(clock.Now()))
	at = clock.Now()
	if err := t.Fault.mend(t); err != nil {
		return err
	}
	result.Settled = t.settled(ctx)
	result.MendGap = Duration(writer.Longest(after(t.client.Writes(), at), at, clock.Now()).Length())
	return t.audit(ctx, result)
}

// Prepare starts servers and the contender on a stage, and brings them to the point from which a failover could succeed.
func Prepare(ctx context.Context, st *stage.Stage, c Contender) (*Site, Keeper, error) {
	return prepare(ctx, st, c, false)
}

// prepare is Prepare, with a first host that may be the preferred one.
func prepare(ctx context.Context, st *stage.Stage, c Contender, preferred bool) (*Site, Keeper, error) {
	site, err := open(ctx, st)
	if err != nil {
		return nil, nil, err
	}
	site.preferred = preferred
	keeper, err := c.Enter(ctx, site)
	if err != nil {
		return nil, nil, err
	}
	if !await(ctx, readyLimit, func() bool { return site.replicating(ctx) && keeper.Ready(ctx) && site.caughtUp(ctx) }) {
		return nil, nil, errors.Join(ctx.Err(), fmt.Errorf("%s is not ready after %v", c.Name, readyLimit))
	}
	return site, keeper, nil
}

// begin starts the clients: one that looks for the master, and one on each host that only knows that host's own server.
func (t *Trial) begin(ctx context.Context) (err error) {
	if t.watch, err = clock.Watch(); err != nil {
		return err
	}
	if err := t.ask(); err != nil {
		return err
	}
	t.finder = t.keeper.Finder()
	t.client, err = t.site.Write(ctx, writer.Options{
		Finder: t.finder, Interval: writeInterval, DialTimeout: patience, RequestTimeout: patience,
	})
	if err != nil {
		return err
	}
	for _, r := range t.site.Servers {
		w, err := writer.Start(ctx, writer.Options{
			Dial: t.dialFrom(r.Host()), Finder: writer.Fixed(r.Addr()), Name: "local-" + r.Host().Name(), Stay: true,
			Interval: localInterval, DialTimeout: patience, RequestTimeout: patience,
		})
		if err != nil {
			return err
		}
		t.locals = append(t.locals, w)
	}
	if !await(ctx, 5*time.Second, func() bool { return acked(t.client, 0) }) {
		return errors.Join(ctx.Err(), errors.New("the client finds no master"))
	}
	return nil
}

// dialFrom connects from the host, and once all is over from the client's.
func (t *Trial) dialFrom(h *stage.Host) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if t.mended.Load() {
			return t.site.Client().Dial(ctx, network, address)
		}
		return h.Dial(ctx, network, address)
	}
}

// moved waits until the master is where the fault has it, elsewhere or back, and writes have gone on.
func (t *Trial) moved(ctx context.Context, at clock.Instant) bool {
	if t.Fault.silent {
		return t.goesOn(ctx, at, 1, oneMaster)
	}
	want := "slave"
	if t.Fault.back {
		want = "master"
	}
	return t.goesOn(ctx, at, 0, func(all []role) bool { return oneMaster(all) && all[0].name == want })
}

// goesOn waits until the servers, without the first skip of them, are as they should be and the client has written for a while. It
// returns false at the limit.
func (t *Trial) goesOn(ctx context.Context, at clock.Instant, skip int, right func([]role) bool) bool {
	var since clock.Instant // of a state as it should be
	return await(ctx, moveLimit, func() bool {
		// While nothing is written for sure, nobody is asked, who might have better things to do.
		now := clock.Now()
		roles := []role(nil)
		if acked(t.client, now.Add(-patience)) {
			roles = t.site.roles(ctx, skip)
		}
		if roles == nil || !right(roles) {
			since = 0
			return false
		}
		if since == 0 {
			since = now
		}
		return now.Sub(max(since, at)) >= steady
	})
}

// after returns the writes that were sent after an instant: a gap that was open then counts from it.
func after(log []writer.Write, at clock.Instant) []writer.Write {
	i := slices.IndexFunc(log, func(w writer.Write) bool { return w.Sent > at })
	if i < 0 {
		return nil
	}
	return log[i:]
}

// acked reports whether the writer's last write was acknowledged, and after that instant.
func acked(w *writer.Writer, after clock.Instant) bool {
	log := w.Writes()
	return len(log) > 0 && log[len(log)-1].OK() && log[len(log)-1].Acked >= after
}

// settled waits until there has been exactly one master for a while, and the client has written all the time. It returns false at the limit.
func (t *Trial) settled(ctx context.Context) bool {
	var since clock.Instant
	return await(ctx, restLimit, func() bool {
		now := clock.Now()
		if !acked(t.client, now.Add(-patience)) || !oneMaster(t.site.roles(ctx, 0)) {
			since = 0
			return false
		}
		if since == 0 {
			since = now
		}
		return now.Sub(since) >= quiet
	})
}

// audit stops the clients, and reads back what was acknowledged from the master that there is now.
func (t *Trial) audit(ctx context.Context, result *Result) error {
	t.client.Stop()
	if err := t.answered(result); err != nil {
		return err
	}
	var logs [][]writer.Write
	for _, w := range t.locals {
		logs = append(logs, w.Stop())
	}
	t.mended.Store(true)
	result.Double = Duration(writer.Overlap(logs, 4*localInterval))
	ctx, cancel := context.WithTimeout(ctx, auditLimit)
	defer cancel()
	master, err := t.lastMaster(ctx)
	if err != nil {
		return fmt.Errorf("find the last master: %w", err)
	}
	report, err := t.client.Audit(ctx, master)
	if err != nil {
		return err
	}
	result.Acked, result.Lost = report.Acked, report.Lost()
	for _, w := range t.locals {
		report, err := w.Audit(ctx, master)
		if err != nil {
			return err
		}
		result.LostLocally += report.Lost()
	}
	return nil
}

// lastMaster is the only server that is a master; where there are several, the one that clients find.
func (t *Trial) lastMaster(ctx context.Context) (netip.AddrPort, error) {
	if roles := t.site.roles(ctx, 0); oneMaster(roles) {
		i := slices.IndexFunc(roles, func(r role) bool { return r.name == "master" })
		return t.site.Servers[i].Addr(), nil
	}
	return t.finder.Find(ctx)
}

// end stops what was started, however far the trial came.
func (t *Trial) end() {
	if t.client != nil {
		t.client.Stop()
	}
	for _, w := range t.locals {
		w.Stop()
	}
	if t.finder != nil {
		t.finder.Close()
	}
	if t.asker != nil {
		_, _ = t.asker.Stop() // A trial that came to its end has told why it ended, if it did.
	}
	if t.watch != nil {
		t.watch.Stop()
	}
}
