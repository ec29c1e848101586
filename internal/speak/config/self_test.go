package config

import (
	"net/netip"
	"strings"
	"testing"

	"redkeep/internal/words"
)

func threeNodes() *Config {
	return &Config{ListenPort: 26379, PeerPort: 26380, Nodes: []Node{
		{"node-a", netip.MustParseAddr("10.0.0.1")},
		{"node-b", netip.MustParseAddr("10.0.0.2")},
		{"node-c", netip.MustParseAddr("fd00::3")},
	}}
}

// TestSelf finds the node by name or by address, and says what to do where it can't.
func TestSelf(t *testing.T) {
	for _, test := range []struct {
		name, addrs string
		want        words.Node
		err         string
	}{
		{"", "127.0.0.1 10.0.0.2 192.168.0.1", "node-b", ""},
		{"", "::ffff:10.0.0.1", "node-a", ""},
		{"", "fd00::3%eth0", "node-c", ""},
		{"node-c", "10.0.0.1", "node-c", ""},
		{"", "10.0.0.9", "", "has none of the file's addresses (node-a 10.0.0.1, node-b 10.0.0.2, node-c fd00::3)"},
		{"", "", "", "--node"},
		{"", "10.0.0.1 10.0.0.2", "", "has the addresses of node-a and node-b; say which one it is with --node"},
		{"node-d", "", "", "did you mean --node node-a?"},
		{"x", "", "", "use one of node-a, node-b, node-c"},
	} {
		var addrs []netip.Addr
		for a := range strings.FieldsSeq(test.addrs) {
			addrs = append(addrs, netip.MustParseAddr(a))
		}
		got, err := threeNodes().Self(test.name, addrs)
		if got.Name != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("Self(%q, %s) = %v, %v", test.name, test.addrs, got.Name, err)
		}
	}
}
