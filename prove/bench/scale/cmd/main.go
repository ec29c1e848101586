package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage"
	"redkeep/prove/bench"
	"redkeep/prove/bench/scale"
	"redkeep/prove/bench/scale/fleet"
)

func main() {
	o := scale.Options{Progress: os.Stderr}
	play := flag.Bool("play", false, "be the servers")
	flag.IntVar(&o.Runs, "runs", 3, "pairs of trials")
	flag.IntVar(&o.Plan.Groups, "groups", 1000, "groups that are watched")
	flag.IntVar(&o.Plan.PerHost, "per-host", 100, "servers on each host, one of which is lost")
	flag.DurationVar(&o.Plan.DownAfter, "down-after", 5*time.Second, "down-after-milliseconds of each group")
	flag.DurationVar(&o.Warm, "warm", 30*time.Second, "how long a Sentinel runs before it is measured")
	flag.DurationVar(&o.Window, "window", time.Minute, "how long it is measured")
	flag.IntVar(&o.Requests, "requests", 200_000, "requests of which a rate is made; none if 0")
	flag.IntVar(&o.Share, "share", 50, "percent of one core that a contender has while it is asked for the second time, so that no client is its limit; not asked again if 0")
	flag.StringVar(&o.Only, "only", "", "the only contender: redkeep or redis-sentinel; both if empty")
	flag.StringVar(&o.Redkeep, "redkeep", "", "the redkeep to measure; built if empty")
	flag.BoolVar(&o.Keep, "keep", false, "leave the directory with the logs")
	perf := flag.String("perf", "", "have perf record the window into files of this name")
	format := flag.String("o", "table", "output: table or json")
	flag.Parse()
	if flag.NArg() > 0 || !good(o) || *format != "table" && *format != "json" {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	if *perf != "" {
		o.Profiled = recorder(*perf, o.Window)
	}
	var err error
	switch {
	case *play:
		debug.SetGCPercent(400) // there is memory enough, and they must be cheap
		err = errors.Join(manyFiles(o.Plan), fleet.Run(ctx, o.Plan, os.Stdin, os.Stdout))
	case os.Getenv(inside) == "":
		err = elsewhere(ctx)
	default:
		err = measure(ctx, o, *format)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// good reports whether there is something to measure.
func good(o scale.Options) bool {
	return o.Runs >= 0 && o.Plan.Groups >= 1 && o.Plan.PerHost >= 1 && o.Share >= 0 && o.Share <= 100 && o.Requests >= 0 &&
		slices.Contains([]string{"", scale.Ours, scale.Real}, o.Only)
}

// inside is set in the environment of the program that is in a network of its own.
const inside = "REDKEEP_SCALE_INSIDE"

// elsewhere runs this program again in a network of its own.
func elsewhere(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=yes")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: unix.SIGKILL}
	cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("measure in a network of its own: %w (it must be root)", err)
	}
	return nil
}

func measure(ctx context.Context, o scale.Options, format string) error {
	if err := errors.Join(loopback(), manyFiles(o.Plan)); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "redkeep-scale-bin-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.Redkeep == "" {
		o.Redkeep = filepath.Join(dir, "redkeep")
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", o.Redkeep, "redkeep/cmd/redkeep")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build redkeep: %w: %s", err, out)
		}
	}
	server, err := stage.FindRedis()
	if err != nil {
		return err
	}
	o.Real = filepath.Join(dir, "redis-sentinel") // the name makes it one
	if err := os.Symlink(server, o.Real); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	o.Fleet = []string{self, "-play"}
	machine := bench.ThisMachine()
	trials, err := scale.Run(ctx, o)
	if format == "json" {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		return errors.Join(err, encoder.Encode(struct {
			Machine bench.Machine `json:"machine"`
			Trials  []scale.Trial `json:"trials"`
		}{machine, trials}))
	}
	fmt.Printf("%d groups of a master and two replicas, two other Sentinels; medians of %d trials each, %v after %v\n\n", o.Plan.Groups, o.Runs, o.Window, o.Warm)
	if printErr := scale.Print(os.Stdout, trials); printErr != nil {
		return printErr
	}
	fmt.Printf("\n%s\n", machine)
	return err
}

// loopback has the loopback of this network be up.
func loopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req); err != nil {
		return fmt.Errorf("set the loopback up: %w", err)
	}
	return nil
}

// manyFiles has room for all connections, in children too.
func manyFiles(p fleet.Plan) error {
	var have unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &have); err != nil {
		return err
	}
	want := uint64(4*fleet.Servers*p.Groups + 2000) // for each server a listener and two connections, and what may come twice
	if have.Cur >= want {
		return nil
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: want, Max: max(want, have.Max)}); err != nil {
		return fmt.Errorf("raise the limit of open files to %d: %w; try ulimit -n, or fewer -groups", want, err)
	}
	return nil
}

// recorder has perf look at a process for most of the window.
func recorder(name string, window time.Duration) func(context.Context, int) {
	n := 0
	return func(ctx context.Context, pid int) {
		n++
		cmd := exec.CommandContext(ctx, "perf", "record", "-q", "-F", "499", "-g", "-o", fmt.Sprintf("%s.%d", name, n), "-p", strconv.Itoa(pid),
			"sleep", strconv.Itoa(int(window.Seconds()*0.8)))
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "perf:", err)
		}
	}
}
