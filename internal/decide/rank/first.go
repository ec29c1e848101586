package rank

import (
	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// First chooses the master of a group that was never leased, from what every data node's server is. One master that has
// data, or of which others are replicas, is it; several empty servers give the file's first; several with data are
// a person's to choose from, and nothing is touched. It is the same on every node that has heard the same.
func First(data []words.Node, claims map[words.Node]decide.Claim) (words.Node, words.Reason) {
	var full, empty []words.Node
	for _, n := range data {
		c, ok := claims[n]
		if !ok || c.Server.RunID == "" {
			return "", words.Reason{Code: words.WaitsForServers, Node: n}
		}
		s := c.Server
		switch {
		case s.Loading || s.Keys < 0:
			return "", words.Reason{Code: words.ServerLoading, Node: n}
		case s.Role == words.RoleReplica && !s.Fenced():
			// A replica's data are its master's.
		case s.Keys > 0 || len(s.Replicas) > 0:
			full = append(full, n)
		default:
			empty = append(empty, n)
		}
	}
	switch {
	case len(full) == 1:
		return full[0], words.Reason{}
	case len(full) > 1:
		r := words.Reason{Code: words.ServersDiffer, Node: full[0], Other: full[1], N: claims[full[0]].Server.Keys, M: claims[full[1]].Server.Keys}
		return "", r
	case len(empty) > 0:
		return empty[0], words.Reason{}
	default:
		return "", words.Reason{Code: words.WaitsForServers, Text: "every server here is a replica of another"}
	}
}
