package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage/clock"
	"redkeep/internal/words"
)

// TestRulesetFlushed has another program flush the master's whole ruleset again and again, under load, as a firewall's
// reload does. The gate comes back, or never goes; nobody is disturbed, and status says who it was. A table that has no owner
// (kernels before 6.9 make none, and a person's stays as it is) goes each time.
func TestRulesetFlushed(t *testing.T) {
	for name, plan := range map[string]Plan{"owned": {}, "unowned": {}, "unowned IPv6": {IPv6: true}} {
		t.Run(name, func(t *testing.T) {
			s := bareSite(t, plan)
			if name != "owned" {
				s.disown()
			}
			s.startServers()
			s.startAgents()
			w := s.settled()
			m := s.awaitReady(10 * time.Second)
			at := clock.Now()
			for range 10 {
				s.run(m, "nft", "flush", "ruleset")
				time.Sleep(100 * time.Millisecond)
			}
			n := &numbers{name: "flushed 10 times"}
			s.bound("a disturbance by flushes", s.measure(w, at, n).Length(), restoredBar)
			s.run(m, "nft", "list", "table", "inet", "redkeep")
			g, err := s.status(m)
			s.must(err)
			t.Logf("%v; fence %s: %s", n, g.Fence, g.FenceWhy)
			s.kept(m)
			s.lossless(w)
		})
	}
}

// disown makes the gate's tables before the agents do, as a person might: they have no owner then, and never get one.
func (s *Site) disown() {
	s.t.Helper()
	for _, h := range s.plan.Hosts {
		s.run(h, "nft", "add table inet redkeep; add table arp redkeep")
	}
}

// TestForeignCommit has another program commit a set of 100,000 elements to the master's packet filter, and delete it, which
// takes the kernel's lock for as long as an arming of the gate may have to wait. A lease that is shorter than that can be lost.
func TestForeignCommit(t *testing.T) {
	const elements = 100_000
	for _, lease := range []time.Duration{time.Second, 200 * time.Millisecond} {
		t.Run(lease.String(), func(t *testing.T) {
			s := newSite(t, Plan{Lease: lease})
			w := s.settled()
			file := filepath.Join(s.Dir(), "foreign.nft")
			s.must(os.WriteFile(file, []byte(foreignSet(elements)), 0o600))
			n, held := &numbers{name: "a foreign commit of 100,000 elements"}, time.Duration(0)
			for range runs(1, 10) {
				m := s.awaitReady(10 * time.Second)
				for _, args := range [][]string{{"-f", file}, {"delete table inet foreign"}} {
					at := clock.Now()
					s.run(m, "nft", args...)
					took := clock.Now().Sub(at)
					held = max(held, took)
					time.Sleep(lease)
					s.awaitWrites(w, 5*time.Second)
					gap := s.measure(w, at, n).Length()
					t.Logf("nft %s took %v, write gap %v", args[0], took, gap)
					s.bound("a disturbance by a foreign commit", gap, 100*time.Millisecond)
				}
				if now := s.awaitReady(10 * time.Second); now != m {
					t.Logf("%s was master, now it is %s", m, now)
					if held < lease/2 {
						t.Errorf("a foreign commit of %v at most cost %s its lease of %v", held, m, lease)
					}
				}
			}
			t.Log(n)
			s.lossless(w)
		})
	}
}

// foreignSet is a set of another program.
func foreignSet(elements int) string {
	var b strings.Builder
	b.WriteString("add table inet foreign\nadd set inet foreign big { type ipv4_addr; }\nadd element inet foreign big {")
	for i := range elements {
		fmt.Fprintf(&b, "100.%d.%d.%d,", 64+i>>16, i>>8&255, i&255)
	}
	b.WriteString("}\n")
	return b.String()
}

// TestRulesetFlushedOnIsland flushes the ruleset of a master that is cut off and whose lease has ended: what it might
// acknowledge before the gate is back would be a second master's.
func TestRulesetFlushedOnIsland(t *testing.T) {
	s := newSite(t, Plan{})
	w := s.write()
	m := s.awaitReady(10 * time.Second)
	for _, o := range s.others(m) {
		s.must(s.CutBetween(m, o))
	}
	s.await(10*time.Second, "another master", func() bool { n, ok := s.master(); return ok && string(n) != m })
	for range 10 {
		s.run(m, "nft", "flush", "ruleset")
		time.Sleep(50 * time.Millisecond)
	}
	g, err := s.status(m)
	s.must(err)
	t.Logf("fence %s: %s", g.Fence, g.FenceWhy)
	if g.Fence == words.FenceHard && g.FenceWhy == "" {
		t.Log("the gate never went: its table is owned")
	}
	s.must(s.HealAll())
	s.await(10*time.Second, m+" as a replica", func() bool { return s.linkUp(m) })
	w.Stop()
}
