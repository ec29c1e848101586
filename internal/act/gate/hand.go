package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"redkeep/internal/words"
)

// The mark by which the agent's own sockets are known, and the bits of it that count, where the file says nothing else.
const (
	DefaultMark uint32 = 0x52000000
	DefaultMask uint32 = 0xff000000
)

// ErrUnavailable says that this host has no working kernel gate for us: no nf_tables, or no CAP_NET_ADMIN. The fence is
// soft then.
var ErrUnavailable = errors.New("no kernel gate; load the module nf_tables and give the agent CAP_NET_ADMIN")

// ErrOwned says that another process, a running agent, holds the table.
var ErrOwned = errors.New("the gate belongs to a running agent; ask that agent, or stop it first")

// socketBuffer holds, in bytes, the largest transaction, a restoration with many groups, and its acknowledgements.
const socketBuffer = 4 << 20

// Config is what a Hand is opened with.
type Config struct {
	// Mark and Mask tell the agent's own sockets; both zero mean DefaultMark and DefaultMask.
	Mark, Mask uint32
	// ExemptUIDs are local users whose connections pass a shut gate. With one, the fence is partial.
	ExemptUIDs []uint32
	// OnDamage is called, from the goroutine that watches, after another program's damage was seen and repaired. It must
	// not call Close. nil leaves the table unwatched, as one-shot commands want it.
	OnDamage func(Damage)
	// Log gets what is worth a line; nil discards it.
	Log *slog.Logger

	unowned bool   // For tests: a table as kernels before 6.9 have it, which others can change.
	arpless bool   // For tests: a kernel without the arp family.
	pause   func() // For tests: called by a restoration after it has read the clock.
	stall   func() // For tests: called by the self-test when its element has been armed.
}

// Hand holds the table. Its methods may be called from any goroutine.
type Hand struct {
	cfg     Config
	log     *slog.Logger
	shape   *structure
	watch   *watch
	closing sync.Once

	// mu guards the connection, on which batches and answers must not mix, and groups. It is held across system calls
	// of the connection, which is what it is for.
	mu     sync.Mutex
	conn   *nftables.Conn
	raw    *netlink.Conn // conn's own socket,
	socket syscall.RawConn
	seq    uint32 // the number of the last transaction
	groups map[words.Group]*held
	portID atomic.Uint32 // conn's number in notifications; also read by the watch, without the lock.
	unsure bool          // A transaction failed: the next one has to tell the kernel everything.
	lost   bool          // conn has to be replaced before it is used again.
	// withARP says that the table for ARP is in use; it is from then on.
	withARP bool
	// noARP is why there can be no such table, where one was needed: the kernel was built without the family.
	noARP error
}

// held is what the kernel was last told of one group.
type held struct {
	want Want
	// ends has, by slot, when it runs out by CLOCK_BOOTTIME: read before the kernel was told, so that a slot that has to
	// be restored can only be too short.
	ends [Slots]boottime
	// lentUntil is the same for a timed opening.
	lentUntil boottime
}

// Open takes the table over, or makes it. A table that stands is left as it is, with all that is in force in it. The
// returned Hand owns the table where the kernel can keep it after its owner's death; ErrOwned says that another does.
func Open(ctx context.Context, cfg Config) (*Hand, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open gate: %w", err)
	}
	if cfg.Mark == 0 && cfg.Mask == 0 {
		cfg.Mark, cfg.Mask = DefaultMark, DefaultMask
	}
	if cfg.Mark&cfg.Mask == 0 {
		return nil, fmt.Errorf("open gate: mark %#x under mask %#x would exempt everybody; choose one that is not zero", cfg.Mark, cfg.Mask)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	h := &Hand{cfg: cfg, log: cfg.Log, shape: newStructure(cfg), groups: map[words.Group]*held{}}
	if err := h.begin(); err != nil {
		return nil, fmt.Errorf("open gate: %w", errors.Join(unavailable(err), h.Close()))
	}
	return h, nil
}

