package picture

import (
	"net/netip"
	"time"

	"redkeep/internal/words"
)

// Node is what one agent sees and is.
type Node struct {
	Node    words.Node
	Version string
	Session words.Session
	Started time.Time
	Groups  []Group
	// Addrs are the nodes' addresses.
	Addrs map[words.Node]netip.Addr
	// ListenPort is the Sentinel face's port that clients are told, the same on every node.
	ListenPort uint16
}

// Group returns the named group.
func (n Node) Group(name words.Group) (Group, bool) {
	for _, g := range n.Groups {
		if g.Name == name {
			return g, true
		}
	}
	return Group{}, false
}
