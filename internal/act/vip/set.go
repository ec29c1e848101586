package vip

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Set puts the group's addresses on this host or takes them off, and returns when the kernel has said so. It may be
// repeated; what can be done for one address is done, even if it can't for the other.
//
// Up: the kernel removes them after d, which it takes as whole seconds, one at least, and up to one second late (measured);
// repeated, it renews that with one request an address. Where they were not up before, the host takes packets to them and the first announcements have left
// when it returns, also if an earlier agent had left the addresses here. Down: no announcement leaves any more, and a
// leftover is deleted like one of our own; an address that is not there is success.
func (h *Hand) Set(ctx context.Context, up bool, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("set addresses: %w", err)
	}
	until := now().add(d) // Before the kernel is told: what is put back later can only be too short.
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for _, a := range h.addresses {
		if up {
			errs = append(errs, h.raise(a, until))
		} else {
			errs = append(errs, h.lower(a))
		}
	}
	return errors.Join(errs...)
}

// Hush leaves the addresses where they are and says and mends nothing of them any more, until the next Set. A host that lets go
// keeps them for a moment behind its shut gate, which refuses at once what would otherwise be lost on its way.
func (h *Hand) Hush() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.addresses {
		a.meant, a.up = false, false
		a.hush()
		a.heal()
	}
}

// Missing reports whether an IPv4 address may not be on this host, or not for long any more.
func (h *Hand) Missing() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.addresses {
		if a.missing() {
			return true
		}
	}
	return false
}

// Ground puts an IPv4 address that is not on this host any more back for a second, silently: Linux sends nothing, not even the
// reset of a connection that is destroyed, from an IPv4 address that it has not. Lift takes it off again at once.
func (h *Hand) Ground() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for _, a := range h.addresses {
		if !a.missing() {
			continue
		}
		d, err := h.carrier(a)
		if err == nil {
			err = h.kernel.put(a, d.index, 1)
		}
		if err == nil {
			a.places[a.own(d.index)], a.grounded = standing{}, true
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Lift takes off what Ground put on, unless a Set has meanwhile.
func (h *Hand) Lift() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for _, a := range h.addresses {
		if !a.grounded {
			continue
		}
		a.grounded = false
		if d, err := h.carrier(a); err == nil && !a.held(now()) {
			_, err = h.drop(a, a.own(d.index))
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// missing reports whether an address has run out or been taken away, as far as is known. Of IPv6 it does not matter.
func (a *address) missing() bool {
	return !a.Addr.Is6() && (len(a.places) == 0 || now() >= a.until)
}

// raise puts an address up until an instant, and announces it if it was not up.
func (h *Hand) raise(a *address, until boottime) error {
	was := a.held(now()) && !a.silenced
	if !a.up {
		a.life = 0
	}
	if d, err := h.carrier(a); err == nil && !was {
		a.choose(d.index)
	}
	if a.Addr.Is6() && !was {
		h.leaveOthers(a) // Or the kernel would renew what is there, with its prefix, in place of adding ours.
	}
	if !was {
		h.beforeUs(a)
	}
	a.meant, a.up, a.until = true, true, until
	if err := h.put(a); err != nil {
		return err
	}
	if a.damage.Kind != 0 && a.due.IsZero() {
		a.due = time.Now() // The device that a repair waited for is there, whether the kernel has told of it or not.
	}
	if !was {
		h.leaveOthers(a)
		a.sayFrom(time.Now())
		h.say(a, time.Now())
		h.wake()
	}
	return nil
}

// put tells the kernel to have an address for what is left of its time. An address whose time has run out, because the
// agent was stopped in between, stays away.
func (h *Hand) put(a *address) error {
	left := a.until.sub(now())
	if left <= 0 {
		a.on, a.trouble = false, fmt.Errorf("%s on %s: %w", a.Addr, a.Dev, ErrExpired)
		return a.trouble
	}
	seconds := int((left + time.Second - 1) / time.Second)
	d, err := h.carrier(a)
	if err == nil {
		err = h.kernel.put(a, d.index, seconds)
	}
	if errors.Is(err, unix.ENODEV) || errors.As(err, new(*NoDeviceError)) { // The device was made anew, and we have not heard of it yet.
		if err = h.look(); err == nil {
			d, err = h.carrier(a)
		}
		if err == nil {
			err = h.kernel.put(a, d.index, seconds)
		}
	}
	if err != nil {
		a.on, a.trouble = false, fmt.Errorf("%w (device %s)", err, a.Dev)
		return a.trouble
	}
	if fresh := !a.on || !a.in(a.own(d.index)); fresh && a.Addr.Is6() {
		if err := h.kernel.awaitLive(a.Addr); err != nil {
			h.log.Debug("address is announced early", "addr", a.Addr, "dev", a.Dev, "err", err)
		}
	}
	a.on, a.trouble = true, nil
	a.life = max(a.life, seconds)
	a.places[a.own(d.index)] = standing{}
	return nil
}

// ErrExpired says that an address was not put back because its time had run out.
var ErrExpired = errors.New("its time has run out")

// ErrLapsed says that an address was not put back because the lease does not stand any more.
var ErrLapsed = errors.New("the lease has lapsed")

// lower takes an address off this host, wherever it is.
func (h *Hand) lower(a *address) error {
	a.meant, a.up, a.on, a.trouble = true, false, false, nil
	a.hush()
	a.heal()
	if d, err := h.carrier(a); err == nil && !a.in(a.own(d.index)) {
		a.places[a.own(d.index)] = standing{} // It may be there without our having heard of it.
	}
	var errs []error
	for p := range a.places {
		if a.removable(p) {
			_, err := h.drop(a, p)
			errs = append(errs, err)
		}
	}
	a.trouble = errors.Join(errs...)
	return a.trouble
}

// drop deletes an address in one place, and reports whether it was there.
func (h *Hand) drop(a *address, p place) (was bool, err error) {
	if was, err = h.kernel.drop(a.Addr, p); err != nil {
		return false, err
	}
	delete(a.places, p)
	if was && a.Addr.Is6() {
		a.ownDrops++
	}
	return was, nil
}

// leaveOthers deletes an address in all places but its own: what an agent with another configuration has left, or
// scripts did before us. What can't go without taking others along stays, and State names it.
func (h *Hand) leaveOthers(a *address) {
	d, err := h.carrier(a)
	if err != nil {
		return
	}
	for p := range a.places {
		if p == (a.own(d.index)) || !a.removable(p) {
			continue
		}
		if _, err := h.drop(a, p); err != nil {
			h.log.Warn("address is in another place too", "addr", a.Addr, "dev", h.devices[p.index].name, "err", err)
		}
	}
}
