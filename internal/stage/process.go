package stage

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage/clock"
)

// Command is a program to start on a host.
type Command struct {
	// Name names the program in errors and its log file; default the base name of Path.
	Name string
	// Path is the program, found in PATH if it has no slash.
	Path string
	// Args are its arguments, without the program's name.
	Args []string
	// Env is added to this process's environment.
	Env []string
	// Dir is its working directory; default the host's.
	Dir string
	// Output, if set, gets what the program prints as it comes. It must not block: the program would wait for it.
	Output io.Writer
}

// Process is a program on a host. It ends with its host's power, with the stage, and with this process.
type Process struct {
	host  *Host
	name  string
	cmd   *exec.Cmd
	log   *logFile
	begun clock.Instant
	done  chan struct{}

	mu    sync.Mutex // guards the two below, and keeps the process ID from being given back while it is signalled
	ended clock.Instant
	err   error
}

// Start starts a program on the host. What it prints goes to NAME.log in the host's directory, of which the last 8 MiB
// are kept. The program has a process group of its own.
func (h *Host) Start(c Command) (*Process, error) {
	if c.Name == "" {
		c.Name = filepath.Base(c.Path)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.off {
		return nil, fmt.Errorf("start %s on %s: the host's power is off", c.Name, h.name)
	}
	log, err := openLog(filepath.Join(h.dir, c.Name+".log"), c.Output)
	if err != nil {
		return nil, fmt.Errorf("start %s on %s: %w", c.Name, h.name, err)
	}
	p := &Process{host: h, name: c.Name, cmd: h.command(c, log.pipe), log: log, done: make(chan struct{})}
	// The program must be a child of the host's own thread: it inherits the network namespace from it, and its
	// parent-death signal means the death of that thread.
	gone := h.thread.Do(func() { p.begun, err = clock.Now(), p.cmd.Start() })
	if err = errors.Join(gone, err); err != nil {
		log.abandon()
		return nil, fmt.Errorf("start %s on %s: %w", c.Name, h.name, err)
	}
	go log.copy() // ends with the program's output, at the latest a second after the program
	go p.wait()   // ends with the program
	h.procs = append(h.living(), p)
	return p, nil
}

func (h *Host) command(c Command, output *os.File) *exec.Cmd {
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.Dir = c.Dir
	if cmd.Dir == "" {
		cmd.Dir = h.dir
	}
	// Both are files, so that exec starts no goroutine and Wait returns at the program's own end.
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL}
	return cmd
}

// wait notices the end without taking it (WNOWAIT), stamps it, and only then gives the process ID back.
func (p *Process) wait() {
	pid := p.cmd.Process.Pid
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
		continue
	}
	ended := clock.Now()
	p.mu.Lock()
	p.err = p.cmd.Wait()
	p.ended = ended
	p.mu.Unlock()
	p.log.finish()
	close(p.done)
}

// Pid returns the process ID, as this process and the hosts see it.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Host returns the host on which the program was started.
func (p *Process) Host() *Host { return p.host }

// Begun returns the instant just before the program was started.
func (p *Process) Begun() clock.Instant { return p.begun }

// Done is closed when the program has ended and its log is complete.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ended reports whether Done is closed.
func (p *Process) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// End returns when the program ended and how: err is nil for exit code 0, else mostly an *exec.ExitError. Before the end
// both are zero.
func (p *Process) End() (clock.Instant, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended, p.err
}

// Log returns the path of the program's log file.
func (p *Process) Log() string { return p.log.path }

// Signal sends a signal to the program alone. One that has ended already is an error (os.ErrProcessDone).
func (p *Process) Signal(signal unix.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended != 0 {
		return fmt.Errorf("signal %s on %s: %w", p.name, p.host.name, os.ErrProcessDone)
	}
	if err := unix.Kill(p.Pid(), signal); err != nil {
		return fmt.Errorf("signal %s on %s: %w", p.name, p.host.name, err)
	}
	return nil
}

// Freeze stops the program (SIGSTOP) until Thaw.
func (p *Process) Freeze() error { return p.Signal(unix.SIGSTOP) }

// Thaw continues the program (SIGCONT).
func (p *Process) Thaw() error { return p.Signal(unix.SIGCONT) }

// FreezeGroup stops the program and those of its children that stayed in its group, until ThawGroup.
func (p *Process) FreezeGroup() { p.signalGroup(unix.SIGSTOP) }

// ThawGroup continues them.
func (p *Process) ThawGroup() { p.signalGroup(unix.SIGCONT) }

// signalGroup signals the program and those of its children that stayed in its group.
func (p *Process) signalGroup(signal unix.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended == 0 {
		unix.Kill(-p.Pid(), signal) // one that is gone meanwhile is what is wanted
	}
}

// Kill sends SIGKILL to the program and its group, and waits until it is gone. It returns the instant just before the
// signal. A program that has ended already is none the worse.
func (p *Process) Kill() (clock.Instant, error) {
	at := clock.Now()
	p.signalGroup(unix.SIGKILL)
	return at, p.await(killLimit)
}

// Stop sends SIGTERM to the program and waits for its end, which it may take that long for; then it is killed, and that
// is an error.
func (p *Process) Stop(within time.Duration) error {
	if err := p.Signal(unix.SIGTERM); err != nil {
		if errors.Is(err, os.ErrProcessDone) {
			return nil
		}
		return err
	}
	slow := p.await(within)
	if slow == nil {
		return nil
	}
	_, err := p.Kill()
	return errors.Join(slow, err)
}

func (p *Process) await(within time.Duration) error {
	limit := time.NewTimer(within)
	defer limit.Stop()
	select {
	case <-p.done:
		return nil
	case <-limit.C:
		return fmt.Errorf("wait for the end of %s on %s: still there after %v", p.name, p.host.name, within)
	}
}
