package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// contender is one program that is a Sentinel.
type contender struct {
	name string
	argv []string
	port string
	cmd  *exec.Cmd
	ration
}

// result is what one turn came to.
type result struct {
	// rate is in requests a second; cpu is the processor time that the contender took for one.
	rate float64
	cpu  time.Duration
	// client is how much of a core redis-benchmark used: one thread that used all of it was the limit itself.
	client float64
}

// String prints them, with the rate at which the contender would use all of a core.
func (r result) String() string {
	return fmt.Sprintf("%8.0f/s, %5.2f us of processor time each (%8.0f/s by a core), client %3.0f %%",
		r.rate, float64(r.cpu.Nanoseconds())/1000, 1/max(r.cpu.Seconds(), 1e-9), 100*r.client)
}

// start has the contender watch a master that is not there, which is all it needs to answer where it would be.
func (c *contender) start(ctx context.Context, dir string) (err error) {
	if c.port, err = freePort(); err != nil {
		return err
	}
	home := filepath.Join(dir, c.name+".d")
	if err := os.Mkdir(home, 0o755); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	conf := filepath.Join(home, "sentinel.conf")
	text := "port " + c.port + "\nbind 127.0.0.1\ndir " + home + "\nlogfile " + filepath.Join(home, "log") + "\nsentinel monitor orders 127.0.0.1 1 1\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	c.cmd = exec.CommandContext(ctx, c.argv[0], append(c.argv[1:], conf)...)
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(unix.SIGTERM) }
	if err := c.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", c.name, err)
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		conn, err := net.DialTimeout("tcp", "127.0.0.1:"+c.port, time.Second)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("start %s: nobody listens on port %s", c.name, c.port)
}

// stop ends the contender.
func (c *contender) stop() error {
	if c.cmd == nil || c.cmd.Process == nil {
		return nil
	}
	if err := c.cmd.Process.Signal(unix.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", c.name, err)
	}
	_ = c.cmd.Wait() // ended by a signal that it was sent
	return c.ration.end()
}

// confine leaves the contender a share of one core.
func (c *contender) confine(percent int) (err error) {
	if c.ration, err = newRation(fmt.Sprintf("redkeep-rate-%d", c.cmd.Process.Pid), percent); err != nil {
		return err
	}
	return c.ration.take(c.cmd.Process.Pid)
}

// ask asks a contender so many times for the master's address.
func (b benchmark) ask(ctx context.Context, c *contender, requests, depth int) (r result, err error) {
	before, err := c.cpu()
	if err != nil {
		return r, err
	}
	argv := []string{"-h", "127.0.0.1", "-p", c.port, "-c", strconv.Itoa(b.clients), "-n", strconv.Itoa(requests), "-P", strconv.Itoa(depth), "--csv"}
	if b.threads > 1 {
		argv = append(argv, "--threads", strconv.Itoa(b.threads))
	}
	asking := exec.CommandContext(ctx, "redis-benchmark", append(argv, "SENTINEL", "get-master-addr-by-name", "orders")...)
	out, err := asking.Output()
	if err != nil {
		return r, fmt.Errorf("run redis-benchmark: %w", err)
	}
	after, err := c.cpu()
	if err != nil {
		return r, err
	}
	rows, err := csv.NewReader(strings.NewReader(string(out))).ReadAll()
	if err != nil || len(rows) < 2 || len(rows[1]) < 2 {
		return r, fmt.Errorf("read redis-benchmark's result %q: %w", out, err)
	}
	if r.rate, err = strconv.ParseFloat(rows[1][1], 64); err != nil {
		return r, fmt.Errorf("read redis-benchmark's result: %w", err)
	}
	r.cpu = (after - before) / time.Duration(requests)
	r.client = (asking.ProcessState.UserTime() + asking.ProcessState.SystemTime()).Seconds() * r.rate / float64(requests)
	return r, nil
}

// cpu is the processor time that the contender has taken so far, to a hundredth of a second.
func (c *contender) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read processor time of %s: %w", c.name, err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // what is before may have spaces
	fields := strings.Fields(rest)
	const user, system = 11, 12
	if len(fields) <= system {
		return 0, fmt.Errorf("read processor time of %s: %q", c.name, stat)
	}
	var ticks int64
	for _, f := range fields[user : system+1] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read processor time of %s: %w", c.name, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a port: %w", err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}
