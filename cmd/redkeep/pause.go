package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"redkeep/internal/client"
	"redkeep/internal/show/api"
	"redkeep/internal/words"
)

// pauseLength is how long a pause lasts where nobody says: a maintenance that takes longer is asked about again.
const pauseLength = time.Hour

// newPause builds `redkeep pause`.
func newPause(s streams) *cobra.Command {
	var (
		length time.Duration
		reason string
	)
	cmd := &cobra.Command{
		Use:   "pause",
		Short: "Have no failover for a while, as during maintenance; the lease is kept",
		Long: `Have no failover for a while, as during maintenance; the lease is kept.
The master goes on taking writes, and a switchover goes on moving it. If the master is lost, nobody
takes its place until "redkeep resume", or until the time is over: the pause ends by itself. It is
asked of all groups of the file, or of one, and counts when a majority of the voters has it on disk.`,
		Example: "  redkeep pause --for 10m --reason \"new switch in rack 2\"\n  redkeep pause --group orders",
		Args:    cobra.NoArgs,
	}
	flags, group := addReachFlags(cmd), addGroup(cmd)
	cmd.Flags().Lookup("group").Usage = "the `GROUP` that is meant; all groups, if left out"
	cmd.Flags().DurationVar(&length, "for", pauseLength, "how long it lasts, from 1s to 24h; a later pause replaces it")
	cmd.Flags().StringVar(&reason, "reason", "", "why, in a few words: status shows them on every node")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if length < time.Second || length > words.LongestPause {
			return withCode(exitUsage, fmt.Errorf("--for %v: a pause lasts from 1s to %v", length, words.LongestPause))
		}
		if len(reason) > api.MaxText {
			return withCode(exitUsage, fmt.Errorf("--reason has %d bytes, and at most %d are told among the agents; say it shorter", len(reason), api.MaxText))
		}
		return eachGroup(cmd, s, flags, *group, func(ctx context.Context, c *client.Client, g words.Group) (string, error) {
			until := time.Now().Add(length).Format(time.TimeOnly)
			return fmt.Sprintf("paused for %v, until %s; end it with: redkeep resume", length, until), c.Pause(ctx, g, length, reason)
		})
	}
	return cmd
}

// newResume builds `redkeep resume`.
func newResume(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "resume",
		Short:   "End a pause: failovers happen again",
		Example: "  redkeep resume\n  redkeep resume --group orders",
		Args:    cobra.NoArgs,
	}
	flags, group := addReachFlags(cmd), addGroup(cmd)
	cmd.Flags().Lookup("group").Usage = "the `GROUP` that is meant; all groups, if left out"
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return eachGroup(cmd, s, flags, *group, func(ctx context.Context, c *client.Client, g words.Group) (string, error) {
			return "not paused; failovers happen", c.Resume(ctx, g)
		})
	}
	return cmd
}

// eachGroup asks an agent for something in one group, or in all that it has, and prints a line for each. One group that refuses
// does not keep the others from being asked.
func eachGroup(cmd *cobra.Command, s streams, flags *reachFlags, group string,
	do func(context.Context, *client.Client, words.Group) (string, error),
) error {
	return while(s.err, "waiting for a majority of the voters", func() error {
		return flags.ask(cmd, changeLimit, func(ctx context.Context, c *client.Client) error {
			groups, err := groupsMeant(ctx, c, group)
			if err != nil {
				return err
			}
			var refused []error
			for _, g := range groups {
				done, err := do(ctx, c, g)
				if err != nil {
					refused = append(refused, fmt.Errorf("%s: %w", g, err))
					continue
				}
				if _, err := fmt.Fprintf(s.out, "%s: %s\n", g, done); err != nil {
					return err
				}
			}
			return errors.Join(refused...)
		})
	})
}

// groupsMeant is the named group, or all that the agent has. The agent itself says what is wrong with a name.
func groupsMeant(ctx context.Context, c *client.Client, group string) ([]words.Group, error) {
	if group != "" {
		return []words.Group{words.Group(group)}, nil
	}
	n, err := c.Status(ctx)
	if err != nil {
		return nil, err
	}
	var all []words.Group
	for _, g := range n.Groups {
		all = append(all, g.Name)
	}
	return all, nil
}
