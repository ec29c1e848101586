package keepalived

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"redkeep/internal/act/gate"
	"redkeep/internal/act/link"
	"redkeep/internal/decide/vrrp"
	"redkeep/internal/speak/keepalivedconf"
	"redkeep/internal/words"
)

// Options are what it runs with.
type Options struct {
	// Config was checked, on this host too.
	Config *keepalivedconf.Config
	Log    *slog.Logger
	// Reload gets a configuration that is to be taken over, which was checked as well.
	Reload <-chan *keepalivedconf.Config
	// Ready is called once, when the routers have begun.
	Ready func()
	// RunDir is where processes of one host find each other, so that no two have the same routers, and where they are asked for their status; "" for
	// nowhere.
	RunDir string
	// Version is that of the program, for the status.
	Version string
}

// process is the routers of one host.
type process struct {
	options Options
	log     *slog.Logger
	conf    *keepalivedconf.Config
	machine *vrrp.Machine
	work    *errgroup.Group
	ctx     context.Context

	mail    chan func()
	ended   chan struct{}
	routers map[vrrp.ID]*router
	groups  []*syncGroup
	sockets map[segment]*socket
	// claims are by their names in claimDir; "" is without.
	claims   map[string]*claim
	claimDir string
	// front is where the status is asked for, nil where nobody can.
	front *front
	// surplus is that some sockets are needed only until the machine has buried its routers; mend fires when one is to be opened again.
	surplus bool
	mend    *time.Timer
	// links are the devices by name, as they were told last by following.
	links     map[string]link.Device
	following *follower
	// gate is what holds the addresses of instances that seconds are too long for; gateless that this host has none.
	gate     *gate.Addresses
	gateless bool
	// results are those of the checks, by their names, which are run until stopTracking.
	results      map[string]bool
	stopTracking context.CancelFunc
	pipes        []*pipe
	// leaving is that the routers were told to stop.
	leaving bool
}

const (
	// mailbox bounds what waits for the loop: far more than the routers, checks and addresses of a host.
	mailbox = 4096
	// stopping bounds the way down, and scripting the scripts at the end.
	stopping  = 5 * time.Second
	scripting = 10 * time.Second
)

// Run is the routers until ctx ends; then they leave as VRRP has it, which is no error.
func Run(ctx context.Context, o Options) error {
	p := &process{
		options: o, log: o.Log, conf: o.Config, mail: make(chan func(), mailbox), ended: make(chan struct{}),
		routers: map[vrrp.ID]*router{}, sockets: map[segment]*socket{}, links: map[string]link.Device{}, results: map[string]bool{},
		claims: map[string]*claim{}, mend: time.NewTimer(time.Hour),
	}
	defer p.mend.Stop()
	// What works goes on until the routers have left: its context is not the caller's.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	p.work, p.ctx = errgroup.WithContext(work)
	if err := p.open(); err != nil {
		cancel()
		p.close()
		return err
	}
	err := p.loop(ctx)
	close(p.ended)
	p.awaitScripts()
	cancel()
	_ = p.work.Wait()
	if err == nil {
		p.ungate()
	}
	p.close()
	return err
}

// open makes the machine and all that it needs.
func (p *process) open() error {
	if dir := p.options.RunDir; dir != "" {
		var err error
		if p.claimDir, err = claimsIn(dir); err != nil {
			return err
		}
	}
	n, err := p.prepare(p.conf, p.firstClaims)
	if err != nil {
		return err
	}
	p.machine = vrrp.New(n.setup)
	p.take(n)
	p.openFront()
	return nil
}

// delay is for how long the routers are held back: from now, and from the host's start.
func delay(g *keepalivedconf.Global) time.Duration {
	return max(g.StartupDelay, g.DelayAfterBoot-time.Duration(now()), 0)
}

// loop owns the machine.
func (p *process) loop(ctx context.Context) error {
	begin := time.NewTimer(delay(&p.conf.Global))
	defer begin.Stop()
	wake := time.NewTimer(time.Hour)
	defer wake.Stop()
	p.options.Ready()
	done, reload, limit := ctx.Done(), p.options.Reload, (<-chan time.Time)(nil)
	for {
		wake.Reset(p.untilWake())
		select {
		case do := <-p.mail:
			do()
		case <-wake.C:
			p.step(vrrp.Passed{})
		case <-begin.C:
			p.step(vrrp.Began{})
			p.track()
		case <-p.mend.C:
			p.mendSockets()
		case c := <-reload:
			p.reload(c)
		case <-done:
			done, reload, limit, p.leaving = nil, nil, time.After(stopping), true
			p.step(vrrp.Stop{})
		case <-limit:
			return fmt.Errorf("leave: not every router has within %v; look at what holds its address up", stopping)
		case <-p.ctx.Done():
			return context.Cause(p.ctx)
		}
		if done == nil && p.stopped() {
			return nil
		}
	}
}

// stopped reports whether all routers have left, and are done with it; those that a reload took away just before, too.
func (p *process) stopped() bool {
	if !p.machine.Buried() {
		return false
	}
	for _, v := range p.machine.View() {
		if v.State != vrrp.Stopped || v.Step != vrrp.Idle {
			return false
		}
	}
	return true
}

// untilWake is how long the machine waits for nothing but time.
func (p *process) untilWake() time.Duration {
	at := p.machine.Wake()
	if at == words.Never {
		return time.Hour
	}
	return max(at.Sub(now()), 0)
}

// post has the loop do something, from any goroutine. It waits where too much waits already, and gives up with the loop.
func (p *process) post(do func()) {
	select {
	case p.mail <- do:
	case <-p.ended:
	}
}

// step tells the machine of an event and does what it wants.
func (p *process) step(ev vrrp.Event) {
	for _, a := range p.machine.Step(now(), ev) {
		p.act(a)
	}
	switch ev.(type) {
	case vrrp.Tracked:
		p.tellPriorities()
	case vrrp.Heard:
		p.nameMasters()
	}
	p.closeSurplus()
}

// close gives the sockets back; addresses that are left go by themselves.
func (p *process) close() {
	for _, s := range p.sockets {
		_ = s.hand.Close()
	}
	for _, r := range p.routers {
		r.close()
	}
	for _, one := range p.pipes {
		one.close()
	}
	if p.gate != nil {
		_ = p.gate.Close()
	}
	if p.front != nil {
		p.front.close()
	}
	releaseAll(p.claims)
}

// now reads the clock that goes on while a host sleeps and is set by nobody.
func now() words.Instant {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		panic(err) // every Linux that can run this program has the clock
	}
	return words.Instant(t.Nano())
}
