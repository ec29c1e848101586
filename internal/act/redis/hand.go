package redis

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"redkeep/internal/words"
)

// ErrOtherProcess says that the server is not the process that the order was for: it has restarted (rule same-process).
var ErrOtherProcess = errors.New("the server is another process than the order was for")

// Hand is the hand of one server.
type Hand struct {
	cfg    Config
	dialer dialer
	// turn holds a token while an order is under way; whoever has it owns orders, known and greeted.
	turn   chan struct{}
	orders *link
	// able is what the server of the orders connection can do.
	able Abilities
	// greeted is set once a pause that an earlier agent may have left has been ended.
	greeted bool
	// prepare asks for a fenced connection ahead of the next order.
	prepare chan struct{}
	// roused says that the process is awake anyway. It is of use from early on, counted from began.
	roused chan struct{}
	early  atomic.Int64
	began  time.Time
	// killing is set while KillClients expects the watch's own connection to be ended.
	killing atomic.Bool
	// proven is the number of the process that the watch has proven to be the server's; 0 while there is none.
	proven atomic.Int64
	// news keeps a look that an order has overtaken from being told after it.
	news news
	// born is the last finding about the server's file, diskFails the last about its disk.
	born, diskFails atomic.Bool

	mu       sync.Mutex // guards remarked
	remarked map[string]bool
}

// New returns a hand; it does nothing before Run or an order.
func New(cfg Config) *Hand {
	h := &Hand{
		cfg:      cfg.withDefaults(),
		turn:     make(chan struct{}, 1),
		prepare:  make(chan struct{}, 1),
		roused:   make(chan struct{}, 1),
		began:    time.Now(),
		remarked: map[string]bool{},
	}
	h.dialer = dialer{cfg: &h.cfg, remark: h.remark}
	return h
}

// Run watches the server until the context ends, which is the only way for it to return. Run may be called once.
func (h *Hand) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { h.prepareOrders(ctx) }) // ended by the context.
	newWatch(h).run(ctx)
	wg.Wait()
	return ctx.Err()
}

// Rouse tells the watch that this process is awake anyway: a look that would soon be due is taken now, so that one wake-up
// serves both, and an idle agent has few of them. It may be called often, never waits, and nothing depends on it.
func (h *Hand) Rouse() {
	if time.Since(h.began) < time.Duration(h.early.Load()) {
		return
	}
	select {
	case h.roused <- struct{}{}:
	default:
	}
}

// prepareOrders opens the orders connection whenever the watch has found the server, so that an order finds it open
// and fenced. It closes it at the end.
func (h *Hand) prepareOrders(ctx context.Context) {
	for {
		select {
		case <-h.prepare:
			// A failure shows in the next order, which tries again.
			bounded, cancel := context.WithTimeout(ctx, soon)
			_, _ = h.order(bounded, "prepare", func(context.Context, *link) error { return nil })
			cancel()
		case <-ctx.Done():
			h.turn <- struct{}{} // orders are bounded by contexts that end with the agent's.
			h.dropOrders()
			<-h.turn
			return
		}
	}
}

// order runs f on a fenced connection whose server has just been looked at, and returns what the server said last there.
func (h *Hand) order(ctx context.Context, name string, f func(context.Context, *link) error) (words.Server, error) {
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return words.Server{}, fmt.Errorf("%s: wait for the order before it: %w", name, ctx.Err())
	}
	l, err := h.fenced(ctx)
	if err != nil {
		return words.Server{}, fmt.Errorf("%s: %w", name, err)
	}
	if err := f(ctx, l); err != nil {
		if l.broken {
			h.dropOrders()
		}
		return l.server, fmt.Errorf("%s: %w", name, err)
	}
	h.news.settle(time.Now())
	return l.server, nil
}

// dropOrders closes the orders connection; the turn is the caller's.
func (h *Hand) dropOrders() {
	if h.orders != nil {
		h.news.unsettle()
		_ = h.orders.conn.Close()
		h.orders = nil
	}
}

// remark passes each sentence on once.
func (h *Hand) remark(text string) {
	h.mu.Lock()
	known := h.remarked[text]
	if len(h.remarked) < 100 {
		h.remarked[text] = true
	}
	h.mu.Unlock()
	if !known {
		h.cfg.Remark(text)
	}
}

// same checks that the order is for this process. An empty run ID is for whichever it is.
func (l *link) same(id words.RunID) error {
	if id != "" && id != l.server.RunID {
		return fmt.Errorf("%w (run ID %.8s, not %.8s)", ErrOtherProcess, string(l.server.RunID), string(id))
	}
	return nil
}
