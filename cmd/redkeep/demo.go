package main

import (
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

// newDemo builds `redkeep demo`.
func newDemo(s streams) *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Build three hosts on this machine, break them, and show what happens",
		Long: `Build three hosts on this machine, break them, and show what happens.
The hosts are network namespaces with real redis-servers and agents; a client writes every
millisecond. The master's Redis is killed, its host is cut off and comes back, and the master is
moved as planned: each with its timeline, the time without writes, and the acknowledged writes lost.

It takes about ten seconds, needs redis-server and no rights beyond those of an ordinary user,
touches nothing outside of its namespaces and a temporary directory, and leaves nothing.`,
		Example: "  redkeep demo\n  redkeep demo --keep",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "leave the directory with configuration, logs and data")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if _, err := stage.FindRedis(); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		inside, ended, err := stage.Enter(os.Args[1:])
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		if !inside {
			return told(code(ended))
		}
		// The end of a reader (redkeep demo | head) shows as an error then, and does not end this process before it has
		// cleaned up.
		signal.Ignore(unix.SIGPIPE)
		program, err := thisProgram()
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		err = demo.Run(cmd.Context(), demo.Options{
			Program: program, Out: s.out, Keep: keep,
			Bold:  func(text string) string { return paint(s.out, bold, text) },
			Faint: func(text string) string { return paint(s.out, faint, text) },
		})
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		return nil
	}
	return cmd
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
