package sockets

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/words"
)

// Loop is many connections, and the goroutine that serves them.
type Loop struct {
	config Config
	poll   poller
	far    far
	mail   mailbox
	pool   pool
	wheel  wheel
	stop   atomic.Bool
	ended  bool          // nothing opens any more
	now    words.Instant // this turn's
	wake   words.Instant

	// conns are the plain connections by descriptor; coded ones are those with TLS.
	conns     []*Conn
	coded     map[*Conn]struct{}
	coders    sync.WaitGroup // the goroutines of coded
	turns     turns          // at handshakes
	listeners map[int32]*Listener
	pausedTo  words.Instant // listeners accept nothing until then; zero when they do
	tag       uint32        // the last connection's

	dirty   []*Conn // something was written, and not sent
	resumed []*Conn // may have something left to be received
	doomed  []*Conn // to be closed
	taken   []*Conn // one of these lists while it is worked through
	waiting int     // bytes that wait in all connections

	// news is when something came last; alone, whether Go has no second processor.
	news  words.Instant
	alone bool
	// full is whether the last wait found several with news: then there is likely to be more without waiting.
	full bool

	buffer [64 << 10]byte
}

// New makes a loop. Run must be called, to the end if need be with a context that has ended: it gives back what New took.
func New(config Config) (*Loop, error) {
	l := &Loop{
		config: config.withDefaults(), wake: words.Never, coded: map[*Conn]struct{}{}, listeners: map[int32]*Listener{},
		alone: runtime.GOMAXPROCS(0) == 1, turns: newTurns(),
	}
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make epoll: %w", err)
	}
	l.poll.fd, l.far.fd = fd, -1
	if l.mail.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("make eventfd: %w", err)
	}
	l.mail.most = l.config.Queue
	if err := l.poll.control(unix.EPOLL_CTL_ADD, int32(l.mail.bell), unix.EPOLLIN|unix.EPOLLET, 0); err != nil {
		_ = unix.Close(l.mail.bell)
		_ = unix.Close(fd)
		return nil, fmt.Errorf("watch eventfd: %w", err)
	}
	if l.config.Batch > 0 {
		if err := l.far.open(l); err != nil {
			_ = unix.Close(l.mail.bell)
			_ = unix.Close(fd)
			return nil, err
		}
	}
	l.now = l.config.Now()
	l.wheel.at = int64(l.now) >> grain
	return l, nil
}

// Now is the instant at which this turn began.
func (l *Loop) Now() words.Instant { return l.now }

// SetWake has Config.Woken called once, at the instant or within a fraction of a millisecond after. It replaces what was set
// before; Never takes it back.
func (l *Loop) SetWake(at words.Instant) { l.wake = at }

// Run serves until the context ends, and then closes everything: what was written is sent as far as the kernel takes it (with TLS,
// what its goroutines had begun), and each Closed is called.
func (l *Loop) Run(ctx context.Context) error {
	defer l.end()
	stop := context.AfterFunc(ctx, func() {
		l.stop.Store(true)
		l.mail.mu.Lock()
		defer l.mail.mu.Unlock()
		if !l.mail.ended {
			l.mail.ring()
		}
	})
	defer stop()
	for !l.stop.Load() && ctx.Err() == nil {
		n, err := l.sleep()
		if err != nil {
			return fmt.Errorf("wait for events: %w", err)
		}
		l.turn(n)
	}
	return nil
}

// turn takes n events and all that is due.
func (l *Loop) turn(n int) {
	if l.now = l.config.Now(); n > 0 {
		l.news = l.now
	}
	l.full = n > 1
	for i := range n {
		l.dispatch(&l.poll.events[i])
	}
	if l.far.due(l.now) {
		l.takeFar()
	}
	l.mail.run()
	l.resume()
	l.wheel.turn(l.now, (*Conn).overdue)
	if l.pausedTo != 0 && l.now >= l.pausedTo {
		l.acceptAgain()
	}
	if l.now >= l.wake {
		l.wake = words.Never
		l.config.Woken(l.now)
	}
	l.reap()
	l.config.Turn()
	l.flush()
}

// dispatch handles one event.
func (l *Loop) dispatch(ev *unix.EpollEvent) {
	if ev.Pad == 0 {
		if listener := l.listeners[ev.Fd]; listener != nil {
			listener.accept()
		}
		if int(ev.Fd) == l.far.fd {
			l.takeFar()
		}
		return
	}
	c := l.conns[ev.Fd]
	if c == nil || c.tag != uint32(ev.Pad) {
		return // another connection's, which ended in this turn
	}
	c.event(ev.Events)
}

