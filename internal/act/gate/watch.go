package gate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Damage tells of a change to our table by another program, and of its repair.
type Damage struct {
	// Program and PID name the culprit as the kernel does; PID is that of the kernel's first process namespace.
	Program string
	PID     uint32
	// Took is the time from the notification to the kernel's acknowledgement of the repair, pause included.
	Took time.Duration
	// Err is why the repair failed; the next attempt follows after a pause.
	Err error
}

// The pauses before a repair. The first follows at once; programs that fight over a ruleset must not eat the processor.
// Measured, from the notification: 1.3 ms for the repair (one transaction for the tables and what is shut, one for what is
// leased); but where the culprit ends at once, as the program nft does, the kernel holds its lock for a grace period of
// 10 to 20 ms, and the second transaction, or both, wait for that. Only an owned table, which cannot be deleted, has no gap.
const (
	firstPause = 10 * time.Millisecond
	longPause  = 10 * time.Second
	// calm without damage makes the next repair a first one again.
	calm = time.Minute
)

// Attributes of the message that ends each transaction's notifications, which the system's constants lack.
const (
	genProcPID  = 2
	genProcName = 3
)

// watch follows the kernel's notifications where another program can do damage: where a table has no owner. Its goroutine
// is started by Open, or with the table for ARP, and ended by Close.
type watch struct {
	hand *Hand
	tell func(Damage)
	conn *netlink.Conn
	stopped,
	done chan struct{}
	pause time.Duration
	last  time.Time
	// failures is how many receives have failed in a row.
	failures int
}

func newWatch(h *Hand) (*watch, error) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
	if err != nil {
		return nil, fmt.Errorf("connect for notifications: %w", err)
	}
	err = errors.Join(bufferSizes(conn), overhear(conn, h.portID.Load()), conn.JoinGroup(unix.NFNLGRP_NFTABLES))
	if err != nil {
		return nil, fmt.Errorf("subscribe to notifications: %w", errors.Join(err, conn.Close()))
	}
	return &watch{hand: h, tell: h.cfg.OnDamage, conn: conn, stopped: make(chan struct{})}, nil
}

// overhear has the kernel keep back what tells of our own transactions: an agent makes twenty of them a second, and each
// would wake it again. All messages of one datagram are of one transaction, and carry its author's number.
func overhear(conn *netlink.Conn, own uint32) error {
	const authorAt = 12 // nlmsg_pid in struct nlmsghdr
	program, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: authorAt, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: networkOrder.Uint32(binary.NativeEndian.AppendUint32(nil, own)), SkipTrue: 1},
		bpf.RetConstant{Val: 1 << 30}, // whole
		bpf.RetConstant{Val: 0},
	})
	if err != nil {
		return fmt.Errorf("write notification filter: %w", err)
	}
	return conn.SetBPF(program)
}

// start begins the goroutine, which stop ends.
func (w *watch) start() {
	w.done = make(chan struct{})
	go w.run()
}

func (w *watch) stop() error {
	close(w.stopped)
	err := w.conn.Close()
	if w.done != nil {
		<-w.done
	}
	return err
}

func (w *watch) run() {
	defer close(w.done)
	touched := map[*table]bool{} // and whether it was taken away whole
	for {
		messages, err := w.conn.Receive()
		select {
		case <-w.stopped:
			return
		default:
		}
		if errors.Is(err, os.ErrClosed) || errors.Is(err, unix.EBADF) {
			return
		}
		if err != nil {
			if !w.missed(err) {
				return
			}
			continue
		}
		w.failures = 0
		for _, m := range messages {
			foreign := m.Header.PID != w.hand.portID.Load()
			switch kind := uint16(m.Header.Type) & 0xff; {
			case !foreign:
			case kind != unix.NFT_MSG_NEWGEN:
				if t := w.hand.shape.of(m.Data); t != nil {
					touched[t] = kind == unix.NFT_MSG_DELTABLE
				}
			case len(touched) > 0:
				var all []damage
				for t, gone := range touched {
					all = append(all, damage{t, gone})
				}
				clear(touched)
				w.repair(culprit(m.Data), time.Now(), all...)
			}
		}
	}
}

// missed makes up for notifications that were lost, as among those of another program's huge ruleset: it looks at the tables
// instead. A second failure in a row is a socket that is good for nothing any more, as far as can be told: the tables are looked at
// less and less often from then on, and the log says so once. It returns false when the watch is to end.
func (w *watch) missed(err error) bool {
	seen := time.Now()
	w.hand.mu.Lock()
	intact := w.hand.intact()
	w.hand.mu.Unlock()
	if !intact {
		w.repair(Damage{Program: "unknown"}, seen)
	}
	var pause time.Duration
	if w.failures > 0 {
		pause = min(firstPause<<min(w.failures-1, 10), longPause)
	}
	if w.failures++; w.failures == 2 {
		w.hand.log.Warn("what other programs do to the gate is not told any more; it is looked at from time to time", "err", err, "longest_pause", longPause)
	}
	return w.rest(pause)
}

// of returns which of our tables a notification is about, if it is one. All kinds carry the table's name as their first
// attribute's number.
func (s *structure) of(data []byte) *table {
	attrs, ok := attributes(data)
	if !ok {
		return nil
	}
	var which *table
	for _, t := range []*table{s.table, s.arp} {
		if data[0] == byte(t.Family) {
			which = t
		}
	}
	for which != nil && attrs.Next() {
		if attrs.Type() == unix.NFTA_TABLE_NAME {
			if attrs.String() == which.Name {
				return which
			}
			return nil
		}
	}
	return nil
}

// culprit reads who committed a transaction.
func culprit(data []byte) Damage {
	d := Damage{Program: "unknown"}
	attrs, ok := attributes(data)
	for ok && attrs.Next() {
		switch attrs.Type() {
		case genProcPID:
			d.PID = attrs.Uint32()
		case genProcName:
			d.Program = attrs.String()
		}
	}
	return d
}

// attributes skips the four bytes that come before them.
func attributes(data []byte) (*netlink.AttributeDecoder, bool) {
	if len(data) < 4 {
		return nil, false
	}
	attrs, err := netlink.NewAttributeDecoder(data[4:])
	if err != nil {
		return nil, false
	}
	attrs.ByteOrder = networkOrder
	return attrs, true
}

// repair restores the tables that were touched, after a pause that grows while damage follows damage, and tells.
func (w *watch) repair(d Damage, seen time.Time, touched ...damage) {
	if seen.Sub(w.last) > calm {
		w.pause = 0
	}
	for {
		if !w.rest(w.pause) {
			return
		}
		w.pause = min(max(firstPause, 2*w.pause), longPause)
		h := w.hand
		h.mu.Lock()
		d.Err = h.restore(touched...)
		h.mu.Unlock()
		w.last = time.Now()
		d.Took = w.last.Sub(seen)
		w.tell(d)
		if d.Err == nil {
			return
		}
	}
}

// rest waits, and returns false when the watch is to end.
func (w *watch) rest(d time.Duration) bool {
	if d == 0 {
		return true // What is stopped finds a closed connection next.
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-w.stopped:
		return false
	case <-timer.C:
		return true
	}
}
