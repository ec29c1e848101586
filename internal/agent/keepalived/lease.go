package keepalived

import (
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"redkeep/internal/act/gate"
	"redkeep/internal/speak/keepalivedconf"
)

// lease is an instance's right to answer for its addresses where its interval is too short for the seconds that the kernel counts the lives of
// addresses in: a slot of the gate that is armed before an advertisement leaves, and pointed at only when that one has left. Elsewhere, and without a
// gate, it does nothing.
//
// The slot for the next advertisement is armed when the address is pointed at that of the last one, so that the loop sends without waiting for the
// kernel, where somebody may just be loading a large ruleset; only a claim waits. Armed at b for the term, it stands for an advertisement that leaves at s, of
// this instance and after b. Who has heard that takes over at s + 3·interval + skew at the soonest; the slot ends before:
//
//	b + term + lateness <= s + 3·interval - interval/8 - 3·jiffy + lateness < s + 3·interval
//
// A process that is frozen anywhere between points, when it goes on, at a slot that has run out; and one that was frozen before it armed is told by
// the machine that its address has lapsed, before it sends.
type lease struct {
	log *slog.Logger
	// life counts what puts an end to orders that still wait: a fall, and another term.
	life atomic.Uint64

	// The loop's. spare is armed, and of no advertisement yet; latest is that of the last one that has left; pointed is the one in force. pending
	// is that the next spare is on its way.
	spare, latest, pointed int
	pending                bool

	// mu is held across the gate's transactions: nothing of an earlier life is armed behind an advertisement of this one.
	mu      sync.Mutex
	gate    *gate.Addresses
	term    time.Duration
	held    time.Duration // for how long an address is judged behind the last advertisement
	addrs   []netip.Addr
	trouble string
}

const (
	// noSlot is where there is none.
	noSlot = -1
	// shortest is the interval below which nothing is left between two advertisements of what the timers need.
	shortest = 20 * time.Millisecond
	// jiffy is the kernel's with the fewest turns a second that is in use with servers, and lateJiffies by how many a slot may end late.
	jiffy, lateJiffies = 4 * time.Millisecond, 3
	// usualAdverts is how many advertisements others miss until they take over.
	usualAdverts = 3
	// spell is what is taken for more than the kernel is ever late by with the end of an address that it should have ended.
	spell = 2 * time.Second
)

// gone is when an address has left its device at the latest, after the last advertisement: its life is twice the interval (vrrp.Router's Lease) in
// whole seconds, which the kernel may end one too late (act/vip).
func gone(interval time.Duration) time.Duration {
	return (2*interval + time.Second - 1).Truncate(time.Second) + time.Second
}

// exact reports whether addresses are gone before others take over without anything else: at each interval of whole seconds, unless fewer
// advertisements than usual may be missed.
func exact(c *keepalivedconf.Instance) bool {
	missed := usualAdverts
	if d := c.DownTimerAdverts; d != 0 {
		missed = min(missed, d)
	}
	return gone(c.AdvertInt) <= time.Duration(missed)*c.AdvertInt
}

// termOf is for how long an instance may answer after a slot was armed: 0 where the lives of its addresses are exact enough, or where none is
// short enough for the others and long enough for two advertisements.
func termOf(c *keepalivedconf.Instance) time.Duration {
	if exact(c) || c.AdvertInt < shortest || c.DownTimerAdverts != 0 && c.DownTimerAdverts < usualAdverts {
		return 0
	}
	return usualAdverts*c.AdvertInt - c.AdvertInt/8 - lateJiffies*jiffy
}

// unleased says why an instance has no lease of milliseconds though it is too fast for one of seconds, or "".
func unleased(c *keepalivedconf.Instance) string {
	switch {
	case exact(c) || termOf(c) > 0:
		return ""
	case c.AdvertInt < shortest:
		return "advert_int is below 0.02"
	default:
		return "down_timer_adverts is below 3"
	}
}

func newLease(log *slog.Logger) *lease {
	return &lease{log: log, spare: noSlot, latest: noSlot, pointed: noSlot}
}

