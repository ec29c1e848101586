package main

import (
	"context"
	"errors"
	"log/slog"
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

// awaitDevices is checkDevices for an agent, where age is the host's since its boot: the subnet of a virtual address may come later
// than the node's own address, and an agent that ended for a mistake in the file would not be started again.
func awaitDevices(ctx context.Context, c *config.Config, self words.Node, n network, age time.Duration) error {
	return n.await(ctx, "the interfaces of the virtual addresses", func() (hopeless bool, err error) {
		return age >= booting, checkDevices(c, self)
	})
}

// sinceBoot is how long ago this host was booted.
func sinceBoot() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return booting // not known: what is wrong with the file is said at once
	}
	return time.Duration(ts.Nano())
}
