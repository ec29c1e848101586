package advertise

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"redkeep/internal/act/vip"
	"redkeep/internal/decide"
	"redkeep/internal/decide/vrrp"
	"redkeep/internal/speak/advert"
	"redkeep/internal/words"
)

// agent is the real machine with the real hands of a virtual router, and nothing else: it promotes nobody.
type agent struct {
	t       testing.TB
	m       *vrrp.Machine
	hand    *Hand
	vip     *vip.Hand
	start   time.Time
	events  chan vrrp.Event
	turned  chan vrrp.State
	reports chan vrrp.Trouble
	orders  chan func()
	cancel  context.CancelFunc
	wg      sync.WaitGroup
}

// runAgent runs a router on the present namespace's eth0.
func runAgent(t testing.TB, conf vrrp.Router) *agent {
	t.Helper()
	a := &agent{
		t: t, m: vrrp.New(vrrp.Setup{Routers: []vrrp.Router{conf}}), start: time.Now(),
		events: make(chan vrrp.Event, 256), turned: make(chan vrrp.State, 64), reports: make(chan vrrp.Trouble, 64), orders: make(chan func(), 64),
	}
	var err error
	a.hand, err = Open(Config{Dev: "eth0", IPv6: conf.Addresses[0].Is6(), OnHeard: a.heard})
	must(t, err)
	a.vip, err = vip.Open(vip.Config{Group: "redis", Addresses: []vip.Address{{Addr: conf.Addresses[0], Dev: "eth0"}}})
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	run := func(what func(context.Context) error) {
		a.wg.Go(func() { // Ends with the context.
			if err := what(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	run(a.hand.Run)
	run(a.vip.Run)
	run(a.carryOut)
	await(t, "the address's hand", func() bool { _, _, err := a.vip.Probe(ctx); return err == nil })
	a.events <- vrrp.Began{}
	run(a.loop)
	t.Cleanup(func() {
		a.kill()
		must(t, a.hand.Close())
		must(t, a.vip.Close())
	})
	return a
}

// kill ends the agent as a signal would: nothing is told and nothing is taken off.
func (a *agent) kill() {
	a.cancel()
	a.wg.Wait()
}

func (a *agent) heard(h Heard) {
	ev := vrrp.Heard{Link: "eth0", From: h.From, To: h.To, Hops: h.Hops, Advert: vrrp.Advert{
		Version: h.Advert.Version, VRID: h.Advert.VRID, Priority: h.Advert.Priority, Interval: h.Advert.Interval, Addresses: h.Advert.Addresses,
		Auth: vrrp.Auth(h.Advert.Auth), Secret: h.Advert.Secret, PlainSum: h.Advert.Checksum == advert.Plain,
	}}
	if h.Err != nil {
		ev.Broken = h.Err.Error()
	}
	a.events <- ev
}

func (a *agent) loop(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var ev vrrp.Event
		select {
		case ev = <-a.events:
		case <-timer.C:
			ev = vrrp.Passed{}
		case <-ctx.Done():
			return nil
		}
		for _, act := range slices.Clone(a.m.Step(a.now(), ev)) {
			a.act(act)
		}
		if at := a.m.Wake(); at != words.Never {
			timer.Reset(at.Sub(a.now()))
		}
	}
}

func (a *agent) now() words.Instant { return words.Instant(time.Since(a.start)) + 1 }

// act sends at once, and has the rest done one after another.
func (a *agent) act(action vrrp.Action) {
	switch act := action.(type) {
	case vrrp.Advertise:
		wire := advert.Advert{
			Version: act.Advert.Version, VRID: act.Advert.VRID, Priority: act.Advert.Priority, Interval: act.Advert.Interval,
			Addresses: act.Advert.Addresses, Auth: advert.Auth(act.Advert.Auth), Secret: act.Advert.Secret,
		}
		failed := "nobody to send to"
		for _, to := range act.To {
			if err := a.hand.Send(&wire, act.From, to); err == nil {
				failed = ""
			}
		}
		a.events <- vrrp.Done{Ticket: act.Ticket, Failed: failed}
	case vrrp.Turned:
		a.turned <- act.To
	case vrrp.Report:
		if !act.Over {
			a.reports <- act.Trouble
		}
	default:
		a.orders <- func() { a.do(action) }
	}
}

func (a *agent) carryOut(ctx context.Context) error {
	for {
		select {
		case order := <-a.orders:
			order()
		case <-ctx.Done():
			return nil
		}
	}
}

func (a *agent) do(action vrrp.Action) {
	ctx := context.Background()
	done := func(t decide.Ticket, failed string) {
		if t != 0 {
			a.events <- vrrp.Done{Ticket: t, Failed: failed}
		}
	}
	text := func(err error) string {
		if err != nil {
			return err.Error()
		}
		return ""
	}
	switch act := action.(type) {
	case vrrp.Probe:
		taken, by, err := a.vip.Probe(ctx)
		if !taken {
			by = text(err)
		}
		done(act.Ticket, by)
	case vrrp.Promote:
		done(act.Ticket, "")
	case vrrp.Demote:
		done(act.Ticket, "")
	case vrrp.SetAddress:
		done(act.Ticket, text(a.vip.Set(ctx, true, act.Until.Sub(a.now()))))
	case vrrp.DropAddress:
		done(act.Ticket, text(a.vip.Set(ctx, false, 0)))
	case vrrp.Announce:
		a.vip.Announce()
	}
}

func (a *agent) becomes(want vrrp.State) {
	a.t.Helper()
	limit := time.After(testPatience)
	for {
		select {
		case got := <-a.turned:
			if got == want {
				return
			}
		case <-limit:
			a.t.Fatalf("did not become %v", want)
		}
	}
}

func (a *agent) reported(want vrrp.What) vrrp.Trouble {
	a.t.Helper()
	limit := time.After(testPatience)
	for {
		select {
		case got := <-a.reports:
			if got.What == want {
				return got
			}
		case <-limit:
			a.t.Fatalf("did not report %v", want)
		}
	}
}

// holders looks all the time which of two hosts has the address.
type holders struct {
	t       testing.TB
	handles [2]*netlink.Handle
	family  int
	addr    netip.Addr
	mu      sync.Mutex
	has     [2]bool
	both    time.Duration
}

// watch begins to look, until the test's end.
func watch(t testing.TB, addr netip.Addr, hosts ...*host) *holders {
	t.Helper()
	w := &holders{t: t, addr: addr, family: unix.AF_INET}
	if addr.Is6() {
		w.family = unix.AF_INET6
	}
	for i, h := range hosts {
		handle, err := netlink.NewHandleAt(h.ns)
		must(t, err)
		w.handles[i] = handle
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { // Ends with the context.
		defer close(done)
		tick := time.NewTicker(500 * time.Microsecond)
		defer tick.Stop()
		for last := time.Now(); ctx.Err() == nil; <-tick.C {
			last = w.look(last)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		for _, h := range w.handles {
			h.Close()
		}
	})
	return w
}

func (w *holders) look(last time.Time) time.Time {
	var has [2]bool
	for i, h := range w.handles {
		list, _ := h.AddrList(nil, w.family)
		has[i] = slices.ContainsFunc(list, func(a netlink.Addr) bool { return a.IP.Equal(w.addr.AsSlice()) })
	}
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if has[0] && has[1] {
		w.both += now.Sub(last)
	}
	w.has = has
	return now
}

// are waits for the address to be where it should be.
func (w *holders) are(here, there bool) {
	w.t.Helper()
	await(w.t, "the address to move", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.has == [2]bool{here, there}
	})
}

// overlap is for how long both have had the address at once.
func (w *holders) overlap() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.both
}

// never fails where that is not nothing.
func (w *holders) never() {
	w.t.Helper()
	if d := w.overlap(); d > 0 {
		w.t.Errorf("both hosts had the address for %v", d)
	}
}
