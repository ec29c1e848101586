package config

import (
	"net/netip"
	"slices"
	"time"

	"redkeep/internal/words"
)

// The bounds and the defaults of the file's values. Durations are wall time.
const (
	DefaultLease         = 3 * time.Second
	MinLease             = 200 * time.Millisecond
	MaxLease             = 60 * time.Second
	DefaultDownAfter     = 5 * time.Second
	DefaultBusyAfter     = 30 * time.Second
	DefaultColdStartWait = 30 * time.Second
	DefaultPatience      = 10 * time.Second
	DefaultListenPort    = 26379
	DefaultPeerPort      = 26380

	// MinSecret is the fewest bytes of a secret.
	MinSecret = 8
	// MaxFile is the most bytes of a configuration: room for about two thousand groups.
	MaxFile = 256 << 10
)

// Config is one checked redkeep.yaml. It is the same value on every node; Self says which of its nodes this host is.
type Config struct {
	// Secret is what the agents and the commands prove to each other that they know.
	Secret words.Secret
	// Lease is how long a holder may write after a majority last granted it, MinLease to MaxLease.
	Lease time.Duration
	// DownAfter is how long a server whose process is stopped or cannot be seen may be silent before it counts as dead.
	DownAfter time.Duration
	// BusyAfter is the same for a server that burns CPU time while it is silent (a slow script). At least DownAfter.
	BusyAfter time.Duration
	// ColdStartWait is how long a group whose hosts all started anew waits for its last holder.
	ColdStartWait time.Duration
	// Patience is how long a better candidate that cannot be promoted holds up the others.
	Patience time.Duration
	// ListenPort is the Sentinel face's TCP port without TLS; 0 where there is TLS alone.
	ListenPort uint16
	// ListenTLS is how that face uses TLS.
	ListenTLS ListenTLS
	// ListenPassword is what its clients log in with; an empty one is that they need not.
	ListenPassword words.Secret
	// PeerPort is the port of the agents among themselves, and of the commands, over TCP and UDP.
	PeerPort uint16
	// TieBreakers are addresses of which a node of a pair must reach one; none for no such demand.
	TieBreakers []netip.Addr
	// Nodes are the voters: 3, 5 or 7, or the two of a pair, in the file's order, with names and addresses that occur once.
	Nodes []Node
	// Groups are in the file's order, with names that occur once.
	Groups []Group
	// Warnings are what is allowed and yet worth a sentence, in the file's order.
	Warnings []Problem
}

// Node is one host with an agent.
type Node struct {
	Name words.Node
	Addr netip.Addr
}

// Group is one master and its replicas.
type Group struct {
	Name   words.Group
	Server Server
	// Data are the nodes with a server of the group, in the order of Config.Nodes; the others are witnesses.
	Data []words.Node
	Gate Gate
	// GateExempt are local users (a name or a number) whose connections the gate lets through.
	GateExempt []string
	// VIPs are the group's virtual addresses: none, one, or one of each family, IPv4 first.
	VIPs []VIP
	// VRID is the number of a pair's virtual router, 1 to 255; 0 with more nodes.
	VRID uint8
	// Prefer is the node that is to be master where it can, "" for none, and Failback when it becomes that again; Window is its.
	Prefer   words.Node
	Failback Failback
	Window   Window
}

// Server is how a data node's own agent reaches its server of a group.
type Server struct {
	// Port is the TCP port without TLS, on every data node; 0 where there is TLS alone.
	Port uint16
	// TLS is how the servers use TLS.
	TLS TLS
	// Loopback is the address of the server for its own agent, if OnNode is false.
	Loopback netip.Addr
	// OnNode says that the server does not listen on the loopback: its agent uses the node's own address.
	OnNode bool
	// User and Password log in; an empty User is the server's default user, an empty Password is no login.
	User     string
	Password words.Secret
	// Rename maps a command's usual name, in capitals, to the one that the server knows.
	Rename map[string]string
}

// Addr returns where the agent of node self reaches its own server.
func (s Server) Addr(self Node) netip.AddrPort {
	addr, port := s.Loopback, s.Port
	if s.OnNode {
		addr = self.Addr
	}
	if s.TLS.Speaks() {
		port = s.TLS.Port
	}
	return netip.AddrPortFrom(addr, port)
}

// Ports are the TCP ports by which the server can be reached: the plain one and the one for TLS, as far as there are.
func (s Server) Ports() []uint16 {
	var ports []uint16
	for _, p := range []uint16{s.Port, s.TLS.Port} {
		if p != 0 {
			ports = append(ports, p)
		}
	}
	return ports
}

// LinkPort is the port by which the servers know each other, and that clients are told: where they replicate over TLS that
// one, as with redis-sentinel.
func (s Server) LinkPort() uint16 {
	if s.TLS.Replication {
		return s.TLS.Port
	}
	return s.Port
}

// Gate is how the kernel's packet filter is used for a group.
type Gate uint8

// The uses of the gate. The zero value is the default.
const (
	// GateOn shuts the group's ports wherever the lease is not held.
	GateOn Gate = iota
	// GateWatch counts what GateOn would have refused, and refuses nothing.
	GateWatch
	// GateOff leaves the packet filter alone: the fence is as good as the agent's speed.
	GateOff
)

// String returns the file's word.
func (g Gate) String() string {
	switch g {
	case GateWatch:
		return "watch"
	case GateOff:
		return "off"
	default:
		return "on"
	}
}

// Node returns the node of that name, and whether the file has it.
func (c *Config) Node(name words.Node) (Node, bool) {
	for _, n := range c.Nodes {
		if n.Name == name {
			return n, true
		}
	}
	return Node{}, false
}

// Group returns the group of that name, and whether the file has it.
func (c *Config) Group(name words.Group) (Group, bool) {
	for _, g := range c.Groups {
		if g.Name == name {
			return g, true
		}
	}
	return Group{}, false
}

// Majority returns how many voters it takes to elect and to grant.
func (c *Config) Majority() int { return len(c.Nodes)/2 + 1 }

// HasData reports whether the node has a server of the group; otherwise it is a witness.
func (g Group) HasData(name words.Node) bool {
	return slices.Contains(g.Data, name)
}
