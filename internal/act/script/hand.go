package script

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Happened says what a Report is of.
type Happened uint8

// What can happen to a job. Unstarted is the only one, or Exited the last.
const (
	// Started: the process exists.
	Started Happened = iota + 1
	// Unstarted: this host has no room for another process now.
	Unstarted
	// Exited: the process has ended, or the file could not be executed.
	Exited
)

// Report is one thing that happened to a job.
type Report struct {
	ID   uint64
	What Happened
	// PID of one that Started.
	PID int
	// Signal, or Code if that is 0, of one that Exited.
	Signal, Code int
	// Err is why nothing was executed, where that is so. It names the script's path.
	Err error
}

// notExecuted is the exit code of a child of Redis' whose exec failed.
const notExecuted = 2

// Hand runs scripts.
type Hand struct {
	report func(Report)

	mu      sync.Mutex
	running map[uint64]*os.Process
	// last is closed when the script that was asked for last has been started, or could not be.
	last chan struct{}
}

// inOrder is how long a script waits for those before it to start: usually they take a millisecond, and for as long as they like where
// their file system does not answer.
const inOrder = 100 * time.Millisecond

// New returns a hand that reports to a function, which must not block for long. Every descriptor above the standard three that this process
// has by now is marked to stay out of scripts; later ones are opened so.
func New(report func(Report)) (*Hand, error) {
	// What the process was born with, a lock of the shell's that started it for one, would go on to scripts otherwise.
	if err := closeOnExec(3); err != nil {
		return nil, fmt.Errorf("keep descriptors out of scripts: %w", err)
	}
	h := &Hand{report: report, running: make(map[uint64]*os.Process), last: make(chan struct{})}
	close(h.last)
	return h, nil
}

// Start executes argv[0] with the arguments that follow. The report comes from another goroutine. An id is not used for two jobs
// that run at the same time. Scripts start in the order of the calls.
func (h *Hand) Start(id uint64, argv []string) {
	mine := make(chan struct{})
	h.mu.Lock()
	before := h.last
	h.last = mine
	h.mu.Unlock()
	go h.run(id, argv, before, mine) // ends with the process
}

// Kill sends SIGKILL to a job's process, if it still runs. What the script has started itself gets none, as with Redis.
func (h *Hand) Kill(id uint64) {
	h.mu.Lock()
	p := h.running[id]
	h.mu.Unlock()
	if p != nil {
		_ = p.Kill() // it knows when its process has gone, and doesn't kill another one that has its number
	}
}

// run is a job's goroutine. Starting may take as long as a file system that doesn't answer.
func (h *Hand) run(id uint64, argv []string, before <-chan struct{}, started chan<- struct{}) {
	limit := time.NewTimer(inOrder)
	select {
	case <-before:
	case <-limit.C:
	}
	limit.Stop()
	p, err := os.StartProcess(argv[0], argv, &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
	if err != nil {
		h.report(unstarted(id, err))
		close(started)
		return
	}
	h.mu.Lock()
	h.running[id] = p
	h.mu.Unlock()
	h.report(Report{ID: id, What: Started, PID: p.Pid})
	close(started)
	state, err := p.Wait()
	h.mu.Lock()
	delete(h.running, id)
	h.mu.Unlock()
	h.report(exited(id, state, err))
}

// exited reads how a process ended.
func exited(id uint64, state *os.ProcessState, err error) Report {
	r := Report{ID: id, What: Exited}
	if err != nil {
		// Somebody else has waited for it; a script of whom nothing is known is not run again.
		r.Code, r.Err = notExecuted, fmt.Errorf("wait for script: %w", err)
		return r
	}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		r.Signal = int(status.Signal())
		return r
	}
	r.Code = state.ExitCode()
	return r
}

// unstarted tells a host that has no process, memory or descriptor left from a file that can't be executed.
func unstarted(id uint64, err error) Report {
	for _, room := range []error{unix.EAGAIN, unix.ENOMEM, unix.EMFILE, unix.ENFILE} {
		if errors.Is(err, room) {
			return Report{ID: id, What: Unstarted, Err: fmt.Errorf("start script: %w", err)}
		}
	}
	return Report{ID: id, What: Exited, Code: notExecuted, Err: fmt.Errorf("execute script: %w", err)}
}
