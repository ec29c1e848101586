package rank

import (
	"slices"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// First chooses the master of a group that was never leased, from what every data node's server is. One master that has
// data, or of which others are replicas, is it; several empty servers give the file's first; several with data are
// a person's to choose from, and nothing is touched. So is a replica whose data are of no master here: its own master may be
// lost for good, and it would be emptied by following another. A server that can't be kept is one to ask a person about too. It is the same on every node that has heard the same.
func First(data []words.Node, claims map[words.Node]decide.Claim) (words.Node, words.Reason) {
	var full, empty, strays []words.Node
	for _, n := range data {
		c, ok := claims[n]
		if !ok || c.Server.RunID == "" {
			return "", words.Reason{Code: words.WaitsForServers, Node: n}
		}
		s := c.Server
		if why := s.Unkept(); why != "" {
			return "", words.Reason{Code: why, Node: n}
		}
		switch {
		case s.Loading || s.Keys < 0:
			return "", words.Reason{Code: words.ServerLoading, Node: n}
		case s.Role == words.RoleReplica && !s.Fenced():
			if s.Keys > 0 && !ofMasterHere(s, data, claims) {
				strays = append(strays, n)
			}
		case s.Keys > 0 || len(s.Replicas) > 0:
			full = append(full, n)
		default:
			empty = append(empty, n)
		}
	}
	differ := slices.Concat(full, strays, empty)
	switch {
	case len(full) > 1, len(strays) > 0 && len(full)+len(empty) > 0:
		r := words.Reason{Code: words.ServersDiffer, Node: differ[0], Other: differ[1], N: claims[differ[0]].Server.Keys, M: claims[differ[1]].Server.Keys}
		return "", r
	case len(full) == 1:
		return full[0], words.Reason{}
	case len(empty) > 0:
		return empty[0], words.Reason{}
	default:
		return "", words.Reason{Code: words.WaitsForServers, Text: "every server here is a replica of another"}
	}
}

// ofMasterHere reports whether a replica's data are those of a master of the group, by their history and not by the address
// that it follows: one that has never reached that address has data of its own.
func ofMasterHere(s words.Server, data []words.Node, claims map[words.Node]decide.Claim) bool {
	return slices.ContainsFunc(data, func(n words.Node) bool {
		m := claims[n].Server
		return m.Role == words.RoleMaster && (s.ReplID == m.ReplID || s.ReplID == m.ReplID2 && m.ReplID2 != "")
	})
}
