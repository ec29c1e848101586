package scale

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage/clock"
	"redkeep/prove/bench"
	"redkeep/prove/bench/scale/fleet"
)

// program is a child that runs.
type program struct {
	name string
	cmd  *exec.Cmd
	done chan error
}

// start starts a child that ends with this process. What it says goes to a file.
func start(ctx context.Context, name, dir string, argv []string, prepare func(*exec.Cmd) error) (*program, error) {
	out, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL}
	if prepare != nil {
		if err := prepare(cmd); err != nil {
			return nil, err
		}
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &program{name, cmd, make(chan error, 1)}
	go func() { p.done <- cmd.Wait() }() // ends with the child
	return p, nil
}

// end kills it.
func (p *program) end() error {
	_ = p.cmd.Process.Kill() // it may have ended
	select {
	case <-p.done:
		return nil
	case <-time.After(10 * time.Second):
		return fmt.Errorf("end %s: it does not", p.name)
	}
}

// servers is the fleet's process.
type servers struct {
	*program
	orders  io.Writer
	answers *bufio.Scanner
}

// startFleet has the servers listen.
func startFleet(ctx context.Context, o Options, dir string) (*servers, error) {
	s := &servers{}
	argv := append(o.Fleet, "-groups", strconv.Itoa(o.Plan.Groups), "-per-host", strconv.Itoa(o.Plan.PerHost), "-down-after", o.Plan.DownAfter.String())
	var err error
	s.program, err = start(ctx, "fleet", dir, argv, func(cmd *exec.Cmd) (err error) {
		if s.orders, err = cmd.StdinPipe(); err != nil {
			return err
		}
		answers, writes, err := os.Pipe()
		if err != nil {
			return err
		}
		cmd.Stdout, s.answers = writes, bufio.NewScanner(answers)
		return nil
	})
	if err != nil {
		return nil, err
	}
	_ = s.cmd.Stdout.(*os.File).Close() // the child has its own
	if !s.answers.Scan() || s.answers.Text() != "ready" {
		return nil, errors.Join(errors.New("start the servers: see fleet.log with -keep"), s.end())
	}
	return s, nil
}

// lose has a host of masters be gone.
func (s *servers) lose(host int) error {
	if _, err := fmt.Fprintf(s.orders, "lose %d\n", host); err != nil {
		return fmt.Errorf("lose a host: %w", err)
	}
	if !s.answers.Scan() {
		return errors.New("lose a host: the servers are gone")
	}
	return nil
}

// subject is the contender's process.
type subject struct{ *program }

func startSubject(ctx context.Context, o Options, c Contender, dir string) (*subject, error) {
	file := filepath.Join(dir, "sentinel.conf")
	if err := os.WriteFile(file, []byte(configuration(o.Plan, dir)), 0o644); err != nil {
		return nil, err
	}
	p, err := start(ctx, c.Name, dir, append(c.Argv, file), nil)
	if err != nil {
		return nil, err
	}
	return &subject{p}, nil
}

// configuration is that of a Sentinel that has run before: it knows all replicas and the other Sentinels.
func configuration(p fleet.Plan, dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "port %d\nbind 127.0.0.1\nprotected-mode no\ndir %q\nlogfile %q\nsentinel myid %s\n",
		fleet.Port, dir, filepath.Join(dir, "sentinel.log"), fleet.SubjectID)
	for g := range p.Groups {
		at, name := p.At(g, 0), p.Name(g)
		fmt.Fprintf(&b, "sentinel monitor %s %s %d 2\n", name, at.Addr(), at.Port())
		fmt.Fprintf(&b, "sentinel down-after-milliseconds %s %d\n", name, p.DownAfter.Milliseconds())
		for r := 1; r < fleet.Servers; r++ {
			fmt.Fprintf(&b, "sentinel known-replica %s %s %d\n", name, p.At(g, r).Addr(), p.At(g, r).Port())
		}
		for v := range fleet.Voters {
			fmt.Fprintf(&b, "sentinel known-sentinel %s %s %d %s\n", name, p.Voter(v).Addr(), fleet.Port, p.VoterID(v))
		}
	}
	return b.String()
}

// settle waits until everything is watched, and then for the time of warming up.
func (s *subject) settle(ctx context.Context, o Options) error {
	warm := clock.Now().Add(o.Warm)
	for deadline := clock.Now().Add(time.Minute); ; {
		err := whole(ctx, o.Plan)
		if err == nil {
			break
		}
		if clock.Now() > deadline {
			return fmt.Errorf("wait until all is watched: %w", err)
		}
		if err := s.pause(ctx, 500*time.Millisecond); err != nil {
			return err
		}
	}
	return s.pause(ctx, max(0, warm.Sub(clock.Now())))
}

// pause waits, if the contender does not end before.
func (s *subject) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case err := <-s.done:
		s.done <- err
		return fmt.Errorf("%s has ended: %w", s.name, err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// cpu is the share of one core that it uses, in percent.
func (s *subject) cpu(ctx context.Context, window time.Duration, profiled func(context.Context, int)) (float64, error) {
	pid := s.cmd.Process.Pid
	before, err := bench.ProcessorTime(pid)
	if err != nil {
		return 0, err
	}
	begun := clock.Now()
	if profiled != nil {
		profiled(ctx, pid)
	}
	if err := s.pause(ctx, max(0, window-clock.Now().Sub(begun))); err != nil {
		return 0, err
	}
	after, err := bench.ProcessorTime(pid)
	if err != nil {
		return 0, err
	}
	return 100 * float64(after-before) / float64(clock.Now().Sub(begun)), nil
}
