package sentinels

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/speak/resp"
	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
)

const (
	// readyLimit bounds the wait for a Sentinel that starts, and readyPause is how often it is asked.
	readyLimit = 10 * time.Second
	readyPause = 5 * time.Millisecond
	// endLimit bounds the wait for one that was told to end.
	endLimit = 5 * time.Second
	// askLimit bounds one question.
	askLimit = 2 * time.Second
)

// Sentinel is one on a host. Its file is written once: what it rewrites there is kept by a restart, and by another program
// that is put in its place.
type Sentinel struct {
	host   *stage.Host
	config Config
	name   string
	dir    string
	file   string

	mu      sync.Mutex // guards process, program, killed and stop
	program Program
	process *stage.Process
	killed  []clock.Instant
	stop    context.CancelFunc
	hearing sync.WaitGroup
	heard   diary
	line    line
}

// Add writes a Sentinel's configuration on a host, and does not start it.
func Add(h *stage.Host, c Config) (*Sentinel, error) {
	if c.Port == 0 {
		c.Port = stage.FacePort
	}
	name := fmt.Sprintf("sentinel-%d", c.Port)
	s := &Sentinel{host: h, config: c, program: c.Program, name: name, dir: filepath.Join(h.Dir(), name)}
	s.file = filepath.Join(s.dir, "sentinel.conf")
	s.heard.grown = make(chan struct{})
	if err := s.write(); err != nil {
		return nil, fmt.Errorf("add sentinel to %s: %w", h.Name(), err)
	}
	return s, nil
}

func (s *Sentinel) write() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	if s.config.Hosts != "" {
		if err := os.WriteFile(s.hostsFile(), []byte(s.config.Hosts), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(s.file, []byte(s.config.text(s.dir)), 0o600)
}

func (s *Sentinel) hostsFile() string { return filepath.Join(s.dir, "hosts") }

// Start starts the Sentinel with its file as it is, and waits until it answers and its events are listened to: those of its
// first milliseconds are in its log alone. The error of one that ends at once has what it printed last.
func (s *Sentinel) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil && !s.process.Ended() {
		return fmt.Errorf("start sentinel on %s: it runs already", s.host.Name())
	}
	s.forget()
	process, err := s.host.Start(s.command())
	if err != nil {
		return err
	}
	s.process = process
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	if err := s.awaitReady(ctx, process); err != nil {
		_, killed := process.Kill()
		return errors.Join(fmt.Errorf("start sentinel on %s: %w", s.host.Name(), err), killed)
	}
	return s.listen(ctx)
}

// Launch starts the Sentinel and waits for nothing: one that is to refuse its file ends by itself.
func (s *Sentinel) Launch() (*stage.Process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	process, err := s.host.Start(s.command())
	s.process = process
	return process, err
}

// command is how the program is called. One that has an /etc/hosts of its own is started in a mount namespace; the shell
// and unshare put the program in their place, so that its process is the one that was started.
func (s *Sentinel) command() stage.Command {
	c := stage.Command{Name: s.name, Path: s.program.Path, Args: append(append([]string{}, s.program.Args...), s.file)}
	if s.config.Hosts == "" {
		return c
	}
	return stage.Command{Name: s.name, Path: "unshare", Args: append([]string{
		"--mount", "sh", "-c", `mount --bind "$0" /etc/hosts && exec "$@"`, s.hostsFile(), c.Path,
	}, c.Args...)}
}

// awaitReady waits until the Sentinel says anything at all: one that wants a password first answers too.
func (s *Sentinel) awaitReady(ctx context.Context, process *stage.Process) error {
	again := time.NewTicker(readyPause)
	defer again.Stop()
	for {
		select {
		case <-process.Done():
			return fmt.Errorf("it ended at once: %s", tail(process.Log()))
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", ctx.Err())
		case <-again.C:
			_, err := s.Do("PING")
			var refused *resp.ReplyError
			if err == nil || errors.As(err, &refused) {
				return nil
			}
		}
	}
}

// tail returns the end of a log.
func tail(path string) string {
	const enough = 2 << 10
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text[max(0, len(text)-enough):]))
}

// Host returns where the Sentinel is.
func (s *Sentinel) Host() *stage.Host { return s.host }

// Port returns where it listens.
func (s *Sentinel) Port() uint16 { return s.config.Port }

// File returns the path of its configuration.
func (s *Sentinel) File() string { return s.file }

// Dir returns its working directory.
func (s *Sentinel) Dir() string { return s.dir }

// Program returns what runs, or ran last.
func (s *Sentinel) Program() Program {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.program
}

// Process returns the process as last started; nil before.
func (s *Sentinel) Process() *stage.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process
}

// Running reports whether the process is there, frozen or not.
func (s *Sentinel) Running() bool {
	p := s.Process()
	return p != nil && !p.Ended()
}

// Kill ends the Sentinel with SIGKILL.
func (s *Sentinel) Kill() error {
	p := s.Process()
	if p == nil {
		return fmt.Errorf("kill sentinel on %s: it was never started", s.host.Name())
	}
	at, err := p.Kill()
	s.mu.Lock()
	s.killed = append(s.killed, at)
	s.mu.Unlock()
	s.hush()
	return err
}

// Killed returns when the Sentinel was killed, in order.
func (s *Sentinel) Killed() []clock.Instant {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.killed)
}

// Stop ends the Sentinel with SIGTERM, and returns its exit code.
func (s *Sentinel) Stop() (code int, err error) {
	p := s.Process()
	if p == nil {
		return 0, fmt.Errorf("stop sentinel on %s: it was never started", s.host.Name())
	}
	if err := p.Stop(endLimit); err != nil {
		return 0, err
	}
	s.hush()
	return exitCode(p), nil
}

// AwaitEnd waits until the Sentinel has ended by itself, and returns its exit code; -1 for one that a signal ended.
func (s *Sentinel) AwaitEnd(within time.Duration) (code int, err error) {
	p := s.Process()
	limit := time.NewTimer(within)
	defer limit.Stop()
	select {
	case <-p.Done():
		s.hush()
		return exitCode(p), nil
	case <-limit.C:
		return 0, fmt.Errorf("wait for the end of sentinel on %s: still there after %v", s.host.Name(), within)
	}
}

func exitCode(p *stage.Process) int {
	_, err := p.End()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

// Freeze stops the process (SIGSTOP) until Thaw.
func (s *Sentinel) Freeze() error { return s.Process().Freeze() }

// Thaw continues it.
func (s *Sentinel) Thaw() error { return s.Process().Thaw() }

// Signal sends a signal.
func (s *Sentinel) Signal(signal unix.Signal) error { return s.Process().Signal(signal) }

// Become has another program run with the same file from the next start on.
func (s *Sentinel) Become(p Program) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.program = p
}

// Close ends the process, if it is there, and the listening.
func (s *Sentinel) Close() error {
	p := s.Process()
	if p == nil {
		return nil
	}
	_, err := p.Kill()
	s.hush()
	return err
}
