package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"redkeep/internal/stage"
	"redkeep/internal/stage/demo"
)

// newDemo builds `redkeep demo` and the commands to a demo that stays.
func newDemo(s streams) *cobra.Command {
	var keep, peers bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Build three hosts on this machine, break them, and show what happens",
		Long: `Build three hosts on this machine, break them, and show what happens.
The hosts are network namespaces with real redis-servers and agents; a client that knows only the
group's virtual address writes every millisecond. The master's Redis is killed, its host is cut off
and comes back, and the master is moved as planned: each with its timeline, the time without
writes, the acknowledged writes lost, and for how long two hosts took writes.

It takes about ten seconds, needs redis-server and no rights beyond those of an ordinary user,
touches nothing outside of its namespaces and a temporary directory, and leaves nothing.

With --keep the hosts stay until Ctrl-C, for you to break them from another terminal with the
commands below. REDKEEP_DEMO_SOCKET=PATH lets a second one stay beside the first.

With --peers it plays a kill, a power-off and a cut on Redkeep, on redis-sentinel with a script
that moves an address, and on keepalived with scripts for Redis, each tuned as well as it can be,
and prints the three side by side. That takes about two minutes.`,
		Example: "  redkeep demo\n  redkeep demo --keep\n  redkeep demo --peers",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "leave the hosts running until Ctrl-C, for commands by hand")
	cmd.Flags().BoolVar(&peers, "peers", false, "play the same faults on redis-sentinel and keepalived")
	cmd.MarkFlagsMutuallyExclusive("keep", "peers")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		do := demo.Run
		if peers {
			do = demo.Peers
		}
		if err := runDemo(cmd.Context(), s, keep, do); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		return nil
	}
	cmd.AddCommand(demoHands(s)...)
	return cmd
}

// runDemo brings the program to a place where hosts can be made, and runs a demo there.
func runDemo(ctx context.Context, s streams, keep bool, do func(context.Context, demo.Options) error) error {
	if _, err := stage.FindRedis(); err != nil {
		return err
	}
	// Within the user namespace the user has another number, and would look for the socket elsewhere.
	socket := demo.Socket()
	if err := demo.Tell(socket); err != nil {
		return err
	}
	inside, ended, err := stage.Enter(os.Args[1:])
	if err != nil {
		return err
	}
	if !inside {
		return told(code(ended))
	}
	// The end of a reader (redkeep demo | head) shows as an error then, and does not end this process before it has
	// cleaned up.
	signal.Ignore(unix.SIGPIPE)
	program, err := thisProgram()
	if err != nil {
		return err
	}
	return do(ctx, demo.Options{
		Program: program, Name: os.Args[0], Out: s.out, Keep: keep, Socket: socket,
		Bold:   func(text string) string { return paint(s.out, bold, text) },
		Faint:  func(text string) string { return paint(s.out, faint, text) },
		Blocks: terminal(s.out) && unicodeLocale(os.Getenv),
	})
}

// thisProgram is the absolute path by which this program was called, since its name tells it what it is; or else its file.
func thisProgram() (string, error) {
	path, err := exec.LookPath(os.Args[0])
	if err != nil {
		return os.Executable()
	}
	return filepath.Abs(path)
}

// told is the error of a command whose error has been printed elsewhere.
func told(c code) error {
	if c == exitDone {
		return nil
	}
	return withCode(c, errors.New(""))
}
