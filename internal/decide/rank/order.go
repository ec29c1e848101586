package rank

import (
	"slices"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// Entry is one data node in an order.
type Entry struct {
	Node     words.Node
	Claim    decide.Claim
	Standing Standing
	// Out is why the node can't win; zero where it can.
	Out words.Reason
}

// Order sorts data nodes, best first: those that can win by standing, then priority (lower first, 0 is out), then the
// file's order; after them those that are out.
func Order(data []words.Node, claims map[words.Node]decide.Claim, rows []words.Row, off decide.Rules) []Entry {
	list := make([]Entry, 0, len(data))
	for _, n := range data {
		list = append(list, entry(n, claims, rows, off))
	}
	slices.SortStableFunc(list, func(a, b Entry) int {
		if a.Out.Zero() != b.Out.Zero() {
			if a.Out.Zero() {
				return -1
			}
			return 1
		}
		if !a.Out.Zero() {
			return 0
		}
		if c := Compare(b.Standing, a.Standing); c != 0 {
			return c
		}
		return a.Claim.Server.Priority - b.Claim.Server.Priority
	})
	return list
}

func entry(n words.Node, claims map[words.Node]decide.Claim, rows []words.Row, off decide.Rules) Entry {
	c, ok := claims[n]
	if !ok {
		return Entry{Node: n, Out: words.Reason{Code: words.NotSeen, Node: n}}
	}
	e := Entry{Node: n, Claim: c}
	if !c.Fit {
		e.Out = c.Unfit
	}
	st, ok := Of(c, n, rows, off)
	e.Standing = st
	if !ok && e.Out.Zero() && len(rows) > 0 {
		e.Out = words.Reason{Code: words.NoLineage, Node: n}
	}
	return e
}

// Place returns the node's place, 1 for the best; 0 where it is out.
func Place(list []Entry, n words.Node) int {
	for i, e := range list {
		if e.Node == n && e.Out.Zero() {
			return i + 1
		}
	}
	return 0
}
