package words

import (
	"hash/fnv"
	"slices"
)

// ListDigest is the short name of a list of voters: equal lists have equal ones, in whatever order; 0 is that of an empty list. It
// guards against two lists of one generation, which persons make when they recover on both sides of a cut, and not against forgers.
func ListDigest(members []Node) uint64 {
	if len(members) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(members))
	h := fnv.New64a()
	for _, n := range sorted {
		_, _ = h.Write([]byte(n))
		_, _ = h.Write([]byte{0})
	}
	return max(h.Sum64(), 1)
}