// sleep waits for events, or until something is due.
func (l *Loop) sleep() (int, error) {
	if waits := len(l.dirty)+len(l.resumed)+len(l.doomed) > 0; waits || l.full {
		if n := l.poll.look(); n > 0 || waits {
			return n, nil
		}
	}
	l.mail.asleep.Store(true)
	defer l.mail.asleep.Store(false)
	if l.stop.Load() || l.mail.full.Load() {
		return 0, nil
	}
	due := words.Earliest(l.wake, l.wheel.next())
	if l.pausedTo != 0 {
		due = min(due, l.pausedTo)
	}
	if l.far.crowded {
		due = min(due, l.far.looked.Add(l.config.Batch))
	}
	wait := forever
	if due != words.Never {
		if wait = due.Sub(l.config.Now()); wait <= 0 {
			return l.poll.look(), nil
		}
	}
	return l.doze(wait)
}

const (
	// brief is how long a wait may be that Go's scheduler is not told of.
	brief = 5 * time.Millisecond
	// lull is for how long there must have been no news for a loop to be idle.
	lull = 50 * time.Millisecond
)

// doze waits for events. To be put to sleep and woken by Go's scheduler costs more than most of what there is to be done then; so
// while there is much to do a short wait is the kernel's alone. It keeps a processor from other goroutines as long, of which a second
// one therefore must be there; a collection of garbage that wants this goroutine to stop interrupts the wait by its signal. A kernel
// that counts in milliseconds has no such short wait, and finds that out with the first one.
func (l *Loop) doze(wait time.Duration) (n int, err error) {
	if !l.alone && !l.poll.coarse && (l.far.crowded || l.now.Sub(l.news) < lull) {
		short := brief
		if wait != forever {
			short = min(short, wait)
		}
		n = l.poll.nap(short)
		switch {
		case l.poll.coarse: // and none of it has passed
		case n > 0 || short == wait:
			return n, nil
		case l.stop.Load() || l.mail.full.Load():
			return 0, nil
		case wait != forever:
			wait -= short
		}
	}
	return l.poll.wait(wait)
}

// reap closes what was doomed until now. What its Closed dooms is for the next turn.
func (l *Loop) reap() {
	if len(l.doomed) == 0 {
		return
	}
	l.doomed, l.taken = l.taken[:0], l.doomed
	for i, c := range l.taken {
		l.taken[i] = nil
		c.bury()
	}
}

// share is how much of a turn is for connections that go on: whoever has news does not wait until thousands have had theirs.
const share = 5 * time.Millisecond

// resume gives connections that may go on what they had left: some of them, and the others in the next turn, before those that come up
// meanwhile.
func (l *Loop) resume() {
	if len(l.resumed) == 0 {
		return
	}
	began := l.config.Now()
	l.resumed, l.taken = l.taken[:0], l.resumed
	for i, c := range l.taken {
		if i > 0 && l.config.Now().Sub(began) > share {
			rest := append(l.taken[i:], l.resumed...)
			clear(l.resumed)
			l.resumed, l.taken = rest, l.resumed
			return
		}
		l.taken[i] = nil
		c.goOn()
	}
}

// flush sends what was written in this turn.
func (l *Loop) flush() {
	if len(l.dirty) == 0 {
		return
	}
	l.dirty, l.taken = l.taken[:0], l.dirty
	for i, c := range l.taken {
		l.taken[i] = nil
		c.dirty = false
		c.flush()
	}
}

// end closes everything. Closed may still write and dial; none of it happens.
func (l *Loop) end() {
	l.ended = true
	l.mail.end()
	l.flush()
	for _, listener := range l.listeners {
		listener.Close()
	}
	for _, c := range l.conns {
		if c != nil {
			c.doom(ErrEnded)
		}
	}
	for c := range l.coded {
		c.doom(ErrEnded)
	}
	for len(l.doomed) > 0 {
		l.reap()
	}
	l.coders.Wait()
	l.mail.mu.Lock()
	defer l.mail.mu.Unlock()
	_ = unix.Close(l.mail.bell)
	_ = unix.Close(l.poll.fd)
	if l.far.fd >= 0 {
		_ = unix.Close(l.far.fd)
	}
}

// watch begins to tell of a plain connection's descriptor.
func (l *Loop) watch(c *Conn, events uint32) error {
	if l.tag++; l.tag == 0 {
		l.tag++
	}
	c.tag, c.armed = l.tag, events
	if err := l.pollerOf(c).control(unix.EPOLL_CTL_ADD, c.fd, events, c.tag); err != nil {
		return fmt.Errorf("watch connection: %w", err)
	}
	l.conns = l.grown(c.fd)
	l.conns[c.fd] = c
	return nil
}

// grown is the list of connections with a place for a descriptor.
func (l *Loop) grown(fd int32) []*Conn {
	for len(l.conns) <= int(fd) {
		l.conns = append(l.conns, nil)
	}
	return l.conns
}
