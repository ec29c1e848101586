package judge

import (
	"time"

	"redkeep/internal/words"
)

// The invariants of the virtual address.
const (
	OneAnswers    Law = "one host answers for the address"
	NotStolen     Law = "no announcement of another host's address"
	NotStrangers  Law = "no stranger's address is taken"
	AddressStays  Law = "a master that is well keeps its address"
	AddressServes Law = "clients of the address find the master"
)

// Answering takes the hosts of the group that would answer for its address at this instant. It needs to be called when one
// has begun to. A host that has the address and is silent behind its gate is none of them.
func (c *Court) Answering(at time.Duration, g words.Group, nodes []words.Node) {
	d := c.docket(g)
	if len(nodes) > 1 && !d.twoAnswer {
		c.find(at, g, OneAnswers, "answering at once: %v (last opened in epochs %v)", nodes, d.epochs(nodes))
	}
	d.twoAnswer = len(nodes) > 1
}

// Announced takes an announcement that has left a node: where another host answers for the address, its clients are led astray.
func (c *Court) Announced(at time.Duration, g words.Group, by words.Node, answering []words.Node) {
	for _, n := range answering {
		if n != by {
			c.find(at, g, NotStolen, "%s announces the address for which %s answers", by, n)
			return
		}
	}
}
