package sentinel

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// chaos does to a world what a bad week does, and holds what must be so whatever happens.
type chaos struct {
	*world
	// leaders are who was elected in an epoch, masters where an epoch's configuration says that the master is.
	leaders map[uint64]string
	masters map[uint64]int
	// seen is the highest configuration epoch that a life of a member has known, and read how many of its events were looked at.
	seen map[*member]uint64
	read map[*member]int
	life map[*member]*Machine
	// stood is the epoch of a member's last failover.
	stood map[*member]uint64
	told  []string
	bad   string
}

// rule is what has been broken; the first counts.
func (c *chaos) rule(format string, args ...any) {
	if c.bad == "" {
		c.bad = fmt.Sprintf("at %v: ", c.now) + fmt.Sprintf(format, args...)
	}
}

// look is called after each step of a member.
func (c *chaos) look(b *member) {
	g := b.ofGroup()
	if g == nil {
		return
	}
	if c.life[b] != b.m {
		c.life[b], c.seen[b] = b.m, 0
	}
	for _, e := range b.events[c.read[b]:] {
		c.told = append(c.told, fmt.Sprintf("%v %s %s", c.now, b.name, e))
		if strings.HasPrefix(e, "+elected-leader") {
			if other := c.leaders[c.stood[b]]; other != "" && other != b.name {
				c.rule("%s and %s lead in epoch %d", b.name, other, c.stood[b])
			}
			c.leaders[c.stood[b]] = b.name
		}
	}
	if g.failover.under() {
		c.stood[b] = g.failover.epoch
	}
	c.read[b] = len(b.events)
	if g.configEpoch < c.seen[b] {
		c.rule("the configuration of %s goes from epoch %d to %d", b.name, c.seen[b], g.configEpoch)
	}
	c.seen[b] = g.configEpoch
	if b.m.currentEpoch < g.configEpoch {
		c.rule("%s is in epoch %d and has a configuration of %d", b.name, b.m.currentEpoch, g.configEpoch)
	}
	at := g.address().Port
	if was, known := c.masters[g.configEpoch]; known && was != at {
		c.rule("in epoch %d the master is at %d for %s, and was at %d for others", g.configEpoch, at, b.name, was)
	}
	c.masters[g.configEpoch] = at
}

// parted cuts two places off each other, or joins them again: then what was on its way is lost with its connection.
func (c *chaos) parted(b *member, port int, yes bool) {
	b.cut[port] = yes
	if !yes {
		b.reset(port)
	}
	if other := c.peer(port); other != nil {
		other.cut[b.port] = yes
		if !yes {
			other.reset(b.port)
		}
	}
}

// strike does one thing to somebody.
func (c *chaos) strike() {
	b := c.members[c.rand.IntN(len(c.members))]
	port := 1 + c.rand.IntN(len(c.servers))
	if c.rand.IntN(2) == 0 {
		port = c.members[c.rand.IntN(len(c.members))].port
	}
	server := c.servers[1+c.rand.IntN(len(c.servers))]
	switch c.rand.IntN(10) {
	case 0:
		if b.dead {
			b.start()
		} else {
			b.kill()
		}
	case 1, 2, 3:
		if port != b.port {
			c.parted(b, port, !b.cut[port])
		}
	case 4:
		for _, m := range c.members { // an island
			if m != b {
				c.parted(b, m.port, true)
			}
		}
	case 5, 6:
		if server.dead {
			server.dead = false
		} else {
			c.die(server.port)
		}
	case 7:
		if server.frozen {
			server.thaw()
		} else {
			server.frozen = true
		}
	case 8:
		b.failed, b.saving = c.rand.IntN(3) == 0, time.Duration(c.rand.IntN(300))*time.Millisecond
	case 9:
		// Always the same one, so that others remember the replicas that it forgets; and with a quorum that is a majority, since
		// who has forgotten the others counts a smaller one.
		if first := c.members[0]; !first.dead && first.ofGroup().quorum > len(c.members)/2 {
			first.step(Asked{Request: Reset{func(string) bool { return true }}})
		}
	}
}

// calm mends everything.
func (c *chaos) calm() {
	c.jitter = nil
	for port := range len(c.servers) {
		s := c.servers[port+1]
		s.dead = false
		s.thaw()
	}
	for _, b := range c.members {
		b.failed, b.saving = false, 2*time.Millisecond
		for _, port := range slices.Sorted(maps.Keys(b.cut)) {
			if b.cut[port] {
				c.parted(b, port, false)
			}
		}
		if b.dead {
			b.start()
		}
	}
}

// settled holds the end: one master, and all follow it.
func (c *chaos) settled() {
	at := c.members[0].master()
	for _, b := range c.members {
		if b.master() != at {
			c.rule("in the end %s has the master at %d, and %s at %d", c.members[0].name, at, b.name, b.master())
		}
		if n := len(b.ofGroup().sentinels); n != len(c.members)-1 {
			c.rule("in the end %s knows %d others", b.name, n)
		}
	}
	for port, s := range c.servers {
		if (port == at) != (s.follows == 0) || port != at && s.follows != at {
			c.rule("in the end %d follows %d, and the master is %d", port, s.follows, at)
		}
	}
}

func runChaos(t *testing.T, seed uint64) *chaos {
	r := rand.New(rand.NewPCG(seed, 7))
	n := []int{3, 3, 5}[r.IntN(3)]
	w := site(t, seed, 1+r.IntN(3), n, n/2+1-r.IntN(2))
	c := &chaos{
		world: w, leaders: map[uint64]string{}, masters: map[uint64]int{}, seen: map[*member]uint64{}, read: map[*member]int{},
		life: map[*member]*Machine{}, stood: map[*member]uint64{},
	}
	slow := time.Duration(r.IntN(200)+1) * time.Millisecond
	w.jitter = func() time.Duration {
		if w.rand.IntN(20) == 0 {
			return time.Duration(w.rand.Int64N(int64(10 * slow)))
		}
		return time.Duration(w.rand.Int64N(int64(slow)))
	}
	w.watch = c.look
	w.run(5 * time.Second)
	for range 40 {
		c.strike()
		w.run(time.Duration(w.rand.IntN(4000)) * time.Millisecond)
	}
	c.calm()
	w.run(2 * time.Minute)
	c.settled()
	return c
}

// TestChaos plays many bad weeks. A seed is a run.
func TestChaos(t *testing.T) {
	seeds := uint64(150)
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		if c := runChaos(t, seed); c.bad != "" {
			t.Errorf("seed %d: %s\n%s", seed, c.bad, strings.Join(c.told[max(0, len(c.told)-60):], "\n"))
			return
		}
	}
}
