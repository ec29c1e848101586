package main

import (
	"context"

	"github.com/spf13/cobra"

	"redkeep/internal/client"
	"redkeep/internal/words"
)

// newBootstrap builds `redkeep bootstrap`.
func newBootstrap(s streams) *cobra.Command {
	var (
		master string
		accept bool
	)
	cmd := &cobra.Command{
		Use:   "bootstrap --master NODE",
		Short: "Choose the master of a group that can't choose by itself",
		Long: `Choose the master of a group that can't choose by itself: several masters that hold different
data, or one whose newest data are on a server that does not come back. The other servers become
replicas of the chosen one and lose what only they hold; "redkeep explain" says what each has.
Data that are recorded elsewhere and missing on the chosen one are given up only with --accept-loss.

A group that was left (redkeep leave) starts anew by it. All its agents must be heard, and NODE must be the
one whose server is the master now, unless --accept-loss says that it may be another.`,
		Example: "  redkeep bootstrap --master h1\n  redkeep bootstrap --master h2 --group orders --accept-loss",
		Args:    cobra.NoArgs,
	}
	flags, group := addReachFlags(cmd), addGroup(cmd)
	cmd.Flags().StringVar(&master, "master", "", "the `NODE` whose data are kept (required)")
	cmd.Flags().BoolVar(&accept, "accept-loss", false, "give up data that were recorded elsewhere")
	_ = cmd.MarkFlagRequired("master")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return change(cmd, s, flags, "telling the agents", "all agents that are heard have been told; look with: redkeep status",
			func(ctx context.Context, c *client.Client, progress func(string)) error {
				return c.Bootstrap(ctx, words.Group(*group), words.Node(master), accept, progress)
			})
	}
	return cmd
}
