package main

import (
	"context"
	"fmt"
	"time"

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
		var master words.Node
		err := while(s.err, "moving the master", func() error {
			return flags.ask(cmd, changeLimit, func(ctx context.Context, c *client.Client) (err error) {
				master, err = moved(ctx, c, *group, words.Node(to), func(line string) { _, _ = fmt.Fprintln(s.out, line) })
				return err
			})
		})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "switched over: %s is the master now\n", master)
		return err
	}
	return cmd
}

const (
	// moveWait bounds how long the new master is waited for once the old one has let go: some milliseconds, or a lease and
	// an election where it fails.
	moveWait = 90 * time.Second
	moveLook = 10 * time.Millisecond
)

// moved moves the master and returns where it is then. The old master's agent answers when it has let go; who was elected
// is another question, and another node than the one that was meant is an error.
func moved(ctx context.Context, c *client.Client, group string, to words.Node, progress func(string)) (words.Node, error) {
	n, err := c.Status(ctx)
	if err != nil {
		return "", err
	}
	before, _ := pick(n, group) // The agent itself says what is wrong with the name.
	if err := c.Switchover(ctx, words.Group(group), to, progress); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, moveWait)
	defer cancel()
	again := time.NewTicker(moveLook)
	defer again.Stop()
	for {
		n, err := c.Status(ctx)
		if err != nil {
			return "", fmt.Errorf("the old master has let go; see who follows it: %w", err)
		}
		if now, ok := n.Group(before.Name); ok && now.Writable && now.Epoch > before.Epoch {
			if now.Master == before.Master || to != "" && now.Master != to {
				return "", fmt.Errorf("no write was lost, but %s was elected; look why with: redkeep explain", now.Master)
			}
			return now.Master, nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
		}
	}
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
