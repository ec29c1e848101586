package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"redkeep/internal/words"
)

// Definition is the part of a group that all of its agents must agree on. What is not in it (lease, budgets, passwords,
// the gate's use) may differ for a while, as during a rolling edit, without harm.
type Definition struct {
	Group words.Group
	// Voters and Data are sorted by name, so that the order in the file does not matter.
	Voters []Node
	Data   []words.Node
	// ServerPort, ListenPort and PeerPort are the ports that the group's clients and agents use.
	ServerPort, ListenPort, PeerPort uint16
	// TLSPort is the servers' port for TLS, 0 for none; TLSReplication says that they follow each other there.
	TLSPort        uint16
	TLSReplication bool
	// VRID is a pair's, 0 with more nodes.
	VRID uint8
	// VIPs are sorted; which device carries them is each host's own business.
	VIPs []netip.Addr
}

// Digest is a short name for a Definition: equal definitions have equal ones, and only they.
type Digest [16]byte

// String returns the first 12 hex characters, enough for people to compare.
func (d Digest) String() string { return hex.EncodeToString(d[:6]) }

// Definition returns what the agents compare of a group.
func (c *Config) Definition(g Group) Definition {
	d := Definition{
		Group: g.Name, Voters: slices.Clone(c.Nodes), Data: slices.Clone(g.Data),
		ServerPort: g.Server.Port, ListenPort: c.ListenPort, PeerPort: c.PeerPort,
		TLSPort: g.Server.TLS.Port, TLSReplication: g.Server.TLS.Replication, VIPs: g.Addresses(), VRID: g.VRID,
	}
	slices.SortFunc(d.Voters, func(a, b Node) int { return cmp.Compare(a.Name, b.Name) })
	slices.Sort(d.Data)
	return d
}

// Lines returns the definition as one labelled line for each thing that may differ, in a fixed order.
func (d Definition) Lines() []string {
	voters := make([]string, len(d.Voters))
	for i, v := range d.Voters {
		voters[i] = fmt.Sprintf("%s=%s", v.Name, v.Addr)
	}
	data := make([]string, len(d.Data))
	for i, n := range d.Data {
		data[i] = string(n)
	}
	vips := make([]string, len(d.VIPs))
	for i, v := range d.VIPs {
		vips[i] = v.String()
	}
	if len(vips) == 0 {
		vips = []string{"none"}
	}
	lines := []string{
		"group: " + string(d.Group),
		"voters: " + strings.Join(voters, " "),
		"data: " + strings.Join(data, " "),
		fmt.Sprintf("server port: %d", d.ServerPort),
		fmt.Sprintf("listen_port: %d", d.ListenPort),
		fmt.Sprintf("peer_port: %d", d.PeerPort),
		"vip: " + strings.Join(vips, " "),
		"tls port: " + d.tls(),
	}
	if d.VRID != 0 {
		lines = slices.Insert(lines, len(lines)-1, fmt.Sprintf("vrid: %d", d.VRID))
	}
	return lines
}

// noTLS is the line of a group without TLS. It is not part of the text, whose digest is older than the line.
const noTLS = "none"

func (d Definition) tls() string {
	switch {
	case d.TLSPort == 0:
		return noTLS
	case d.TLSReplication:
		return fmt.Sprintf("%d, for replication too", d.TLSPort)
	default:
		return fmt.Sprint(d.TLSPort)
	}
}

// String returns the canonical text, which Digest hashes. Its first line is the version of the text itself.
func (d Definition) String() string {
	lines := d.Lines()
	if d.tls() == noTLS {
		lines = lines[:len(lines)-1]
	}
	return "redkeep group definition 1\n" + strings.Join(lines, "\n") + "\n"
}

// Digest returns the definition's short name. It depends on nothing but the definition, on every version and machine.
func (d Definition) Digest() Digest {
	sum := sha256.Sum256([]byte(d.String()))
	return Digest(sum[:len(Digest{})])
}

// Diff says in words what differs between the lines of two agents, mine first; it is empty if nothing does. A line that one of
// them does not know, being of another release, is left out.
func Diff(mine, theirs []string) []string {
	there := map[string]string{}
	for _, line := range theirs {
		label, value, _ := strings.Cut(line, ": ")
		there[label] = value
	}
	var differences []string
	for _, line := range mine {
		label, value, _ := strings.Cut(line, ": ")
		if other, known := there[label]; known && other != value {
			differences = append(differences, fmt.Sprintf("%s: %s here, %s there", label, value, other))
		}
	}
	return differences
}
