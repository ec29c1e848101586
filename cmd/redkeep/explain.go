package main

import (
	"github.com/spf13/cobra"

	"redkeep/internal/picture"
	"redkeep/internal/show/api"
	"redkeep/internal/show/table"
)

// newExplain builds `redkeep explain`.
func newExplain(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain",
		Short: "Say who would win an election now, and what keeps each of the others out",
		Long: `Say who would win an election now, and what keeps each of the others out; then what the asked
node has decided and refused of late. A sentence that a person can do something about ends with it.`,
		Example: "  redkeep explain\n  redkeep explain --group orders --node h2",
		Args:    cobra.NoArgs,
	}
	flags, group, output := addReachFlags(cmd), addGroup(cmd), addFormat(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		n, err := flags.picture(cmd, s)
		if err != nil {
			return err
		}
		g, err := pick(n, *group)
		if err != nil {
			return err
		}
		if *output == formatJSON {
			return writeJSON(s.out, api.FromPicture(picture.Node{Groups: []picture.Group{g}}).Groups[0])
		}
		return table.Explain(s.out, g, table.Style{Colour: coloured(s.out)})
	}
	return cmd
}
