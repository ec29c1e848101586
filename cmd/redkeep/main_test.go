package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"redkeep/internal/stage"
	"redkeep/internal/stage/namespace"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"redkeep": main, "redis-sentinel": sentinelAs, "valkey-sentinel": sentinelAs})
}

// TestScripts runs the command lines in testdata against the real main.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			// Scripts must not depend on the umask or the terminal of whoever runs them.
			env.Setenv("NO_COLOR", "1")
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond != "demo" {
				return false, fmt.Errorf("unknown condition %s", cond)
			}
			_, err := stage.FindRedis()
			return !testing.Short() && err == nil && namespace.Probe() == nil, nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"exits": exits, "eventually": eventually},
	})
}

// exits runs a command line and compares its exit code: `exits 2 check -c x.yaml`. What it printed is thereafter what
// stdout and stderr look at.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: exits CODE [ARGS...]")
	}
	err := ts.Exec("redkeep", args[1:]...)
	got := "0"
	var status interface{ ExitCode() int }
	if errors.As(err, &status) {
		got = fmt.Sprint(status.ExitCode())
	} else if err != nil {
		ts.Fatalf("run redkeep: %v", err)
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// eventually repeats a command line until it exits with 0, for 30 s at most: `eventually demo kill h1`.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: eventually [ARGS...]")
	}
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	for ts.Exec("redkeep", args...) != nil {
		select {
		case <-again.C:
		case <-limit.C:
			ts.Fatalf("redkeep %s does not succeed within 30 s", strings.Join(args, " "))
		}
	}
}

// TestEveryCommandHasAnExample keeps the help useful; the two commands that cobra adds by itself are left alone.
func TestEveryCommandHasAnExample(t *testing.T) {
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		if cmd.Example == "" || cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: needs an example, and a short description without a full stop", cmd.CommandPath())
		}
		if !cmd.HasSubCommands() && cmd.Args == nil {
			t.Errorf("%s: does not say which arguments it takes", cmd.CommandPath())
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(newRoot(streams{}))
}

// TestErrorsOfAllKindsGetTheirCode drives the mapping from errors to exit codes through the whole command line.
func TestErrorsOfAllKindsGetTheirCode(t *testing.T) {
	for want, err := range map[code]error{
		exitFailed:  errors.New("add address: permission denied"),
		exitNoAgent: withCode(exitNoAgent, errors.New("ask 10.0.0.1:26380: no answer in 1s")),
		exitRefused: fmt.Errorf("open the gate: %w", withCode(exitRefused, errors.New("the lease is held by b"))),
		exitDone:    nil,
	} {
		root := &cobra.Command{RunE: func(*cobra.Command, []string) error { return err }, SilenceErrors: true, SilenceUsage: true}
		root.SetArgs(nil)
		mark(root)
		got := exitDone
		if failed := root.ExecuteContext(context.Background()); failed != nil {
			got, _ = codeOf(failed)
		}
		if got != want {
			t.Errorf("%v leads to %d, want %d", err, got, want)
		}
	}
}

// TestVersionAsJSON can be read back by programs.
func TestVersionAsJSON(t *testing.T) {
	var out bytes.Buffer
	if c := execute(context.Background(), []string{"version", "-o", "json"}, streams{out: &out, err: &out}); c != exitDone {
		t.Fatalf("exit code %d: %s", c, out.String())
	}
	var b build
	if err := json.Unmarshal(out.Bytes(), &b); err != nil || !strings.HasPrefix(b.Go, "go1.") {
		t.Fatalf("got %s, %v", out.String(), err)
	}
}
