package main

import (
	"context"

	"github.com/spf13/cobra"

	"redkeep/internal/client"
	"redkeep/internal/words"
)

// newLeave builds `redkeep leave`.
func newLeave(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "leave",
		Short: "Take Redkeep away from a group on all nodes, without one refused connection",
		Long: `Take Redkeep away from a group on all nodes, without one refused connection.
Every server keeps the role that it has, now and after a restart; the gates are gone, and nobody fails
over any more. All agents must be heard. Then stop them, and remove what the packages put beside
redis-server. To have the group back, move its files out of the state directories and start anew.`,
		Example: "  redkeep leave\n  redkeep leave --group orders",
		Args:    cobra.NoArgs,
	}
	flags, group := addReachFlags(cmd), addGroup(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return change(cmd, s, flags, "waiting for all agents to let go", "all agents have let the group go; they can be stopped",
			func(ctx context.Context, c *client.Client, progress func(string)) error {
				return c.Leave(ctx, words.Group(*group), progress)
			})
	}
	return cmd
}
