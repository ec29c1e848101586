package main

import (
	"context"

	"github.com/spf13/cobra"

	"redkeep/internal/client"
	"redkeep/internal/picture"
	"redkeep/internal/show/api"
	"redkeep/internal/show/table"
	"redkeep/internal/words"
)

// newHistory builds `redkeep history`.
func newHistory(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "history",
		Short:   "Print what a node has decided and refused of late, oldest first",
		Example: "  redkeep history\n  redkeep history --group orders -o json",
		Args:    cobra.NoArgs,
	}
	flags, group, output := addReachFlags(cmd), addGroup(cmd), addFormat(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var entries []picture.Noted
		err := while(s.err, "waiting for the agent", func() error {
			return flags.ask(cmd, reachLimit, func(ctx context.Context, c *client.Client) (err error) {
				entries, err = c.History(ctx, words.Group(*group))
				return err
			})
		})
		if err != nil {
			return err
		}
		if *output == formatJSON {
			return writeJSON(s.out, api.FromPicture(picture.Node{Groups: []picture.Group{{Recent: entries}}}).Groups[0].Recent)
		}
		return table.History(s.out, entries, table.Style{Colour: coloured(s.out)})
	}
	return cmd
}
