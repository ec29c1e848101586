package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"redkeep/internal/client"
	"redkeep/internal/words"
)

// newSwitchover builds `redkeep switchover`.
func newSwitchover(s streams) *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use:   "switchover",
		Short: "Move the master to another node, without losing a write",
		Long: `Move the master to another node, without losing a write.
Writes are held for some milliseconds while the new master catches up; if it can't, or not in time,
everything stays as it was and the error says why. Any node's agent can be asked.`,
		Example: "  redkeep switchover\n  redkeep switchover --to h2 --group orders",
		Args:    cobra.NoArgs,
	}
	flags, group := addReachFlags(cmd), addGroup(cmd)
	cmd.Flags().StringVar(&to, "to", "", "the `NODE` that is to be the master; the best replica, if left out")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return change(cmd, s, flags, "moving the master", "switched over",
			func(ctx context.Context, c *client.Client, progress func(string)) error {
				return c.Switchover(ctx, words.Group(*group), words.Node(to), progress)
			})
	}
	return cmd
}

// change asks an agent for something that it has to work for, and prints its progress and the end.
func change(cmd *cobra.Command, s streams, flags *reachFlags, waiting, done string,
	do func(ctx context.Context, c *client.Client, progress func(string)) error,
) error {
	err := while(s.err, waiting, func() error {
		return flags.ask(cmd, changeLimit, func(ctx context.Context, c *client.Client) error {
			return do(ctx, c, func(line string) { _, _ = fmt.Fprintln(s.out, line) })
		})
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, done)
	return err
}
