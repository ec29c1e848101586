package process

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/decide"
)

// ErrUnproven is wrapped by errors that say that the process can't be the server's, or can't be shown to be: in another
// pid namespace for one. The end of a connection still tells the server's death then.
var ErrUnproven = errors.New("not proven to be the server's process")

// Process is a proven process of a server.
type Process struct {
	pid    int
	pidfd  *os.File
	stat   *os.File // /proc/PID/stat, which goes on meaning this process whoever gets its number
	sched  *os.File // /proc/PID/schedstat; nil on a kernel without it
	exited chan struct{}
	ended  chan struct{} // closed when the waiting goroutine has returned
	once   sync.Once
}

// Prove opens a pidfd of pid and proves that it is a server which says that it started uptime ago: it exists, it started
// then, and it has a server's name. The error wraps ErrUnproven unless the kernel refused a pidfd.
func Prove(pid int, uptime time.Duration) (*Process, error) {
	if pid <= 0 {
		return nil, fmt.Errorf("prove process %d: no such number: %w", pid, ErrUnproven)
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL) {
		return nil, fmt.Errorf("prove process %d: it is not in this pid namespace; run the agent in the server's: %w", pid, ErrUnproven)
	}
	if err != nil {
		return nil, fmt.Errorf("open pidfd of process %d: %w", pid, err)
	}
	// Only a descriptor that does not block is given to the runtime's poller. The flag of pidfd_open for it is newer
	// (Linux 5.10) than pidfd_open.
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("open pidfd of process %d: %w", pid, err)
	}
	p := &Process{pid: pid, pidfd: os.NewFile(uintptr(fd), "pidfd"), exited: make(chan struct{}), ended: make(chan struct{})}
	if err := p.prove(uptime); err != nil {
		p.release()
		return nil, err
	}
	go p.wait() // ended by Close, or by the process's end.
	return p, nil
}

// prove compares what /proc says with the claim. The pidfd was opened before, and still lives after: so what was read
// is of its process.
func (p *Process) prove(uptime time.Duration) error {
	var err error
	if p.stat, err = os.Open(statPath(p.pid)); err != nil {
		return fmt.Errorf("prove process %d: %w: %w", p.pid, err, ErrUnproven)
	}
	p.sched, _ = os.Open("/proc/" + strconv.Itoa(p.pid) + "/schedstat") // not on every kernel
	s, err := readStat(p.stat)
	if err != nil {
		return fmt.Errorf("prove process %d: %w: %w", p.pid, err, ErrUnproven)
	}
	age, err := s.age()
	if err != nil {
		return fmt.Errorf("prove process %d: %w: %w", p.pid, err, ErrUnproven)
	}
	if !isServer(s.name) {
		return fmt.Errorf("prove process %d: its name is %q, which is no server's: %w", p.pid, s.name, ErrUnproven)
	}
	if d := age - uptime; d < -slack || d > slack {
		return fmt.Errorf("prove process %d: it started %v ago, and the server %v ago: %w", p.pid, age.Round(time.Second), uptime, ErrUnproven)
	}
	if p.gone() {
		return fmt.Errorf("prove process %d: it has ended: %w", p.pid, ErrUnproven)
	}
	return nil
}

// slack is how far the start may lie from what the server says. Its uptime is in whole seconds, comes from the wall
// clock, and counts from a moment after exec.
const slack = 5 * time.Second

// wait lets the runtime's poller wait for the pidfd, which is readable from the process's end on.
func (p *Process) wait() {
	defer close(p.ended)
	conn, err := p.pidfd.SyscallConn()
	if err != nil {
		return
	}
	gone := false
	// The function is called before the first wait and after each wake-up; Close makes Read return.
	_ = conn.Read(func(fd uintptr) bool {
		gone = readable(int(fd))
		return gone
	})
	if gone {
		close(p.exited)
	}
}

// Exited returns a channel that is closed when the process ends. It stays open if the Process is closed before.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Sample looks at the process now, at the CPU time that it has used or waited for, and at its memory in bytes. Waiting counts,
// since a server that works on a host with too much to do is busy all the same. A process that is being torn down is gone
// already: it holds its sockets until the kernel has freed its memory, which takes long when that is large, and executes
// nothing more.
func (p *Process) Sample() (state decide.ProcessState, cpu time.Duration, resident int64) {
	s, err := readStat(p.stat)
	switch {
	case errors.Is(err, unix.ESRCH):
		return decide.ProcessGone, 0, 0
	case err != nil:
		return decide.ProcessUnknown, 0, 0
	default:
		return s.classify(), max(s.cpu, p.wanted()), s.resident
	}
}

// wanted is how long the process's first thread has run and has waited to run; 0 on a kernel that does not count that.
func (p *Process) wanted() time.Duration {
	if p.sched == nil {
		return 0
	}
	var line [128]byte
	n, err := readOnce(p.sched, line[:])
	if err != nil {
		return 0
	}
	ran, rest, _ := strings.Cut(string(line[:n]), " ")
	waited, _, _ := strings.Cut(rest, " ")
	r, errRan := strconv.ParseInt(ran, 10, 64)
	w, errWaited := strconv.ParseInt(waited, 10, 64)
	if errRan != nil || errWaited != nil {
		return 0
	}
	return time.Duration(r + w)
}

// Close ends the watch and waits until its goroutine has ended. It may be called more than once.
func (p *Process) Close() {
	p.once.Do(func() {
		_ = p.pidfd.Close()
		<-p.ended
		_ = p.stat.Close()
	})
}

// release closes what was opened, before the watch has begun.
func (p *Process) release() {
	_ = p.pidfd.Close()
	if p.stat != nil {
		_ = p.stat.Close()
	}
	if p.sched != nil {
		_ = p.sched.Close()
	}
}

// gone asks the pidfd without waiting. A closed one counts as gone.
func (p *Process) gone() bool {
	conn, err := p.pidfd.SyscallConn()
	if err != nil {
		return true
	}
	gone := true
	_ = conn.Control(func(fd uintptr) { gone = readable(int(fd)) })
	return gone
}

// readable polls a descriptor without waiting.
func readable(fd int) bool {
	set := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(set, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return err == nil && n == 1
	}
}
