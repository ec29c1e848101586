package gate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// answerWithin bounds the wait for an acknowledgement. The kernel has it ready when the send returns.
const answerWithin = 2 * time.Second

// send commits a transaction and waits until the kernel has acknowledged it. After a failure the kernel may not have what
// we believe (somebody changed the table), or may have what we do not believe (its answer stayed out); the next change then
// tells it everything.
func (h *Hand) send(b *batch) error {
	err := commit(h.socket, &h.seq, b)
	if err != nil && b.err == nil {
		h.unsure = true
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		h.lost = true // An answer that comes yet would be taken for the next one's.
	}
	return err
}

// commit gives a transaction the next number, sends it, and waits for its answer. An empty one, or one that could not be written, is not sent.
func commit(socket syscall.RawConn, seq *uint32, b *batch) error {
	if b.err != nil || b.last == 0 {
		return b.err
	}
	// Only the last message asks for an answer; those that fail answer unasked, and before it.
	b.acknowledge()
	b.mark(unix.NFNL_MSG_BATCH_END)
	*seq++
	b.number(*seq)
	if err := transact(socket, b.text, *seq); err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	return nil
}

// transact writes a transaction and reads its one answer, each by one system call: the kernel does all of the work inside
// the first, so that there is nothing to be waited for, and no turn of the scheduler.
func transact(socket syscall.RawConn, text []byte, seq uint32) error {
	var cause error
	err := socket.Control(func(fd uintptr) {
		if cause = interrupted(func() error {
			_, err := unix.Write(int(fd), text)
			return err
		}); cause == nil {
			cause = answer(int(fd), seq)
		}
	})
	return errors.Join(err, cause)
}

// answer reads until the transaction is answered, and after an error what else there is to it.
func answer(fd int, seq uint32) error {
	// Of an error's echo of the message only the beginning is read.
	var got [64]byte
	for {
		var n int
		err := interrupted(func() (err error) {
			n, err = unix.Read(fd, got[:])
			return err
		})
		if errors.Is(err, unix.EAGAIN) {
			if err = awaitAnswer(fd); err == nil {
				continue
			}
		}
		if err != nil {
			return err
		}
		code, ours := verdict(got[:n], seq)
		switch {
		case !ours:
		case code != 0:
			return errors.Join(unix.Errno(code), drain(fd))
		default:
			return nil
		}
	}
}

// verdict reads an answer: the number of an error, or 0.
func verdict(got []byte, seq uint32) (code uint32, ours bool) {
	if len(got) < unix.NLMSG_HDRLEN+4 || binary.NativeEndian.Uint16(got[4:]) != unix.NLMSG_ERROR || binary.NativeEndian.Uint32(got[8:]) != seq {
		return 0, false
	}
	return -binary.NativeEndian.Uint32(got[unix.NLMSG_HDRLEN:]), true
}

// awaitAnswer waits for an answer that is not there yet.
func awaitAnswer(fd int) error {
	return interrupted(func() error {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(answerWithin.Milliseconds()))
		if err == nil && n == 0 {
			return os.ErrDeadlineExceeded
		}
		return err
	})
}

// drain takes the answers behind an error off the socket. The kernel has answered everything by the time the send returns:
// what is not there now does not come.
func drain(fd int) error {
	var rest [1]byte // Datagrams are taken whole, whatever fits.
	for {
		_, err := unix.Read(fd, rest[:])
		switch {
		case err == nil || errors.Is(err, unix.EINTR) || errors.Is(err, unix.ENOBUFS):
		case errors.Is(err, unix.EAGAIN):
			return nil
		default:
			return err
		}
	}
}

// interrupted repeats a system call that a signal has interrupted.
func interrupted(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
