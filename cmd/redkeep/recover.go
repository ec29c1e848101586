package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"redkeep/internal/client"
	"redkeep/internal/words"
)

// newRecover builds `redkeep recover`.
func newRecover(s streams) *cobra.Command {
	var alone, accept bool
	cmd := &cobra.Command{
		Use:   "recover --alone --accept-loss",
		Short: "Go on with one node alone, after a majority has been lost for good",
		Long: `Go on with one node alone, after a majority has been lost for good.
The asked node becomes the group's only voter and takes writes again. A majority exists to make
two masters impossible, and this command goes round it: make sure first that the other hosts are
off, or that no client can reach them. Those that come back later join as replicas, and lose what
only they hold.`,
		Example: "  redkeep recover --alone --accept-loss\n  redkeep recover --alone --accept-loss --group orders --addr 10.0.0.12:26380",
		Args:    cobra.NoArgs,
	}
	flags, group := addReachFlags(cmd), addGroup(cmd)
	cmd.Flags().BoolVar(&alone, "alone", false, "the asked node is to be the only voter")
	cmd.Flags().BoolVar(&accept, "accept-loss", false, "give up what only the lost nodes hold")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !alone || !accept {
			return withCode(exitRefused, errors.New("recover: this makes a second master possible if another node still runs, and gives up what only the lost nodes hold; "+
				"make sure that they are down for good, then add --alone --accept-loss"))
		}
		return change(cmd, s, flags, "waiting for the agent", "this node is the only voter now; look with: redkeep status",
			func(ctx context.Context, c *client.Client, progress func(string)) error {
				return c.Recover(ctx, words.Group(*group), accept, progress)
			})
	}
	return cmd
}
