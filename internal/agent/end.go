package agent

import (
	"context"
	"time"

	"redkeep/internal/decide"
)

const (
	// stopLimit bounds a stop: a handover, and the own server seen to follow. systemd waits longer.
	stopLimit = 4800 * time.Millisecond
	// suspendLimit bounds what a restart may cost before the process is gone.
	suspendLimit = 45 * time.Millisecond
)

// watchEnd ends the agent as it is asked to: stop hands masters over, suspend leaves everything as it is.
func (a *Agent) watchEnd(ctx context.Context, stop, suspend <-chan struct{}) error {
	select {
	case <-ctx.Done():
		return nil
	case <-stop:
		a.log.Info("stopping: a master here is handed over")
		if err := a.everyMachine(ctx, decide.Stop{}, stopLimit); err != nil {
			a.log.Warn("stopped before everything was handed over", "err", err)
		}
	case <-suspend:
		a.log.Info("restarting: everything is left as it is")
		if err := a.everyMachine(ctx, decide.Suspend{}, suspendLimit); err != nil {
			a.log.Warn("stopped before everything was stored", "err", err)
		}
	}
	return errEnded
}
