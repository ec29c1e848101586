package vip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"redkeep/internal/words"
)

// Address is one virtual address, the device that carries it, and how; with no Dev, Open finds it (FindDevice).
type Address struct {
	Addr netip.Addr
	Dev  string
	Form
}

// Config is what a Hand is opened with.
type Config struct {
	Group words.Group
	// Addresses are one of each family at most.
	Addresses []Address
	// OnEvent is called from Run's goroutine, one event after the other. It must not call Close. nil drops them.
	OnEvent func(Event)
	// Holds says whether the group's lease stands, by the clock: an agent that was frozen may still believe in one that has
	// lapsed, and its addresses live on for whole seconds. It is asked, from any goroutine and without waiting, before
	// each frame and each repair that Set did not ask for. nil is always.
	Holds func() bool
	// Log gets what is worth a line; nil discards it.
	Log *slog.Logger
}

// Status is one address as the hand knows it.
type Status struct {
	Address
	// Held says that the address is on this host by our order, and that its time has not run out.
	Held bool
	// Trouble is what keeps it from being held, announced or heard about; empty where nothing does.
	Trouble string
}

// ErrNotRunning says that a question needs Run.
var ErrNotRunning = errors.New("nobody listens: the hand does not run")

// Hand moves the addresses of one group. Its methods may be called from any goroutine.
type Hand struct {
	cfg     Config
	log     *slog.Logger
	kernel  *kernel
	segment *segment

	// kick wakes the goroutine that mends and announces.
	kick chan struct{}

	// mu guards what follows, and is held across the hand's own system calls, none of which waits for anybody but the
	// kernel: so no announcement follows the deletion of its address.
	mu        sync.Mutex
	running   bool
	devices   map[int]device
	addresses []*address
	askers    map[chan string]struct{} // Probes that wait for an answer.
	noted     []Event                  // To be told by the keeper.
}

// Open connects to the kernel in the present thread's network namespace, and looks what there is. It changes nothing. A
// process without CAP_NET_RAW gets a Hand that neither announces nor asks; State says so.
func Open(cfg Config) (*Hand, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.OnEvent == nil {
		cfg.OnEvent = func(Event) {}
	}
	if cfg.Holds == nil {
		cfg.Holds = func() bool { return true }
	}
	h := &Hand{
		cfg: cfg, log: cfg.Log.With("group", cfg.Group), kick: make(chan struct{}, 1), askers: map[chan string]struct{}{},
	}
	if err := h.begin(); err != nil {
		return nil, fmt.Errorf("open addresses of %s: %w", cfg.Group, errors.Join(err, h.Close()))
	}
	return h, nil
}

// begin does what Open promises; what it has opened is closed by Close.
func (h *Hand) begin() error {
	if err := h.settle(); err != nil {
		return err
	}
	var err error
	if h.kernel, err = connect(h.cfg.Addresses); err != nil {
		return err
	}
	h.segment = hear(h.cfg.Addresses)
	if h.segment.mute != nil {
		h.log.Warn("addresses can't be announced", "err", h.segment.mute)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err = h.look(); err != nil {
		return err
	}
	for _, a := range h.addresses {
		if _, err := h.carrier(a); err != nil {
			return err
		}
	}
	return nil
}

// settle makes the addresses out of the Config.
func (h *Hand) settle() error {
	h.cfg.Addresses = slices.Clone(h.cfg.Addresses)
	seen := map[bool]bool{}
	for i := range h.cfg.Addresses {
		c := &h.cfg.Addresses[i]
		c.Addr = c.Addr.Unmap().WithZone("")
		if !c.Addr.IsValid() || seen[c.Addr.Is6()] {
			return fmt.Errorf("address %q: want one valid address of each family at most", c.Addr)
		}
		seen[c.Addr.Is6()] = true
		if c.Dev == "" {
			dev, err := FindDevice(c.Addr)
			if err != nil {
				return err
			}
			c.Dev = dev
		}
		if c.Addr.Is6() {
			c.Form = Form{}
		} else if c.Bits == c.Addr.BitLen() {
			c.Bits = 0
		}
		h.addresses = append(h.addresses, &address{Address: *c, places: map[place]standing{}, length: c.Addr.BitLen()})
	}
	return nil
}

// Run follows the kernel and the segment, mends and announces, until the context ends; then it returns nil. It may be
// called once.
func (h *Hand) Run(ctx context.Context) error {
	h.mu.Lock()
	h.running = true
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		h.running = false
		h.mu.Unlock()
	}()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return h.watch(ctx) })
	g.Go(func() error { return h.keep(ctx) })
	for _, conn := range h.segment.conns {
		g.Go(func() error { return h.listen(ctx, conn) })
	}
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("keep addresses of %s: %w", h.cfg.Group, err)
	}
	return nil
}

// State returns the addresses in the order of the Config.
func (h *Hand) State() []Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []Status
	for _, a := range h.addresses {
		s := Status{Address: a.Address, Held: a.held(now())}
		if err := cmp.Or(a.trouble, h.foreign(a), h.unheard(a)); err != nil {
			s.Trouble = err.Error()
		}
		out = append(out, s)
	}
	return out
}

// Close ends the connections, and leaves the addresses as they are. It may be repeated. Run must have returned, or it
// returns an error.
func (h *Hand) Close() error {
	var err error
	if h.segment != nil {
		err = h.segment.close()
	}
	if h.kernel != nil {
		h.kernel.close()
	}
	return err
}

// wake has the keeper look at what is due.
func (h *Hand) wake() {
	select {
	case h.kick <- struct{}{}:
	default: // It is to look already, and has not yet.
	}
}

// address is one virtual address: what it is to be, and what is known of it.
type address struct {
	Address
	places map[place]standing // Where on this host it is, ours or not.
	length int                // As what it is put on; see choose.

	// meant says that Set was called: before that, and after Hush, nothing is mended.
	meant bool
	up    bool
	// on says that the kernel has it from us, as far as we have heard; until by when it is to be gone.
	on    bool
	until boottime
	// life is the longest that the kernel was given, in seconds, since it is up.
	life int
	// given is the life of which the kernel told last, in seconds: it tells in the order of events.
	given uint32
	// grounded says that Ground put it on.
	grounded bool
	// downSince is when its device went down, and downBy through whom; zero while it is up.
	downSince time.Time
	downBy    string
	// ownDrops counts our own deletions whose notification is still to come, where the kernel does not say whose they are.
	ownDrops int

	trouble error
	saying
	mending
	claimed
}

// place is where on this host an address is.
type place struct{ index, bits int }

// standing is what an address is in one place.
type standing struct {
	// secondary says that its device has another address of its subnet, which came first and does not depend on it.
	secondary bool
	// forever says that its life has no end, as that of an address that a person gave the host.
	forever bool
}

// in reports whether the address is in a place.
func (a *address) in(p place) bool {
	_, ok := a.places[p]
	return ok
}

// removable reports whether the address can be taken from a place without taking anything else along: whoever put it
// there, where it is to be down it must not be. The first IPv4 address of a subnet takes the others of that subnet along, unless the kernel is set to
// promote those; one that has to be put on with its subnet goes all the same, if it is not the host's own.
func (a *address) removable(p place) bool {
	at := a.places[p]
	ours := p.bits == a.Bits && (!at.forever || p.bits == a.length) // put on so at last: that it is for good now is somebody else's doing
	return p.bits == a.whole() || a.Addr.Is6() || at.secondary || ours
}

// held reports whether the address is ours at an instant.
func (a *address) held(at boottime) bool { return a.up && a.on && at < a.until }

// soonest returns the earlier of two times, where a zero one is none.
func soonest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
