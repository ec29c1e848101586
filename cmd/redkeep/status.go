package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"redkeep/internal/client"
	"redkeep/internal/picture"
	"redkeep/internal/show/api"
	"redkeep/internal/show/table"
	"redkeep/internal/words"
)

// newStatus builds `redkeep status`.
func newStatus(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say who is master, whether it takes writes, and whether it could fail over now",
		Long: `Say who is master, whether it takes writes, and whether it could fail over now.
It is what one node's agent sees; the names in the JSON are stable.`,
		Example: "  redkeep status\n  redkeep status --watch\n  redkeep status -o json\n  redkeep status --addr 10.0.0.12:26380",
		Args:    cobra.NoArgs,
	}
	flags, group, output := addReachFlags(cmd), addGroup(cmd), addFormat(cmd)
	cmd.Flags().Lookup("group").Usage = "the `GROUP` that is meant; all groups, if left out"
	again := cmd.Flags().BoolP("watch", "w", false, "show it again and again, in place on a terminal, until Ctrl-C")
	every := cmd.Flags().Duration("interval", time.Second, "how often --watch asks, from 100ms to 1h")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *again {
			return watch(cmd, s, flags, watching{group: *group, output: *output, every: *every})
		}
		n, err := flags.picture(cmd, s)
		if err != nil {
			return err
		}
		if n, err = only(n, *group); err != nil {
			return err
		}
		if *output == formatJSON {
			return writeJSON(s.out, api.FromPicture(n))
		}
		return table.Status(s.out, n, table.Style{Colour: coloured(s.out)})
	}
	return cmd
}

// picture asks the agent for what it sees.
func (f *reachFlags) picture(cmd *cobra.Command, s streams) (n picture.Node, err error) {
	err = while(s.err, "waiting for the agent", func() error {
		return f.ask(cmd, reachLimit, func(ctx context.Context, c *client.Client) error {
			if n, err = c.Status(ctx); err == nil {
				new(comparison).fill(ctx, c, &n)
			}
			return err
		})
	})
	return n, err
}

// only leaves a picture the named group, if one is named.
func only(n picture.Node, name string) (picture.Node, error) {
	if name == "" {
		return n, nil
	}
	g, err := pick(n, name)
	n.Groups = []picture.Group{g}
	return n, err
}

// pick returns the named group of a picture, or its only one.
func pick(n picture.Node, name string) (picture.Group, error) {
	if name == "" && len(n.Groups) == 1 {
		return n.Groups[0], nil
	}
	if g, ok := n.Group(words.Group(name)); ok {
		return g, nil
	}
	var names []string
	for _, g := range n.Groups {
		names = append(names, string(g.Name))
	}
	what := fmt.Sprintf("no group %q", name)
	if name == "" {
		what = fmt.Sprintf("%d groups", len(names))
	}
	return picture.Group{}, withCode(exitUsage, fmt.Errorf("%s has %s; name one with --group: %s", n.Node, what, strings.Join(names, ", ")))
}
