package link

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Config is what a Hand is opened with.
type Config struct {
	// Devices are the names of those that are followed.
	Devices []string
	// Virtual are addresses that are not this host's own, whoever put them on.
	Virtual []netip.Addr
	// Asked are addresses, 64 at most, of which each Device says whether it has them.
	Asked []netip.Addr
	// OnChange is called from Run's goroutine, for each device once at the beginning, and then when something about it has changed. It
	// must not wait.
	OnChange func(Device)
}

// Device is what a device is now.
type Device struct {
	Name string
	// Index is its number, 0 where there is none of that name. One that is replaced has another number.
	Index int
	// Up says that it is set up and has a carrier.
	Up bool
	// IPv4 is its first address, LinkLocal the first link-local one of IPv6 that is in use; both are invalid where there is none.
	IPv4, LinkLocal netip.Addr
	// Has has a bit for each of Config.Asked, from the lowest on.
	Has uint64
}

// Hand follows some devices.
type Hand struct {
	cfg   Config
	lists *netlink.Handle
	news  *nl.NetlinkSocket
	known map[string]Device
}

const (
	// patience bounds a wait for the kernel's answer to a question, in seconds.
	patience = 1
	// attempts bounds how often a list that raced with a change is read again.
	attempts = 5
	// rest is between two looks after an error that nobody knows of.
	rest = 100 * time.Millisecond
	// maxFailures is how many errors in a row are borne.
	maxFailures = 30
)

// Open connects to the kernel in the present thread's network namespace. What changes from then on is told by Run.
func Open(cfg Config) (*Hand, error) {
	lists, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("follow devices: %w", err)
	}
	news, err := nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR)
	if err == nil {
		err = lists.SetSocketTimeout(patience * time.Second)
	}
	if err != nil {
		lists.Close()
		if news != nil {
			news.Close()
		}
		return nil, fmt.Errorf("follow devices: %w", err)
	}
	return &Hand{cfg: cfg, lists: lists, news: news, known: map[string]Device{}}, nil
}

// Close gives the connections back. It must not be called while Run runs.
func (h *Hand) Close() {
	h.news.Close()
	h.lists.Close()
}

// Run tells of the devices until the context ends. It is called once. Where the kernel does not answer it asks again; an error is that its
// connection is gone, or that it failed some thirty times in a row.
func (h *Hand) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, h.news.Close)() // Nothing else wakes it; nobody needs the connection after Run.
	failures := 0
	for look := true; ; {
		var err error
		if look {
			err = h.look()
		}
		if look = err != nil; !look {
			look, err = h.hear()
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			failures = 0
			continue
		case errors.Is(err, os.ErrClosed), errors.Is(err, unix.EBADF), failures == maxFailures:
			return fmt.Errorf("follow devices: %w", err)
		}
		failures++
		pause(ctx)
	}
}

// hear waits for news, and reports whether the devices must be looked at.
func (h *Hand) hear() (look bool, err error) {
	messages, from, err := h.news.Receive()
	switch {
	case errors.Is(err, unix.ENOBUFS): // News were lost.
		return true, nil
	case err != nil:
		return true, err
	}
	return from.Pid == nl.PidKernel && slices.ContainsFunc(messages, h.concerns), nil
}

func pause(ctx context.Context) {
	timer := time.NewTimer(rest)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// look reads the devices, and tells of those that have changed.
func (h *Hand) look() error {
	for _, name := range h.cfg.Devices {
		d, err := h.read(name)
		if err != nil {
			return fmt.Errorf("look at device %s: %w", name, err)
		}
		if was, seen := h.known[name]; !seen || was != d {
			h.known[name] = d
			h.cfg.OnChange(d)
		}
	}
	return nil
}

func (h *Hand) read(name string) (Device, error) {
	d := Device{Name: name}
	l, err := h.lists.LinkByName(name)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return d, nil
	}
	if err != nil {
		return d, err
	}
	at := l.Attrs()
	d.Index, d.Up = at.Index, at.RawFlags&unix.IFF_UP != 0 && at.RawFlags&unix.IFF_LOWER_UP != 0
	var list []netlink.Addr
	for range attempts {
		list, err = h.lists.AddrList(l, unix.AF_UNSPEC)
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	if errors.Is(err, unix.ENODEV) {
		return Device{Name: name}, nil // It went meanwhile, and the news of that are on their way.
	}
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return d, err
	}
	for _, a := range list {
		h.note(&d, a)
	}
	return d, nil
}

// note takes an address if it is one to introduce oneself with. The kernel lists a device's first address first.
func (h *Hand) note(d *Device, a netlink.Addr) {
	const useless = unix.IFA_F_TENTATIVE | unix.IFA_F_DADFAILED
	ip, ok := netip.AddrFromSlice(a.IP)
	ip = ip.Unmap()
	if i := slices.Index(h.cfg.Asked, ip); i >= 0 && a.Flags&useless == 0 {
		d.Has |= 1 << i
	}
	switch {
	case !ok || slices.Contains(h.cfg.Virtual, ip):
	case ip.Is4() && !d.IPv4.IsValid():
		d.IPv4 = ip
	case ip.Is6() && ip.IsLinkLocalUnicast() && !d.LinkLocal.IsValid() && a.Flags&useless == 0:
		d.LinkLocal = ip
	}
}
