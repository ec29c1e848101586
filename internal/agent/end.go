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
		a.withdrawGate(ctx)
	case <-suspend:
		a.log.Info("restarting: everything is left as it is")
		if err := a.everyMachine(ctx, decide.Suspend{}, suspendLimit); err != nil {
			a.log.Warn("stopped before everything was stored", "err", err)
		}
	}
	return errEnded
}

// withdrawLimit bounds the wait for the gate's removal, which takes milliseconds.
const withdrawLimit = 100 * time.Millisecond

// withdrawGate takes the gate out of the kernel where no group needs it: in front of verified replicas there is none. One
// that is shut in front of anything else stays.
func (a *Agent) withdrawGate(ctx context.Context) {
	if a.gate == nil {
		return
	}
	done := make(chan struct{})
	queued := a.gates.add(func(context.Context) {
		defer close(done)
		if _, err := a.gate.Withdraw(); err != nil {
			a.log.Warn("the gate's table is left in the kernel", "err", err)
		}
	})
	if !queued {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, withdrawLimit)
	defer cancel()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
