package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/speak/config"
	"redkeep/internal/words"
)

const (
	// addressWait bounds how long an agent that is started waits for an address of the file: less than systemd allows a start.
	addressWait = time.Minute
	addressLook = 100 * time.Millisecond
	// booting is how long after its boot a host may still be without some of its networks.
	booting = 5 * time.Minute
)

// network is what an agent that may be started before it waits for.
type network struct {
	log           *slog.Logger
	stop, suspend <-chan struct{}
	addresses     func() ([]net.Addr, error) // of this host
}

// await tries until there is nothing wrong, or nothing that time mends. Its error after the wait is exitFailed and no mistake in
// the file, so that systemd starts the agent again.
func (n network) await(ctx context.Context, what string, try func() (hopeless bool, err error)) error {
	again, limit := time.NewTicker(addressLook), time.NewTimer(addressWait)
	defer again.Stop()
	defer limit.Stop()
	for said := false; ; said = true {
		hopeless, err := try()
		if err == nil || hopeless {
			return err
		}
		if !said {
			n.log.Warn("waiting for "+what, "for", addressWait, "err", err)
		}
		select {
		case <-again.C:
			continue
		case <-limit.C:
			return withCode(exitFailed, err)
		case <-ctx.Done():
			return withCode(exitFailed, err)
		case <-n.stop:
		case <-n.suspend:
		}
		return withCode(exitDone, errors.New("run: stopped before this host had "+what))
	}
}

// awaitSelf is self for an agent that may be started before the network is: at boot the unit waits for no address, since a
// network that never comes up must not keep an agent from judging its server. With --node there is nothing to wait for.
func (f *configFlags) awaitSelf(ctx context.Context, c *config.Config, n network) (self config.Node, err error) {
	err = n.await(ctx, "an address of one of the nodes", func() (hopeless bool, err error) {
		self, err = f.self(c)
		return f.node != "", err
	})
	return self, err
}

// past is what a host knows of itself when its agent is started.
type past struct {
	age time.Duration // since its boot
	ran bool          // an agent has run here before, so that the file was good once
}

// awaitDevices is checkDevices for an agent: the subnet of a virtual address may come later than the node's own address, or be gone
// with a cable, and an agent that ended for a mistake in the file would not be started again.
func awaitDevices(ctx context.Context, c *config.Config, self words.Node, n network, p past) error {
	return n.await(ctx, "the interfaces of the virtual addresses", func() (hopeless bool, err error) {
		err = checkDevices(c, self)
		return p.age >= booting && (!p.ran || !bare(c, n.addresses)), err
	})
}

// bare says whether this host has no network of the family of one of the virtual addresses. The kernel takes IPv6 away with a
// cable, and gives it back when a router has been heard: no mistake in the file looks so where an agent has run before.
func bare(c *config.Config, addresses func() ([]net.Addr, error)) bool {
	list, err := addresses()
	if err != nil {
		return false
	}
	var v4, v6 bool
	for _, a := range list {
		p, err := netip.ParsePrefix(a.String())
		if err != nil || p.IsSingleIP() || !p.Addr().IsGlobalUnicast() {
			continue
		}
		v4, v6 = v4 || p.Addr().Is4(), v6 || p.Addr().Is6()
	}
	for _, g := range c.Groups {
		for _, v := range g.VIPs {
			if v.Addr.Is4() && !v4 || v.Addr.Is6() && !v6 {
				return true
			}
		}
	}
	return false
}

// hasRun says whether an agent has numbered its starts in a state directory.
func hasRun(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "node"))
	return err == nil
}

// sinceBoot is how long ago this host was booted.
func sinceBoot() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return booting // not known: what is wrong with the file is said at once
	}
	return time.Duration(ts.Nano())
}
