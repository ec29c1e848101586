package main

import (
	"context"
	"fmt"
	"strings"

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
		Example: "  redkeep status\n  redkeep status -o json\n  redkeep status --addr 10.0.0.12:26380",
		Args:    cobra.NoArgs,
	}
	flags, group, output := addReachFlags(cmd), addGroup(cmd), addFormat(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		n, err := flags.picture(cmd, s)
		if err != nil {
			return err
		}
		if *group != "" {
			g, err := pick(n, *group)
			if err != nil {
				return err
			}
			n.Groups = []picture.Group{g}
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
			n, err = c.Status(ctx)
			return err
		})
	})
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
