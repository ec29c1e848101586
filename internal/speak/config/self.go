package config

import (
	"fmt"
	"net/netip"
	"strings"

	"redkeep/internal/words"
)

// Self finds which node this host is: the one named, or, if name is empty, the only one whose address is among addrs
// (the host's own). A VIP never counts, since no node has it as its address. The error says what to do.
func (c *Config) Self(name string, addrs []netip.Addr) (Node, error) {
	if name != "" {
		if n, ok := c.Node(words.Node(name)); ok {
			return n, nil
		}
		if near, ok := words.Nearest(name, c.nodeNames()); ok {
			return Node{}, fmt.Errorf("find node %q: the file has no such node; did you mean --node %s?", name, near)
		}
		return Node{}, fmt.Errorf("find node %q: the file has no such node; use one of %s", name, strings.Join(c.nodeNames(), ", "))
	}
	own := make(map[netip.Addr]bool, len(addrs))
	for _, a := range addrs {
		own[a.Unmap().WithZone("")] = true
	}
	var found []Node
	for _, n := range c.Nodes {
		if own[n.Addr] {
			found = append(found, n)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return Node{}, fmt.Errorf("find this host's node: it has none of the file's addresses (%s); correct nodes, or say which one it is with --node", c.nodeAddrs())
	default:
		return Node{}, fmt.Errorf("find this host's node: it has the addresses of %s and %s; say which one it is with --node", found[0].Name, found[1].Name)
	}
}

// nodeNames lists the names in the file's order.
func (c *Config) nodeNames() []string {
	names := make([]string, len(c.Nodes))
	for i, n := range c.Nodes {
		names[i] = string(n.Name)
	}
	return names
}

// nodeAddrs lists names and addresses for an error.
func (c *Config) nodeAddrs() string {
	parts := make([]string, len(c.Nodes))
	for i, n := range c.Nodes {
		parts[i] = fmt.Sprintf("%s %s", n.Name, n.Addr)
	}
	return strings.Join(parts, ", ")
}
