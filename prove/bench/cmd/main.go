package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
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
	flag.StringVar(&o.Faults, "faults", "", "faults: all, or some of kill, power-off, cut, switchover (these if empty), hang, deaf, failback, agent-kill, agent-freeze (these three for the pairs)")
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
	o.Command = command()
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

// command is how this program was called, with what was left to its defaults said too where that may change.
func command() string {
	said := "go run ./prove/bench/cmd"
	flag.VisitAll(func(f *flag.Flag) {
		if f.Name != "redkeep" && f.Name != "keep" && f.Name != "o" && f.Value.String() != "" {
			said += fmt.Sprintf(" -%s=%s", f.Name, quoted(f.Value.String()))
		}
	})
	return said
}

// quoted is a value as a shell takes it.
func quoted(value string) string {
	if strings.ContainsAny(value, " ,") {
		return "'" + value + "'"
	}
	return value
}

func show(w io.Writer, r bench.Report, format string) error {
	if format == "table" {
		return r.Print(w)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}
