package vip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/mdlayher/socket"
	"golang.org/x/sys/unix"

	"redkeep/internal/speak/neighbour"
)

const (
	// answerPause is the least time between two answers to claims: two hosts that both hold an address must not flood the
	// segment, and yet ours is the last word soon.
	answerPause = 100 * time.Millisecond
	// tellPause is the least time between two events about claims by the same host.
	tellPause = time.Second
)

// claimed is what strangers said of one address while it was ours.
type claimed struct {
	by       neighbour.MAC
	answerAt time.Time // When to answer; zero: nothing to answer.
	answered time.Time
	toldOf   neighbour.MAC // The last claimant that an event named, and when.
	toldAt   time.Time
}

// listen reads claims from one socket until the context ends. It only waits for them itself: see catchUp.
func (h *Hand) listen(ctx context.Context, conn *socket.Conn) error {
	first := make([]byte, 1)
	for {
		_, _, err := conn.Recvfrom(ctx, first, unix.MSG_PEEK)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, os.ErrClosed), errors.Is(err, net.ErrClosed), errors.Is(err, unix.EBADF):
			return fmt.Errorf("listen to the segment: %w", err)
		case err != nil: // A device went away, or frames were lost.
			rest(ctx)
			continue
		}
		h.mu.Lock()
		h.catchUp(conn)
		h.mu.Unlock()
	}
}

// catchUpLimit bounds the frames that are read in one go: about as many as a socket's buffer holds.
const catchUpLimit = 256

// catchUp takes what has come to a socket. A frame is read while the lock is held, and what came before an address is read before that
// is put up: what was said while another host rightly had it is never taken for a claim, however late this process gets to read it.
func (h *Hand) catchUp(conn *socket.Conn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return // It is closed, which whoever waits on it is told.
	}
	frame := make([]byte, frameSize)
	for range catchUpLimit {
		var n int
		var from unix.Sockaddr
		var failed error
		// Read would wait for who is waiting for a frame.
		err := raw.Control(func(fd uintptr) { n, from, failed = unix.Recvfrom(int(fd), frame, unix.MSG_DONTWAIT) })
		if errors.Join(err, failed) != nil {
			return // There is no more, or it is closed.
		}
		if at, ok := from.(*unix.SockaddrLinklayer); ok && at.Pkttype != unix.PACKET_OUTGOING {
			h.heard(at.Ifindex, frame[:n])
		}
	}
}

// beforeUs has done with what was said of an address before it came here.
func (h *Hand) beforeUs(a *address) {
	if conn := h.segment.conns[a.Addr.Is6()]; conn != nil {
		h.catchUp(conn)
	}
	if !a.held(now()) {
		a.answerAt = time.Time{}
	}
}

// heard takes a frame from a device; the lock is held. It answers who asked, and notes what a stranger says of an address that is ours.
func (h *Hand) heard(index int, frame []byte) {
	claim, ok := neighbour.ReadClaim(frame)
	if !ok {
		return
	}
	if h.ours(claim.At) {
		return
	}
	for _, a := range h.addresses {
		if d, err := h.carrier(a); err != nil || a.Addr != claim.Addr || d.index != index {
			continue
		}
		if claim.Answer {
			h.tellAskers(located(a, claim.At))
		}
		if a.held(now()) {
			a.by = claim.At
			a.answerAt = later(time.Now(), a.answered.Add(answerPause))
			h.wake()
		}
	}
}

// tellAskers gives each probe under way its answer.
func (h *Hand) tellAskers(by string) {
	for asker := range h.askers {
		select {
		case asker <- by:
		default: // It has one.
		}
	}
}

// answer restarts the announcements of an address that a stranger claimed, and tells of it.
func (h *Hand) answer(a *address, at time.Time) []Event {
	if a.answerAt.IsZero() || at.Before(a.answerAt) {
		return nil
	}
	a.answerAt, a.answered = time.Time{}, at
	if !a.held(now()) {
		return nil
	}
	a.sayFrom(at)
	a.step = 1 // One frame; a burst would answer a burst.
	if a.toldOf == a.by && at.Sub(a.toldAt) < tellPause {
		return nil
	}
	a.toldOf, a.toldAt = a.by, at
	return []Event{h.about(a, Event{Kind: Claimed, By: located(a, a.by)})}
}

// located says where an address is.
func located(a *address, at neighbour.MAC) string { return fmt.Sprintf("%s is at %s", a.Addr, at) }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
