package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"redkeep/internal/client"
	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// newLeave builds `redkeep leave`.
func newLeave(s streams) *cobra.Command {
	var all bool
	var here hereFlags
	cmd := &cobra.Command{
		Use:   "leave",
		Short: "Take Redkeep away from a group on all nodes, without one refused connection",
		Long: `Take Redkeep away from a group on all nodes, without one refused connection.
Every server keeps the role that it has, now and after a restart; the gates are gone, and nobody fails
over any more. A virtual address is gone too, since nobody would move it from then on: give its clients
another way to the master first. All agents must be heard. Then stop them, and remove what the packages
put beside redis-server. To have the group back, start all agents and name the server that is the master
now: redkeep bootstrap --master NODE.

With --here no agent is asked, and none may run: what one that ended badly has left in this host's
kernel is taken away. While the gate is shut that is refused, since a server that may not be the master
would take writes. Removing the package does both, --all and then --here.`,
		Example: "  redkeep leave\n  redkeep leave --group orders\n  redkeep leave --all\n  redkeep leave --here",
		Args:    cobra.NoArgs,
	}
	flags, group := addReachFlags(cmd), addGroup(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "leave every group of the file that has not been left yet")
	here.add(cmd)
	cmd.MarkFlagsMutuallyExclusive("all", "group", "here")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if here.asked {
			return here.leave(cmd.Context(), s, flags.configFlags)
		}
		if here.force {
			return withCode(exitUsage, errors.New("leave: --force goes with --here"))
		}
		return change(cmd, s, flags, "waiting for all agents to let go", "all agents have let the group go; they can be stopped",
			func(ctx context.Context, c *client.Client, progress func(string)) error {
				if all {
					return leaveAll(ctx, c, progress)
				}
				return c.Leave(ctx, words.Group(*group), progress)
			})
	}
	return cmd
}

// leaveAll leaves the groups one after another, and stops at the first that can't be left. Those that were left before, and
// those that never had a master, are gone already.
func leaveAll(ctx context.Context, c *client.Client, progress func(string)) error {
	n, err := c.Status(ctx)
	if err != nil {
		return err
	}
	for _, g := range n.Groups {
		if g.State == picture.StateLeft || g.Epoch == 0 && g.Master == "" {
			progress(fmt.Sprintf("%s: nothing to leave", g.Name))
			continue
		}
		if err := c.Leave(ctx, g.Name, progress); err != nil {
			return fmt.Errorf("%s: %w", g.Name, err)
		}
		progress(fmt.Sprintf("%s: left", g.Name))
	}
	return nil
}
