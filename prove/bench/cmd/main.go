package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage"
	"redkeep/prove/bench"
)

func main() {
	inside, code, err := stage.Enter(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if inside {
		code = measure()
	}
	os.Exit(code)
}

// measure reads the flags, measures and prints. It returns the exit code.
func measure() int {
	o := bench.Options{Progress: os.Stderr}
	flag.IntVar(&o.Runs, "runs", 5, "runs of each contender with each fault")
	flag.StringVar(&o.Faults, "faults", "", "faults: all, or some of kill, power-off, cut, switchover (these if empty), hang, deaf")
	flag.StringVar(&o.Contenders, "contenders", "", "contenders, separated by commas; all if empty")
	flag.BoolVar(&o.Costs, "costs", true, "also measure the gate's cost and idle agents")
	flag.DurationVar(&o.Stall, "stall", 15*time.Millisecond, "leave out runs in which this machine stalled for longer")
	flag.StringVar(&o.Binary, "redkeep", "", "the redkeep to measure; built if empty")
	flag.StringVar(&o.Keep, "keep", "", "a directory in which the hosts' logs are left; none if empty")
	format := flag.String("o", "table", "output: table or json")
	flag.Parse()
	if flag.NArg() > 0 || o.Runs < 0 || *format != "table" && *format != "json" {
		flag.Usage()
		return 2
	}
	o.Command = fmt.Sprintf("go run ./prove/bench/cmd -runs %d -faults %q -contenders %q -costs=%v -stall %v", o.Runs, o.Faults, o.Contenders, o.Costs, o.Stall)
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	report, err := bench.Run(ctx, o)
	if printErr := show(os.Stdout, report, *format); printErr != nil {
		fmt.Fprintln(os.Stderr, printErr)
		return 1
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func show(w io.Writer, r bench.Report, format string) error {
	if format == "table" {
		return r.Print(w)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}
