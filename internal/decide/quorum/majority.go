package quorum

import "redkeep/internal/words"

// Lists are the voters that count: the committed list, and one that is being changed to, if any.
type Lists struct{ Members, Pending []words.Node }

// Majority reports whether more than half of each list say yes (rules majority, persisted-members).
func (l Lists) Majority(yes func(words.Node) bool) bool {
	return most(l.Members, yes) && (len(l.Pending) == 0 || most(l.Pending, yes))
}

// Possible reports whether a majority can still be had when those who said no are left out.
func (l Lists) Possible(no func(words.Node) bool) bool {
	return l.Majority(func(n words.Node) bool { return !no(n) })
}

// All returns every voter of either list once, in order.
func (l Lists) All() []words.Node {
	all := append([]words.Node(nil), l.Members...)
	for _, p := range l.Pending {
		if !Has(all, p) {
			all = append(all, p)
		}
	}
	return all
}

// Has reports whether the list has the node.
func Has(list []words.Node, n words.Node) bool {
	for _, m := range list {
		if m == n {
			return true
		}
	}
	return false
}

func most(list []words.Node, yes func(words.Node) bool) bool {
	count := 0
	for _, n := range list {
		if yes(n) {
			count++
		}
	}
	return count > len(list)/2
}
