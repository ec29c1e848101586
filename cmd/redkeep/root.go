package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// streams is where a command reads and writes; tests pass their own.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// commands lists all commands, in the order of the help. To add one, write its file and add its line.
func commands(s streams) []*cobra.Command {
	return []*cobra.Command{
		newRun(s),
		newSentinel(s, watchingSentinel()),
		newKeepalived(s),
		newCheck(s),
		newImport(s),
		newStatus(s),
		newExplain(s),
		newHistory(s),
		newSwitchover(s),
		newPause(s),
		newResume(s),
		newBootstrap(s),
		newRecover(s),
		newLeave(s),
		newGate(s),
		newDemo(s),
		newVersion(s),
	}
}

// newRoot builds the whole command line anew, so that no state survives between two calls.
func newRoot(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "redkeep",
		Short: "Keep one Redis or Valkey master writable, and never two",
		Long: `Redkeep keeps one Redis or Valkey master writable, and never two.
One agent runs beside each server; a majority of them lends one node the right to take
writes for a moment at a time, and the kernel's packet filter ends it on time.

` + exitCodes,
		Example: `  redkeep check -c /etc/redkeep/redkeep.yaml
  redkeep status
  redkeep switchover --to h2`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.AddCommand(commands(s)...)
	mark(root)
	return root
}

// mark gives the errors of each command's own work exitFailed, unless the command chose a code. What is left without
// one after that comes from reading the arguments.
func mark(cmd *cobra.Command) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			err := run(cmd, args)
			if _, has := codeOf(err); err != nil && !has {
				return withCode(exitFailed, err)
			}
			return err
		}
	}
	for _, sub := range cmd.Commands() {
		mark(sub)
	}
}

// misread says of arguments what was read wrongly: a command takes "unknown command" for whatever it does not expect.
func misread(cmd *cobra.Command, err error) error {
	word, unknown := strings.CutPrefix(err.Error(), `unknown command "`)
	word, _, ended := strings.Cut(word, `"`)
	switch {
	case !unknown || !ended:
		return err
	case !cmd.HasSubCommands():
		return fmt.Errorf("%s takes no %q; its choices are flags", cmd.CommandPath(), word)
	}
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(word); len(near) > 0 {
		return fmt.Errorf("%w; did you mean %s?", err, strings.Join(near, " or "))
	}
	return err
}

// execute runs one command line and returns its exit code, having printed its error.
func execute(ctx context.Context, args []string, s streams) code {
	root := newRoot(s)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	if c, has := codeOf(err); has {
		complain(s.err, err)
		return c
	}
	complain(s.err, errors.Join(misread(cmd, err), errors.New("run: "+cmd.CommandPath()+" --help")))
	return exitUsage
}
