package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/speak/logline"
)

const (
	// lastWords is how long an end waits for its log to be written.
	lastWords = time.Second
	// longestEnd is how long the loop may take to end after it was asked to.
	longestEnd = 5 * time.Second
	// daemonPidFile is where a daemon that names no pidfile writes its number.
	daemonPidFile = "/var/run/redis.pid"
)

// errSlowEnd is an end that was not waited for.
var errSlowEnd = fmt.Errorf("the end took longer than %v; what was not saved by then is not", longestEnd)

// runHere watches in this process.
func (s *sentinelStart) runHere(ctx context.Context, by supervisor, background bool) code {
	b := readBuild()
	s.write(logline.Notice, fmt.Sprintf("Redkeep %s is starting as %s, pid=%d, config=%s", b.Version, s.name, os.Getpid(), s.path))
	s.raiseFiles()
	s.crashesToLog()
	if background && s.conf.PidFile == "" {
		s.conf.SetPidFile(daemonPidFile)
	}
	ctx, end := s.awaitSignals(ctx)
	defer end()
	err := s.loopUntil(ctx, by)
	if pidFile(s.conf.PidFile).remove() {
		s.log.Write(logline.Notice, "Removing the pid file.")
	}
	if err == nil {
		s.log.Write(logline.Warning, "Sentinel is now ready to exit, bye bye...")
		return exitDone
	}
	if exits := (interface{ ExitCode() int })(nil); errors.As(err, &exits) {
		s.log.Write(logline.Warning, err.Error())
		return code(exits.ExitCode())
	}
	return s.refuse("%v", err)
}

// loopUntil runs the loop. Where it doesn't end in time after ctx has, it is left where it is, for the process ends.
func (s *sentinelStart) loopUntil(ctx context.Context, by supervisor) error {
	ended := make(chan error, 1)
	go func() { // ends with the loop, or the process
		ended <- s.run(ctx, sentinelOptions{
			Path: s.path, Conf: s.conf, Flavor: s.flavor, Observe: s.observe,
			Log: s.write, SetLogLevel: s.log.SetLeast, Ready: func() { s.ready(by) },
		})
	}()
	select {
	case err := <-ended:
		by.stopping()
		return err
	case <-ctx.Done():
		by.stopping()
	}
	limit := time.NewTimer(longestEnd)
	defer limit.Stop()
	select {
	case err := <-ended:
		return err
	case <-limit.C:
		return errSlowEnd
	}
}

// ready tells who waits for it that clients are served. The pid file is written only now: a second start by mistake, which finds its
// port taken, must not take away what stops the first.
func (s *sentinelStart) ready(by supervisor) {
	if err := pidFile(s.conf.PidFile).write(); err != nil {
		s.write(logline.Warning, err.Error())
	}
	by.ready()
	if s.parent != nil {
		s.parent.ready()
	}
}

// awaitSignals ends the context it returns with SIGTERM or SIGINT. SIGHUP is ignored, by scripts too, as with Redis; a standard output
// that nobody reads any more must not end a Sentinel, as Go has it by itself.
func (s *sentinelStart) awaitSignals(ctx context.Context) (context.Context, func()) {
	signal.Ignore(unix.SIGHUP)
	raw := make(chan os.Signal, 4)
	signal.Notify(raw, unix.SIGTERM, unix.SIGINT, unix.SIGPIPE)
	ctx, cancel := context.WithCancel(ctx)
	go func() { // ends with the context
		for {
			select {
			case sig := <-raw:
				if sig == unix.SIGPIPE {
					continue
				}
				s.log.Write(logline.Warning, fmt.Sprintf("Received %s scheduling shutdown...", unix.SignalName(sig.(unix.Signal))))
				s.log.Write(logline.Warning, "User requested shutdown...")
				cancel()
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, func() { signal.Stop(raw); cancel() }
}

// crashesToLog has the runtime's last words go where somebody will look for them: a daemon has no standard error.
func (s *sentinelStart) crashesToLog() {
	if s.log.Path == "" {
		return
	}
	if f, err := os.OpenFile(s.log.Path, os.O_WRONLY|os.O_APPEND, 0); err == nil {
		_ = debug.SetCrashOutput(f, debug.CrashOptions{})
		_ = f.Close() // the runtime has its own by now
	}
}

// pidFile is the name of a file with the process's number; "" is none.
type pidFile string

// write writes it.
func (f pidFile) write() error {
	if f == "" {
		return nil
	}
	if err := os.WriteFile(string(f), fmt.Appendf(nil, "%d\n", os.Getpid()), 0o666); err != nil {
		return fmt.Errorf("write the pid file: %w; choose another, or make %s writable", err, filepath.Dir(string(f)))
	}
	return nil
}

// remove removes it, unless another process has written it since: two daemons may share the usual name by mistake.
func (f pidFile) remove() bool {
	if f == "" {
		return false
	}
	text, err := os.ReadFile(string(f))
	return err == nil && string(text) == fmt.Sprintf("%d\n", os.Getpid()) && os.Remove(string(f)) == nil
}
