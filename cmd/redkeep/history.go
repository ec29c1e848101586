package main

import (
	"context"
	"errors"

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
		Use:   "history",
		Short: "Print what a node has decided and refused, oldest first",
		Long: `Print what a node has decided and refused, oldest first: as it is in the node's state directory, so that
restarts of the agent and of the host lose none of it (a power cut may take the last seconds'). The
newest entries of each group are kept, a thousand and more.`,
		Example: "  redkeep history\n  redkeep history --since 1h\n  redkeep history --group orders --last 0 -o json",
		Args:    cobra.NoArgs,
	}
	flags, group, output := addReachFlags(cmd), addGroup(cmd), addFormat(cmd)
	last := cmd.Flags().IntP("last", "n", 100, "how many entries to print, the newest ones; 0 for all")
	since := cmd.Flags().Duration("since", 0, "no entries that are older, as in --since 1h30m")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *last < 0 || *since < 0 {
			return withCode(exitUsage, errors.New("history: --last and --since count back from now; give numbers that are not negative"))
		}
		var entries []picture.Noted
		err := while(s.err, "waiting for the agent", func() error {
			return flags.ask(cmd, reachLimit, func(ctx context.Context, c *client.Client) (err error) {
				entries, err = c.History(ctx, words.Group(*group), *last, *since)
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
