package contest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"redkeep/internal/client"
	"redkeep/internal/stage"
	"redkeep/internal/stage/agents"
	"redkeep/internal/stage/writer"
	"redkeep/internal/words"
)

const secret = "a-secret-of-the-contest"

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

// Pair is Redkeep on two hosts, where the segment between them votes: VRRP's silence decides that the other one is gone.
func Pair(name, binary string, lease time.Duration, faults []string) Contender {
	c := Redkeep(name, binary, lease, true, faults)
	c.About = fmt.Sprintf("two hosts and no witness, lease %v, which advertises each 0.34 of it; clients use its VIP", lease)
	c.Hosts, c.Advertises = pairHosts, lease*34/100
	return c
}

var pairHosts = []string{"h1", "h2"}

// Agents is Redkeep at work.
type Agents struct {
	site *Site
	vip  bool
	// program and file are what an agent is started with.
	program, file string
	// Procs are the agents, in the order of the hosts.
	Procs []*stage.Process
}

func (a *Agents) start(binary string, lease time.Duration) error {
	a.program, a.file = binary, filepath.Join(a.site.Dir(), "redkeep.yaml")
	if err := os.WriteFile(a.file, []byte(a.config(lease)), 0o600); err != nil {
		return err
	}
	for _, h := range a.site.Hosts() {
		p, err := agents.Start(h, a.program, a.file, nil)
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
	if a.site.preferred {
		fmt.Fprintf(&b, "    prefer: %s\n", a.site.Victim().Host().Name())
	}
	return b.String()
}

func (a *Agents) agent() *stage.Process { return a.Procs[0] }

func (a *Agents) startAgent() (err error) {
	a.Procs[0], err = agents.Start(a.site.Victim().Host(), a.program, a.file, nil)
	return err
}

// Ready reports whether the first host's agent holds the lease, with every replica in sync.
func (a *Agents) Ready(ctx context.Context) bool {
	g, err := agents.Status(ctx, a.site.Victim().Host(), secret, group)
	return err == nil && agents.Whole(g)
}

// Finder is how the clients find the master.
func (a *Agents) Finder() writer.Finder {
	if a.vip {
		return atVIP()
	}
	return a.site.FindBySentinel(group)
}

// Switchover asks the master's agent.
func (a *Agents) Switchover(ctx context.Context) error {
	return agents.Ask(ctx, a.site.Victim().Host(), secret, func(ctx context.Context, c *client.Client) error {
		return c.Switchover(ctx, words.Group(group), "", func(string) {})
	})
}
