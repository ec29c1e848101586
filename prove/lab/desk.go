package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// desk is the reader's own machine: a directory with the program as `make build` leaves it, and the demo that stays open in
// the reader's first terminal.
type desk struct {
	dir  string
	demo *exec.Cmd
	said printed
}

// demoLimit bounds the demo's story.
const demoLimit = 40 * time.Second

// own runs the program that the reader has built. The demo that stays is waited for until it says what the page shows.
func (s *readers) own(ctx context.Context, args []string, st step) error {
	if s.desk == nil {
		s.desk = &desk{dir: s.t.TempDir()}
		s.must(os.Mkdir(filepath.Join(s.desk.dir, "bin"), 0o755))
		s.must(os.Symlink(binary, filepath.Join(s.desk.dir, "bin", "redkeep")))
		s.must(os.Mkdir(filepath.Join(s.desk.dir, "private"), 0o700))
		s.t.Cleanup(s.desk.clear)
	}
	switch {
	case strings.Join(args, " ") == "demo --keep":
		return s.desk.stay(ctx, args, st)
	case len(args) < 2 || args[0] != "demo":
		return fmt.Errorf("on the reader's own machine only the demo runs")
	}
	for end := time.Now().Add(askedFor); ; {
		err := s.desk.typed(ctx, args, st)
		if err == nil || time.Now().After(end) {
			return err
		}
		select {
		case <-time.After(askedAgain): // a demo that has just said that its hosts are the reader's may not be ready
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

// typed runs one command to its end.
func (d *desk) typed(ctx context.Context, args []string, st step) error {
	cmd := d.command(ctx, args)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	if code := cmd.ProcessState.ExitCode(); code != st.exits {
		return fmt.Errorf("exit code %d, not %d: %s", code, st.exits, out)
	}
	if st.output == nil {
		return nil
	}
	return compare(st.output, strings.Split(strings.TrimRight(string(out), "\n"), "\n"))
}

func (d *desk) command(ctx context.Context, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "./bin/redkeep", args...)
	cmd.Dir = d.dir
	cmd.Env = append(os.Environ(), "REDKEEP_DEMO_SOCKET="+filepath.Join(d.dir, "private", "demo"))
	return cmd
}

// stay starts the demo in the first terminal.
func (d *desk) stay(ctx context.Context, args []string, st step) error {
	d.demo = d.command(context.WithoutCancel(ctx), args) // clear ends it
	d.demo.Stdout, d.demo.Stderr = &d.said, &d.said
	if err := d.demo.Start(); err != nil {
		return err
	}
	for end := time.Now().Add(demoLimit); ; {
		err := compare(st.output, d.said.lines())
		if err == nil || time.Now().After(end) {
			return err
		}
		select {
		case <-time.After(askedAgain):
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

// clear ends the demo as Ctrl-C does.
func (d *desk) clear() {
	if d.demo == nil || d.demo.Process == nil {
		return
	}
	_ = d.demo.Process.Signal(unix.SIGINT)
	kill := time.AfterFunc(10*time.Second, func() { _ = d.demo.Process.Kill() })
	defer kill.Stop()
	_ = d.demo.Wait() // its exit code is the demo's own test's
}