// rule gives a lease its gate, nil for none, and its times. An address is judged until it has left its device, and a little longer: for so long
// another program finds it silent after a SIGKILL of this one.
func (l *lease) rule(g *gate.Addresses, c *keepalivedconf.Instance) {
	term := termOf(c)
	if g == nil || term == 0 {
		g, term = nil, 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gate == g && l.term == term {
		return
	}
	old := l.gate
	l.gate, l.term, l.held = g, term, gone(c.AdvertInt)+spell
	l.fallen()
	if old != nil && g == nil {
		l.note(old.Release(l.addrs))
	}
}

// cover tells which addresses it is about. Those that are gone from it are off their devices, but for those that are left there: they are judged until
// their lives are over.
func (l *lease) cover(addrs, left []netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var gone []netip.Addr
	for _, one := range l.addrs {
		if !slices.Contains(addrs, one) && !slices.Contains(left, one) {
			gone = append(gone, one)
		}
	}
	l.addrs = addrs
	if l.gate != nil && len(gone) > 0 {
		l.note(l.gate.Release(gone))
	}
}

// before is called by the loop before an advertisement leaves, and returns the slot that is armed for it.
func (l *lease) before() (slot int) {
	switch {
	case l.spare != noSlot:
		slot, l.spare = l.spare, noSlot
		return slot
	case l.pending || l.latest != l.pointed && l.pointed != noSlot:
		return noSlot // More of them than intervals: the one slot is in force, the other one on its way to be.
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.term == 0 {
		return noSlot
	}
	slot = other(l.latest)
	err := l.gate.Arm(l.addrs, slot, l.term)
	if errors.Is(err, gate.ErrActive) && l.pointed == noSlot { // Of an address that could not be taken off, or of another term.
		slot = other(slot)
		err = l.gate.Arm(l.addrs, slot, l.term)
	}
	if !l.note(err) {
		return noSlot
	}
	return slot
}

// sent is that the advertisement of a slot has left.
func (l *lease) sent(slot int) {
	if slot != noSlot {
		l.latest = slot
	}
}

// due reports whether the addresses are to be pointed at something else than what is in force.
func (l *lease) due() bool { return l.latest != noSlot && l.latest != l.pointed }

// point returns an order, for the goroutine of the addresses, to point them at what the last advertisement stands for, and to arm the next
// slot; and what the loop does with its outcome.
func (l *lease) point() (order func() (pointed, armed bool), outcome func(pointed, armed bool)) {
	slot, life := l.latest, l.life.Load()
	l.pointed, l.pending = slot, true
	order = func() (pointed, armed bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.life.Load() != life || l.term == 0 {
			return false, false
		}
		pointed = l.note(l.gate.Point(l.addrs, slot, l.held))
		return pointed, pointed && l.note(l.gate.Arm(l.addrs, other(slot), l.term))
	}
	outcome = func(pointed, armed bool) {
		if l.life.Load() != life {
			return
		}
		l.pending = false
		if armed {
			l.spare = other(slot)
		}
		if !pointed { // What was in force is, and its fellow is the next one to be armed.
			l.latest, l.pointed = other(slot), other(slot)
		}
	}
	return order, outcome
}

// fallen is that the addresses are going, or that nothing is as it was: orders that still wait mean nothing any more.
func (l *lease) fallen() {
	l.life.Add(1)
	l.spare, l.latest, l.pointed, l.pending = noSlot, noSlot, noSlot, false
}

// release judges the addresses no more, which are off their devices.
func (l *lease) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gate != nil {
		l.note(l.gate.Release(l.addrs))
	}
}

// note logs what the gate says if it is news, and reports whether it was good.
func (l *lease) note(err error) bool {
	if now := text(err); now != l.trouble {
		l.trouble = now
		if err != nil {
			l.log.Warn("the kernel's gate does not hold the addresses, which end by their lives", "err", err)
		} else {
			l.log.Info("the kernel's gate holds the addresses again")
		}
	}
	return err == nil
}

// other is the slot that is not in use.
func other(slot int) int {
	if slot == noSlot {
		return 0
	}
	return gate.AddressSlots - 1 - slot
}
