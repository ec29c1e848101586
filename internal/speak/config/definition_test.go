package config

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"redkeep/internal/words"
)

func orders() Group {
	return Group{Name: "orders", Server: Server{Port: 6379}, Data: []words.Node{"node-a", "node-b"}}
}

// TestDigestIsStable holds the digest of one definition against the value that earlier versions computed, since agents
// of two versions compare theirs during a rolling upgrade.
func TestDigestIsStable(t *testing.T) {
	d := threeNodes().Definition(orders())
	const text = `redkeep group definition 1
group: orders
voters: node-a=10.0.0.1 node-b=10.0.0.2 node-c=fd00::3
data: node-a node-b
server port: 6379
listen_port: 26379
peer_port: 26380
vip: none
`
	if diff := cmp.Diff(text, d.String()); diff != "" {
		t.Error(diff)
	}
	if got := d.Digest().String(); got != "aae0a82470b2" {
		t.Errorf("digest is %s", got)
	}
}

// TestDigestCoversTheDefinition changes one thing at a time.
func TestDigestCoversTheDefinition(t *testing.T) {
	base := threeNodes().Definition(orders())
	for want, change := range map[string]func(c *Config, g *Group){
		"voters: node-a=10.0.0.9 node-b=10.0.0.2 node-c=fd00::3 here, node-a=10.0.0.1 node-b=10.0.0.2 node-c=fd00::3 there": func(c *Config, _ *Group) {
			c.Nodes[0].Addr = netip.MustParseAddr("10.0.0.9")
		},
		"data: node-a here, node-a node-b there": func(_ *Config, g *Group) { g.Data = g.Data[:1] },
		"server port: 6380 here, 6379 there":     func(_ *Config, g *Group) { g.Server.Port = 6380 },
		"listen_port: 1 here, 26379 there":       func(c *Config, _ *Group) { c.ListenPort = 1 },
		"peer_port: 1 here, 26380 there":         func(c *Config, _ *Group) { c.PeerPort = 1 },
		"tls port: 6380 here, none there":        func(_ *Config, g *Group) { g.Server.TLS = TLS{Port: 6380} },
		"tls port: 6380, for replication too here, none there": func(_ *Config, g *Group) {
			g.Server.TLS = TLS{Port: 6380, Replication: true}
		},
		"vip: 10.0.0.100 here, none there": func(_ *Config, g *Group) { g.VIPs = []VIP{{Addr: netip.MustParseAddr("10.0.0.100")}} },
	} {
		c, g := threeNodes(), orders()
		change(c, &g)
		changed := c.Definition(g)
		if changed.Digest() == base.Digest() {
			t.Errorf("the digest does not cover: %s", want)
		}
		if diff := cmp.Diff([]string{want}, Diff(changed.Lines(), base.Lines())); diff != "" {
			t.Error(diff)
		}
	}
}

// TestDigestIgnoresTheRest lets a rolling edit of other values, or of the order of lines, pass unnoticed.
func TestDigestIgnoresTheRest(t *testing.T) {
	c, g := threeNodes(), orders()
	c.Lease, g.Gate, g.Server.Password = MaxLease, GateOff, words.NewSecret("another")
	slices.Reverse(c.Nodes)
	slices.Reverse(g.Data)
	if c.Definition(g).Digest() != threeNodes().Definition(orders()).Digest() {
		t.Error("the digest covers more than the definition")
	}
	if c.Nodes[0].Name != "node-c" || g.Data[0] != "node-b" {
		t.Error("Definition sorted the caller's own lists")
	}
}
