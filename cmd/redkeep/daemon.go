package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// detached tells a daemon that its first descriptor after the standard three leads to the process that started it.
	detached   = "REDKEEP_DETACHED"
	detachedFD = 3
	// isReady is what a daemon says when it is, as the last thing.
	isReady = "\x06"
	// patience is how long a start may take before the terminal is given back.
	patience = 30 * time.Second
	// mostReasons is how much of a daemon's reasons is shown.
	mostReasons = 64 << 10
)

// detach starts this program again with the same arguments, in a session of its own, and waits until that is ready. Go can't fork a
// process that has threads; so the configuration is read a second time, in the directory where it was read first.
func (s *sentinelStart) detach() code {
	ours, theirs, err := os.Pipe()
	if err != nil {
		return s.refuse("Can't daemonize: %v", err)
	}
	defer func() { _ = ours.Close() }()
	self, err := os.Executable()
	if err != nil {
		return s.refuse("Can't daemonize: %v", err)
	}
	child := exec.Command(self)
	child.Args, child.Dir, child.Env = os.Args, s.cwd, append(os.Environ(), detached+"=1")
	child.ExtraFiles = []*os.File{theirs}
	child.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	if s.stdin != nil {
		child.Stdin = bytes.NewReader(s.stdin)
	}
	if err := child.Start(); err != nil {
		return s.refuse("Can't daemonize: %v", err)
	}
	_ = theirs.Close()
	_ = ours.SetReadDeadline(time.Now().Add(patience))
	said, err := io.ReadAll(io.LimitReader(ours, mostReasons))
	if strings.HasSuffix(string(said), isReady) {
		return exitDone
	}
	_, _ = s.err.Write(said)
	switch {
	case err != nil:
		complain(s.err, fmt.Errorf("start a daemon: process %d is not ready after %v; it goes on, and its log says why", child.Process.Pid, patience))
	case len(said) == 0:
		complain(s.err, fmt.Errorf("start a daemon: process %d ended before it was ready; start it with --daemonize no to see why", child.Process.Pid))
	}
	return exitFailed
}

// parent is the process that waits until this one, its daemon, is ready. It is an io.Writer for what a person at the terminal should know;
// once it has gone, that goes nowhere.
type parent struct {
	mu   sync.Mutex
	pipe *os.File
}

// waitingParent returns the process that started this one as a daemon, nil if none did. Scripts and further daemons are not told.
func waitingParent() *parent {
	_, is := os.LookupEnv(detached)
	_ = os.Unsetenv(detached)
	var stat unix.Stat_t
	if !is || unix.Fstat(detachedFD, &stat) != nil || stat.Mode&unix.S_IFMT != unix.S_IFIFO {
		return nil
	}
	unix.CloseOnExec(detachedFD)
	return &parent{pipe: os.NewFile(detachedFD, "parent")}
}

// Write never fails: there is nobody to tell of it.
func (p *parent) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pipe != nil {
		_, _ = p.pipe.Write(text)
	}
	return len(text), nil
}

// say writes a line.
func (p *parent) say(text string) { _, _ = p.Write([]byte(text + "\n")) }

// ready lets it go.
func (p *parent) ready() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pipe == nil {
		return
	}
	_, _ = io.WriteString(p.pipe, isReady)
	_ = p.pipe.Close()
	p.pipe = nil
}
