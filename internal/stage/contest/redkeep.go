package contest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"redkeep/internal/act/peer"
	"redkeep/internal/client"
	"redkeep/internal/picture"
	"redkeep/internal/stage"
	"redkeep/internal/stage/writer"
	"redkeep/internal/words"
)

const (
	secret = "a-secret-of-the-contest"
	// peerPort is the agents' default port for commands.
	peerPort = 26380
)

// Redkeep is Redkeep with the README's configuration and a lease of its own. With vip it moves a virtual address, which
// clients use, as the others' recipes do; without they ask its Sentinel face.
func Redkeep(name, binary string, lease time.Duration, vip bool, faults []string) Contender {
	about := "clients ask its Sentinel face"
	if vip {
		about = "clients use its VIP"
	}
	return Contender{
		Name:   name,
		About:  fmt.Sprintf("lease %v, down_after 1s, three voters; %s", lease, about),
		Faults: faults,
		Enter: func(_ context.Context, s *Site) (Keeper, error) {
			r := &Agents{site: s, vip: vip}
			return r, r.start(binary, lease)
		},
	}
}

// Agents is Redkeep at work.
type Agents struct {
	site *Site
	vip  bool
	// Procs are the agents, in the order of the hosts.
	Procs []*stage.Process
}

func (a *Agents) start(binary string, lease time.Duration) error {
	file := filepath.Join(a.site.Dir(), "redkeep.yaml")
	if err := os.WriteFile(file, []byte(a.config(lease)), 0o600); err != nil {
		return err
	}
	for _, h := range a.site.Hosts() {
		p, err := h.Start(stage.Command{
			Name: "redkeep", Path: binary,
			Args: []string{"run", "-c", file, "--node", h.Name(), "--state-dir", filepath.Join(h.Dir(), "state")},
		})
		if err != nil {
			return err
		}
		a.Procs = append(a.Procs, p)
	}
	return nil
}

func (a *Agents) config(lease time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "secret: %s\nlease: %v\ndown_after: 1s\nnodes:\n", secret, lease)
	for _, h := range a.site.Hosts() {
		fmt.Fprintf(&b, "  %s: %s\n", h.Name(), h.Addr())
	}
	fmt.Fprintf(&b, "groups:\n  %s:\n    redis: %d\n", group, stage.DefaultPort)
	if a.vip {
		fmt.Fprintf(&b, "    vip: %s\n", stage.VIP)
	}
	return b.String()
}

func (a *Agents) Ready(ctx context.Context) bool {
	h := a.site.Victim().Host()
	ready := false
	err := a.ask(ctx, h, func(ctx context.Context, c *client.Client) error {
		node, err := c.Status(ctx)
		if g, ok := node.Group(group); err == nil && ok {
			ready = g.State == picture.StateHolder && g.Writable && g.Ready && inSync(g)
		}
		return err
	})
	return err == nil && ready
}

func inSync(g picture.Group) bool {
	for _, m := range g.Members {
		if m.Data && m.Node != g.Self && !m.InSync {
			return false
		}
	}
	return true
}

// ask connects to a host's agent from its own host, as the command line does.
func (a *Agents) ask(ctx context.Context, h *stage.Host, f func(context.Context, *client.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var conn *peer.Conn
	var err error
	if gone := h.Do(func() {
		conn, err = peer.Dial(ctx, h.Port(peerPort).String(), []byte(secret), peer.CommandLine)
	}); gone != nil {
		return gone
	}
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return f(ctx, client.New(conn))
}

// Finder is how the clients find the master.
func (a *Agents) Finder() writer.Finder {
	if a.vip {
		return atVIP()
	}
	return a.site.FindBySentinel(group)
}

func (a *Agents) Switchover(ctx context.Context) error {
	return a.ask(ctx, a.site.Victim().Host(), func(ctx context.Context, c *client.Client) error {
		return c.Switchover(ctx, words.Group(group), "", func(string) {})
	})
}
