package redis

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/decide"
	"redkeep/internal/speak/info"
)

// watch keeps an eye on the server. All of it belongs to the goroutine of Run, but for the reader of a connection.
type watch struct {
	*Hand
	// process is the server's, once proven; pid is the number that was tried last.
	process Process
	pid     int
	// gone says that the process's end has been told.
	gone bool
	// lost is when the server was lost, zero while it is there; told are the causes that were reported since.
	lost time.Time
	told map[decide.LossCause]bool
	file birthFile
}

func newWatch(h *Hand) *watch { return &watch{Hand: h, told: map[decide.LossCause]bool{}} }

// run goes from connection to connection until the context ends.
func (w *watch) run(ctx context.Context) {
	defer w.forget()
	for ctx.Err() == nil {
		conn, err := w.dialer.dial(ctx, 2*w.cfg.Poll)
		wait := w.retryIn()
		switch refused := (*refusedError)(nil); {
		case errors.As(err, &refused):
			w.cfg.Report(decide.Complained{Kind: decide.ComplaintAuth, Text: refused.Error()})
			wait = soon
		case err == nil:
			wait = newSession(w, conn).run(ctx)
		case errors.Is(err, unix.ECONNREFUSED):
			w.lose(decide.LossRefused)
		case ctx.Err() == nil:
			w.remark("can't reach the server: " + err.Error())
			w.unreached()
		}
		w.pause(ctx, wait)
	}
}

// lose tells a loss, once for each of its causes.
func (w *watch) lose(cause decide.LossCause) {
	if w.lost.IsZero() {
		w.lost = time.Now()
	}
	if !w.told[cause] {
		w.told[cause] = true
		w.cfg.Report(decide.Lost{Cause: cause})
	}
}

// found ends a loss.
func (w *watch) found() {
	w.lost = time.Time{}
	clear(w.told)
}

// unreached tells of a server that neither takes a connection nor refuses it: its queue is full, or packets are lost.
func (w *watch) unreached() {
	if w.lost.IsZero() {
		w.lost = time.Now()
	}
	state := decide.ProcessUnknown
	if w.process != nil {
		state, _, _ = w.process.Sample()
	}
	w.cfg.Report(decide.Silent{For: time.Since(w.lost), Process: state})
}

// retryIn returns how long to wait before another attempt.
func (w *watch) retryIn() time.Duration {
	if time.Since(w.lost) < soon {
		return retrySoon
	}
	return retryLater
}

// pause waits before the next attempt, and listens for the process's end meanwhile.
func (w *watch) pause(ctx context.Context, wait time.Duration) {
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.exited():
		w.tellExit()
	case <-ctx.Done():
	}
}

// exited is never ready while no process is proven, or once its end has been told.
func (w *watch) exited() <-chan struct{} {
	if w.process == nil || w.gone {
		return nil
	}
	return w.process.Exited()
}

func (w *watch) tellExit() {
	w.gone = true
	w.lose(decide.LossExited)
}

// prove opens the process that the server says it is, once for each process.
func (w *watch) prove(claim info.Process) {
	if w.cfg.Prove == nil || claim.PID == 0 || claim.PID == w.pid && !w.gone {
		return
	}
	w.forget()
	process, err := w.cfg.Prove(claim.PID, claim.Uptime)
	w.pid = claim.PID
	if err != nil {
		w.remark("the server's process can't be watched: " + err.Error())
		return
	}
	w.process = process
	w.proven.Store(int64(claim.PID))
}

func (w *watch) forget() {
	if w.process != nil {
		w.process.Close()
	}
	w.process, w.pid, w.gone = nil, 0, false
	w.proven.Store(0)
}
