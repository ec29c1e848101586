package writer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"redkeep/internal/speak/resp"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/wire"
)

// Defaults of Options.
const (
	// DefaultTimeout is long for hosts of one machine, and short beside any lease.
	DefaultTimeout = 100 * time.Millisecond
	// DefaultLimit is a quarter of an hour at 1,000 writes a second; it costs some 80 MB.
	DefaultLimit = 1 << 20
	// retryPause is the pause after a failure: short beside the gaps that are measured, long enough to leave the
	// processor to those who mend them.
	retryPause = time.Millisecond
)

// ErrLimit is the end of a writer whose log is full.
var ErrLimit = errors.New("the writer's log is full")

// Options are the choices for a writer. Dial and Finder must be set.
type Options struct {
	// Dial connects from the writer's host.
	Dial wire.Dialer
	// TLS is asked for each connection to a server, which then speaks TLS; nil for connections without. What the finder asks
	// is the finder's business.
	TLS func() (*tls.Config, error)
	// Finder says where to write. The caller closes it after the writer's Stop.
	Finder Finder
	// Name is the prefix of the keys; default "key". Two writers of one group must have different ones.
	Name string
	// Interval is the time between the starts of two writes; 0 for as fast as the server answers.
	Interval time.Duration
	// Keys is the number of keys that are written in turn; 0 for a new key with each write, as Audit needs it.
	Keys uint64
	// Stay keeps the connection after an error reply, as a client that was connected before its server was demoted.
	// Otherwise the writer looks for the master again.
	Stay bool
	// Identify, if set, is asked over each new connection, before the first write, whose server it leads to: an address
	// that moves does not say. Its answer is the Node of the writes; after an error the connection is not used.
	Identify func(conn *wire.Conn, within time.Duration) (netip.AddrPort, error)
	// DialTimeout and RequestTimeout default to 100 ms.
	DialTimeout, RequestTimeout time.Duration
	// Limit is the number of writes after which the writer stops with ErrLimit; default DefaultLimit.
	Limit int
	// On, if set, is called with each write when its outcome is known, on the writer's goroutine. It must not block.
	On func(Write)
}

// Write is one SET and its outcome.
type Write struct {
	// Seq numbers the writer's requests from 1; no two have the same.
	Seq uint64
	// Node is the server that was asked: the address that was dialled, or what Identify made of it.
	Node netip.AddrPort
	// Sent is just before the request left.
	Sent clock.Instant
	// Acked is just after OK was read; 0 for a write that was not acknowledged.
	Acked clock.Instant
	// Err is why it was not: the server's error reply, or what became of the connection. After the latter it is open
	// whether the write was done.
	Err string
}

// OK reports whether the write was acknowledged.
func (w Write) OK() bool { return w.Acked != 0 }

// Writer is one client with at most one connection.
type Writer struct {
	options Options
	pacer   *clock.Pacer
	cancel  context.CancelFunc
	done    chan struct{}
	node    netip.AddrPort // whose server conn leads to; used by run's goroutine alone

	mu     sync.Mutex // guards all below
	log    []Write
	err    error
	conn   *wire.Conn
	abort  context.CancelFunc // ends the search or the dial that is going on
	target netip.AddrPort     // announced as the new master, not yet followed
}

// Start starts a writer. It ends with the context, or at its limit; its Stop must be called.
func Start(ctx context.Context, o Options) (*Writer, error) {
	pacer, err := clock.NewPacer()
	if err != nil {
		return nil, fmt.Errorf("start writer: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &Writer{options: o.withDefaults(), pacer: pacer, cancel: cancel, done: make(chan struct{})}
	context.AfterFunc(ctx, w.interrupt)
	var tasks sync.WaitGroup
	tasks.Go(func() { w.follow(ctx) }) // ends with the context
	tasks.Go(func() { w.run(ctx) })    // ends with the context or at the limit, and ends the context
	go func() { tasks.Wait(); close(w.done) }()
	return w, nil
}

func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = "key"
	}
	if o.DialTimeout == 0 {
		o.DialTimeout = DefaultTimeout
	}
	if o.RequestTimeout == 0 {
		o.RequestTimeout = DefaultTimeout
	}
	if o.Limit == 0 {
		o.Limit = DefaultLimit
	}
	return o
}

// Stop ends the writer and returns its log. It may be called again.
func (w *Writer) Stop() []Write {
	w.cancel()
	<-w.done
	return w.Writes()
}

// Done is closed when the writer has ended, by Stop or by itself.
func (w *Writer) Done() <-chan struct{} { return w.done }

// Err returns why the writer ended by itself; nil if it did not.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Writes returns what was logged so far, in order. The slice must not be changed.
func (w *Writer) Writes() []Write {
	w.mu.Lock()
	defer w.mu.Unlock()
	// The log is only ever appended to, so what is in this slice stays as it is.
	return w.log[:len(w.log):len(w.log)]
}

func (w *Writer) run(ctx context.Context) {
	defer w.cancel()
	var seq uint64
	for due := clock.Now(); ctx.Err() == nil; {
		if w.pacer.Wait(due) != nil {
			return
		}
		due = max(due.Add(w.options.Interval), clock.Now())
		conn, ok := w.connected(ctx)
		if !ok {
			due = max(due, clock.Now().Add(retryPause))
			continue
		}
		seq++
		write, keep := w.write(conn, seq)
		if !keep {
			w.drop(conn)
		}
		if !write.OK() {
			due = max(due, clock.Now().Add(retryPause))
		}
		if !w.note(write) {
			return
		}
	}
}

// write sends one SET. keep says whether the connection is good for another.
func (w *Writer) write(conn *wire.Conn, seq uint64) (write Write, keep bool) {
	write = Write{Seq: seq, Node: w.node, Sent: clock.Now()}
	answer, err := conn.Do(w.options.RequestTimeout, "SET", w.options.key(seq), strconv.FormatUint(seq, 10))
	now := clock.Now()
	switch {
	case err == nil && answer.IsOK():
		write.Acked = now
		return write, true
	case err == nil:
		write.Err = "unexpected answer: " + answer.Text
		return write, false
	default:
		write.Err = err.Error()
		var refused *resp.ReplyError
		return write, errors.As(err, &refused) && w.options.Stay
	}
}

// dialer connects to servers.
func (o Options) dialer() wire.Dialer {
	if o.TLS == nil {
		return o.Dial
	}
	return wire.OverTLS(o.Dial, o.TLS)
}

func (o Options) key(seq uint64) string {
	if o.Keys > 0 {
		seq %= o.Keys
	}
	return o.Name + "-" + strconv.FormatUint(seq, 10)
}

// note logs a write. It returns false at the limit.
func (w *Writer) note(write Write) bool {
	if w.options.On != nil {
		w.options.On(write)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, write)
	if len(w.log) >= w.options.Limit {
		w.err = ErrLimit
		return false
	}
	return true
}
