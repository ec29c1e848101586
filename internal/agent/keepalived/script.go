package keepalived

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"redkeep/internal/speak/keepalivedconf"
)

// notifyLimit is how long one script may run before it is ended.
const notifyLimit = time.Minute

// errOver ends a script whose state is over.
var errOver = errors.New("its state is over")

// notes run the scripts of one instance, one at a time. A newer state ends the script of an older one, and what of that was still to
// run is left out: the newest state is what scripts have to bring about, and two of them at once is how servers have ended as each
// other's replicas.
type notes struct {
	log  *slog.Logger
	bell chan struct{}

	mu   sync.Mutex // guards what follows
	next []keepalivedconf.Command
	busy bool
	over context.CancelCauseFunc // ends what runs
	rest chan struct{}           // is closed when nothing runs or waits; nil while nobody asks
}

func newNotes(log *slog.Logger) *notes { return &notes{log: log, bell: make(chan struct{}, 1)} }

// tell has these commands run, in this order, in place of all that runs or waits; none is a state without a script, which ends the older
// one's all the same.
func (n *notes) tell(commands []keepalivedconf.Command) {
	n.mu.Lock()
	if len(n.next) > 0 {
		n.log.Info("scripts of an earlier state are left out", "count", len(n.next))
	}
	n.next = commands
	if n.over != nil {
		n.over(errOver)
	}
	n.mu.Unlock()
	n.ring()
}

// add has a command run after what runs and waits, unless that is much.
func (n *notes) add(c keepalivedconf.Command) {
	n.mu.Lock()
	if len(n.next) < mostNotes {
		n.next = append(slices.Clip(n.next), c)
	}
	n.mu.Unlock()
	n.ring()
}

// mostNotes is how many scripts wait that belong to no change of the state.
const mostNotes = 4

func (n *notes) ring() {
	select {
	case n.bell <- struct{}{}:
	default:
	}
}

// take returns the next command and its context; ok is false where none waits.
func (n *notes) take(ctx context.Context) (c keepalivedconf.Command, limited context.Context, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.over != nil {
		n.over(nil)
		n.over = nil
	}
	if n.busy = len(n.next) > 0; !n.busy {
		if n.rest != nil {
			close(n.rest)
			n.rest = nil
		}
		return c, nil, false
	}
	c, n.next = n.next[0], n.next[1:]
	limited, n.over = context.WithCancelCause(ctx)
	return c, limited, true
}

// await waits until nothing runs or waits, or the context ends.
func (n *notes) await(ctx context.Context) {
	n.mu.Lock()
	if !n.busy && len(n.next) == 0 {
		n.mu.Unlock()
		return
	}
	if n.rest == nil {
		n.rest = make(chan struct{})
	}
	rest := n.rest
	n.mu.Unlock()
	select {
	case <-rest:
	case <-ctx.Done():
	}
}

// run runs them, until the context ends.
func (n *notes) run(ctx context.Context) {
	for {
		for c, limited, ok := n.take(ctx); ok; c, limited, ok = n.take(ctx) {
			n.execute(limited, c)
		}
		select {
		case <-ctx.Done():
			return
		case <-n.bell:
		}
	}
}

// execute runs one script within its limit. Its arguments may be secret, and are not told.
func (n *notes) execute(ctx context.Context, c keepalivedconf.Command) {
	limited, cancel := context.WithTimeout(ctx, notifyLimit)
	defer cancel()
	began := time.Now()
	err := execute(limited, c)
	took := time.Since(began).Round(time.Millisecond)
	switch {
	case limited.Err() != nil:
		n.log.Warn("script was ended", "path", c.Args[0], "took", took, "why", context.Cause(limited))
	case err != nil:
		n.log.Warn("script failed", "path", c.Args[0], "took", took, "err", err)
	default:
		n.log.Info("script", "path", c.Args[0], "took", took)
	}
}