// begin does what Open promises; what it has started is ended by Close.
func (h *Hand) begin() error {
	if err := h.connect(); err != nil {
		return err
	}
	// The watch begins before the first look, so that nothing falls between the two.
	if h.cfg.OnDamage != nil {
		w, err := newWatch(h)
		if err != nil {
			return err
		}
		h.watch = w
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.adopt(); err != nil {
		return err
	}
	return h.follow()
}

// follow has the watch run where a table has no owner, and not where nobody else can change anything: a program that loads
// a huge ruleset would wake it for each element of that.
func (h *Hand) follow() error {
	owned := !slices.ContainsFunc(h.tables(), func(t *table) bool { return t.flags&flagOwner == 0 })
	switch {
	case h.cfg.OnDamage == nil:
	case owned && h.watch != nil && h.watch.done == nil:
		w := h.watch
		h.watch = nil
		return w.stop()
	case !owned && h.watch == nil:
		w, err := newWatch(h)
		if err != nil {
			return err
		}
		h.watch = w
		w.start()
	case !owned && h.watch.done == nil:
		h.watch.start()
	}
	return nil
}

// connect opens the one socket by which the table is changed: the kernel knows an owner by its socket.
func (h *Hand) connect() error {
	keep := func(c *netlink.Conn) error {
		h.raw = c
		return bufferSizes(c)
	}
	conn, err := nftables.New(nftables.AsLasting(), nftables.WithSockOptions(keep))
	if err != nil {
		return fmt.Errorf("connect to nf_tables: %w", err)
	}
	h.conn = conn
	if h.socket, err = h.raw.SyscallConn(); err != nil {
		return fmt.Errorf("reach netlink socket: %w", err)
	}
	id, err := portID(h.raw)
	h.portID.Store(id)
	return err
}

// bufferSizes makes room beyond the system's limit, as CAP_NET_ADMIN may, or else up to it.
func bufferSizes(c *netlink.Conn) error {
	sc, err := c.SyscallConn()
	if err != nil {
		return fmt.Errorf("reach netlink socket: %w", err)
	}
	var failed error
	err = sc.Control(func(fd uintptr) {
		for force, plain := range map[int]int{unix.SO_RCVBUFFORCE: unix.SO_RCVBUF, unix.SO_SNDBUFFORCE: unix.SO_SNDBUF} {
			if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, force, socketBuffer) != nil {
				failed = errors.Join(failed, unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, plain, socketBuffer))
			}
		}
	})
	return errors.Join(err, failed)
}

// portID returns the number by which the kernel knows a netlink socket.
func portID(c *netlink.Conn) (uint32, error) {
	sc, err := c.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("reach netlink socket: %w", err)
	}
	var (
		id    uint32
		cause error
	)
	err = sc.Control(func(fd uintptr) {
		sa, err := unix.Getsockname(int(fd))
		if nl, ok := sa.(*unix.SockaddrNetlink); ok {
			id = nl.Pid
		}
		cause = err
	})
	return id, errors.Join(err, cause)
}

// reconnect replaces a connection that lost count of its answers, and takes the table over again: it is the old
// connection's until that is closed.
func (h *Hand) reconnect() error {
	if !h.lost {
		return nil
	}
	err := h.conn.CloseLasting()
	if err = errors.Join(err, h.connect()); err != nil {
		return err
	}
	h.lost = false
	for _, t := range h.tables() {
		_, failed := h.take(t)
		err = errors.Join(err, failed)
	}
	return err
}

// bound gives the next exchange its time limit.
func (h *Hand) bound() {
	// A socket without a limit can only wait longer for what it has already.
	_ = h.raw.SetDeadline(time.Now().Add(answerWithin))
}

// Close ends the goroutine and the connection, and leaves the kernel as it is. It may be repeated.
func (h *Hand) Close() error {
	var err error
	h.closing.Do(func() {
		h.mu.Lock()
		w := h.watch
		h.cfg.OnDamage = nil // No watch is started any more.
		h.mu.Unlock()
		if w != nil {
			err = w.stop() // It may be waiting for the lock.
		}
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.conn != nil {
		err = errors.Join(err, h.conn.CloseLasting())
	}
	return err
}

// unavailable makes what a host without nf_tables, or a process without the right, is told recognisable. A kernel that
// lacks one of the expressions' modules says "no such file".
func unavailable(err error) error {
	for _, no := range []error{unix.EPERM, unix.EACCES, unix.EPROTONOSUPPORT, unix.EAFNOSUPPORT, unix.EOPNOTSUPP, unix.ENOSYS, unix.ENOENT} {
		if errors.Is(err, no) && !errors.Is(err, ErrOwned) {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	return err
}

// boottime is a reading of CLOCK_BOOTTIME in nanoseconds: it counts a suspended host's time, which the kernel's timers
// do not, so that what is restored by it is never too long.
type boottime int64

func now() boottime {
	var ts unix.Timespec
	// The call cannot fail for a clock that every kernel has; a zero would restore too much.
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return boottime(1<<63 - 1)
	}
	return boottime(ts.Nano())
}

// left is the time from now until then, in the kernel's whole milliseconds.
func (b boottime) left(at boottime) time.Duration {
	return max(0, time.Duration(b-at).Truncate(time.Millisecond))
}
