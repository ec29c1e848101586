package vip

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// watch follows the kernel's notifications until the context ends.
func (h *Hand) watch(ctx context.Context) error {
	// The connection has no other way to be woken; nobody needs it after Run.
	defer context.AfterFunc(ctx, h.kernel.news.Close)()
	for {
		messages, from, err := h.kernel.news.Receive()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, os.ErrClosed), errors.Is(err, net.ErrClosed), errors.Is(err, unix.EBADF):
			return fmt.Errorf("follow the kernel's notifications: %w", err)
		case errors.Is(err, unix.ENOBUFS):
			h.overrun()
		case err != nil: // Nothing that is known of; whatever it is must not eat the processor.
			h.overrun()
			rest(ctx)
		case from.Pid == nl.PidKernel:
			at := time.Now()
			for _, m := range messages {
				h.notice(m, at)
			}
		}
	}
}

// rest waits a little, or until the context ends.
func rest(ctx context.Context) {
	timer := time.NewTimer(firstPause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// notice takes one notification.
func (h *Hand) notice(m syscall.NetlinkMessage, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch m.Header.Type {
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		if n, ok := readNews(m.Data); ok {
			n.gone, n.port = m.Header.Type == unix.RTM_DELADDR, m.Header.Pid
			h.addressNews(n, at)
		}
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		link, err := netlink.LinkDeserialize(&unix.NlMsghdr{Type: m.Header.Type}, m.Data)
		if err == nil && m.Data[0] == unix.AF_UNSPEC { // Bridges tell of their ports in a family of their own.
			h.linkNews(newDevice(link), m.Header.Type == unix.RTM_DELLINK, m.Header.Pid, at)
		}
	}
}

// news is a notification about an address.
type news struct {
	addr netip.Addr
	place
	valid uint32 // seconds; forever is all ones
	flags uint32
	gone  bool
	port  uint32
}

// ranOut reports whether the kernel itself took an address away at the end of its life. It says in the news of a deletion what was left of
// that, and names no port; nor does it for IPv6, where another program may have been faster than it by less than a second.
func (n news) ranOut() bool { return n.gone && n.port == 0 && n.valid == 0 }

// readNews reads what concerns us of an ifaddrmsg and its attributes.
func readNews(data []byte) (news, bool) {
	if len(data) < unix.SizeofIfAddrmsg {
		return news{}, false
	}
	n := news{place: place{bits: int(data[1]), index: int(binary.NativeEndian.Uint32(data[4:]))}, valid: math.MaxUint32}
	attrs, err := nl.ParseRouteAttr(data[unix.SizeofIfAddrmsg:])
	if err != nil {
		return news{}, false
	}
	for _, a := range attrs {
		switch a.Attr.Type {
		case unix.IFA_LOCAL: // Of IPv4 and of IPv6 with a peer; it is what counts.
			n.addr, _ = netip.AddrFromSlice(a.Value)
		case unix.IFA_ADDRESS:
			if !n.addr.IsValid() {
				n.addr, _ = netip.AddrFromSlice(a.Value)
			}
		case unix.IFA_FLAGS:
			if len(a.Value) >= 4 {
				n.flags = binary.NativeEndian.Uint32(a.Value)
			}
		case unix.IFA_CACHEINFO:
			if len(a.Value) >= 8 {
				n.valid = binary.NativeEndian.Uint32(a.Value[4:])
			}
		}
	}
	return n, n.addr.IsValid()
}

// addressNews takes a notification about an address, and notes damage to ours.
func (h *Hand) addressNews(n news, at time.Time) {
	for _, a := range h.addresses {
		if a.Addr != n.addr {
			continue
		}
		if n.gone {
			delete(a.places, n.place)
		} else {
			a.places[n.place] = standing{secondary: n.flags&unix.IFA_F_SECONDARY != 0, forever: n.valid == math.MaxUint32}
			if n.bits == a.length {
				a.given = n.valid
			}
		}
		if h.byUs(a, n) || !a.meant {
			continue
		}
		d, err := h.carrier(a)
		switch {
		case n.gone && a.up && err == nil && n.place == a.own(d.index):
			h.deleted(a, n, at)
		case !n.gone && a.up && n.bits == a.length && int64(n.valid) > int64(a.life)+1:
			a.hurt(Changed, culprit(n.port), at)
		case !n.gone && !a.up && a.removable(n.place):
			a.hurt(Added, culprit(n.port), at)
		default:
			continue
		}
		h.wake()
	}
}

// byUs reports whether a notification is of our own doing. The kernel does not say so for IPv6, where our deletions are
// counted, and our additions can't be told from others with as short a life, which do no harm.
func (h *Hand) byUs(a *address, n news) bool {
	if n.port == h.kernel.port {
		return true
	}
	if n.gone && a.Addr.Is6() && a.ownDrops > 0 {
		a.ownDrops--
		return true
	}
	return false
}

// early is how much before its end the kernel may find a life over: a fiftieth of a second (ADDRCONF_TIMER_FUZZ_MINUS).
const early = 20 * time.Millisecond

// deleted notes that an address is gone that should be up. One whose time has run out stays away. One that has time left although its
// life in the kernel had ended was renewed too late, by an agent that did not run meanwhile, or given a shorter life by others.
func (h *Hand) deleted(a *address, n news, at time.Time) {
	wasOn := a.on
	a.on = false
	left := a.until.sub(now())
	if left > early || left > 0 && n.port != 0 {
		// A device that goes down takes its IPv6 addresses along, and linkUp puts them back.
		switch d, err := h.carrier(a); {
		case err != nil || !d.up:
		case n.ranOut():
			a.lapse(time.Duration(a.given)*time.Second, at)
		default:
			a.hurt(Deleted, culprit(n.port), at)
		}
		return
	}
	a.hush()
	a.trouble = fmt.Errorf("%s on %s: %w", a.Addr, a.Dev, ErrExpired)
	if wasOn {
		h.note(a, Event{Kind: Expired, By: unknown, Err: ErrExpired})
	}
}

// linkNews takes a notification about a device.
func (h *Hand) linkNews(d device, gone bool, port uint32, at time.Time) {
	was := h.devices[d.index]
	if gone {
		d.up = false
		delete(h.devices, d.index)
	} else {
		h.devices[d.index] = d
	}
	for _, a := range h.addresses {
		if !a.up || a.Dev != d.name {
			continue
		}
		switch {
		case d.up && (!was.up || was.mac != d.mac || was.name != d.name):
			h.linkUp(a, at)
		case !d.up && was.up:
			a.hush()
			a.downSince, a.downBy = at, culprit(port)
			h.note(a, Event{Kind: LinkDown, By: a.downBy, Err: fmt.Errorf("%s: %w", a.Dev, ErrLinkDown)})
		default:
			continue
		}
		h.wake()
	}
}

// linkUp puts an address back on a device that came up, which is told nothing by it if it is there still, and announces.
func (h *Hand) linkUp(a *address, at time.Time) {
	e := Event{Kind: LinkDown, By: a.downBy, Took: time.Since(a.downSince)}
	known := !a.downSince.IsZero()
	a.downSince = time.Time{}
	if h.cfg.Holds() {
		e.Err = h.put(a)
	} else {
		e.Err, a.silenced = ErrLapsed, true // The next Set decides.
	}
	a.heal()
	switch {
	case e.Err == nil:
		a.sayFrom(at)
	case errors.Is(e.Err, ErrExpired), errors.Is(e.Err, ErrLapsed):
	default:
		a.hurt(Deleted, unknown, at)
	}
	if known {
		h.note(a, e)
	}
}

// overrun looks at everything, since notifications were lost.
func (h *Hand) overrun() {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.devices
	if err := h.look(); err != nil {
		h.log.Warn("the kernel's notifications were lost", "err", err)
		return
	}
	at := time.Now()
	for _, a := range h.addresses {
		a.ownDrops = 0
		d, err := h.carrier(a)
		switch {
		case !a.meant || err != nil:
		case a.up && !a.in(a.own(d.index)):
			h.deleted(a, news{}, at) // Whoever it was.
		case a.up && d.up && !before[d.index].up:
			h.linkUp(a, at)
		case !a.up && slices.ContainsFunc(slices.Collect(maps.Keys(a.places)), a.removable):
			a.hurt(Added, unknown, at)
		}
	}
	h.wake()
}
