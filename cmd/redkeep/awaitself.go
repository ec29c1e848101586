package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"redkeep/internal/speak/config"
)

const (
	// addressWait bounds how long an agent that is started waits for an address of the file: less than systemd allows a start.
	addressWait = time.Minute
	addressLook = 100 * time.Millisecond
)

// awaitSelf is self for an agent that may be started before the network is: at boot the unit waits for no address, since a
// network that never comes up must not keep an agent from judging its server. Its error after the wait is exitFailed and
// no mistake in the file, so that systemd starts the agent again; with --node there is nothing to wait for.
func (f *configFlags) awaitSelf(ctx context.Context, c *config.Config, log *slog.Logger, stop, suspend <-chan struct{}) (config.Node, error) {
	again, limit := time.NewTicker(addressLook), time.NewTimer(addressWait)
	defer again.Stop()
	defer limit.Stop()
	for said := false; ; said = true {
		self, err := f.self(c)
		if err == nil || f.node != "" {
			return self, err
		}
		if !said {
			log.Warn("waiting for an address of one of the nodes", "for", addressWait, "err", err)
		}
		select {
		case <-again.C:
			continue
		case <-limit.C:
			return config.Node{}, withCode(exitFailed, err)
		case <-ctx.Done():
			return config.Node{}, withCode(exitFailed, err)
		case <-stop:
		case <-suspend:
		}
		return config.Node{}, withCode(exitDone, errors.New("run: stopped before this host had an address of the file"))
	}
}
