package lab

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"redkeep/internal/client"
	"redkeep/internal/picture"
	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/writer"
	"redkeep/internal/words"
)

// carts is a second group, on the same hosts, with servers and an address of its own.
const (
	carts      = words.Group("carts")
	cartsPort  = 6380
	cartsLines = "    prefer: h1\n    failback: synced\n  carts:\n    redis: 6380\n    vip: 10.77.0.101\n    prefer: h2\n    failback: synced\n"
)

var cartsVIP = netip.AddrPortFrom(netip.MustParseAddr("10.77.0.101"), cartsPort)

// mutual is a site of two groups whose preferences are crossed.
type mutual struct {
	*Site
	carts map[string]*stage.Redis
}

// mutualSite starts it with either group on the host that it prefers.
func mutualSite(t *testing.T) *mutual {
	t.Helper()
	s := &mutual{bareSite(t, Plan{Hosts: []string{"h1", "h2"}, AppendOnly: true, Extra: cartsLines}), map[string]*stage.Redis{}}
	s.startServers()
	for _, h := range []string{"h2", "h1"} {
		c := stage.RedisConfig{Port: cartsPort, AppendOnly: true}
		if h == "h1" {
			c.ReplicaOf = s.Host("h2").Port(cartsPort)
		}
		r, err := s.Host(h).StartRedis(t.Context(), c)
		s.must(err)
		s.carts[h] = r
	}
	s.startAgents()
	s.rest("h1", "h2")
	s.probe()
	return s
}

// keeper is the node that says of itself that it is the group's writable master, with everybody in sync if it must be.
func (s *mutual) keeper(g words.Group, ready bool) string {
	for _, h := range s.plan.Hosts {
		ctx, cancel := context.WithTimeout(s.t.Context(), time.Second)
		var is bool
		_ = s.ask(ctx, h, func(c *client.Client) error { // one that does not answer keeps nothing
			n, err := c.Status(ctx)
			if one, ok := n.Group(g); err == nil && ok {
				is = one.State == picture.StateHolder && one.Writable && (one.Ready || !ready)
			}
			return err
		})
		cancel()
		if is {
			return h
		}
	}
	return ""
}

// rest waits until the groups are where they should be, and could fail over.
func (s *mutual) rest(orders, other string) {
	s.t.Helper()
	s.await(30*time.Second, "orders on "+orders+" and carts on "+other, func() bool {
		return s.keeper(group, true) == orders && s.keeper(carts, true) == other
	})
}

// writeCarts starts an application of the second group.
func (s *mutual) writeCarts() *writer.Writer {
	s.t.Helper()
	w, err := s.WriteFixed(s.t.Context(), cartsVIP, writer.Options{Interval: 2 * time.Millisecond, Name: "carts"})
	s.must(err)
	s.t.Cleanup(func() { w.Stop() })
	return w
}

// lostOf stops a group's application and reads back what it was told.
func (s *mutual) lostOf(w *writer.Writer, g words.Group, port uint16) int {
	s.t.Helper()
	w.Stop()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	report, err := w.Audit(ctx, s.Host(s.keeper(g, false)).Port(port))
	s.must(err)
	s.t.Logf("%s: %v", g, report)
	return report.Lost()
}

// TestPairMutualBackup is two groups on two hosts, each preferring another: a host's loss puts both on the other one, and its return
// brings its own back, with no acknowledged write lost.
func TestPairMutualBackup(t *testing.T) {
	s := mutualSite(t)
	for i, h := range []string{"h1", "h2"} {
		o := s.others(h)[0]
		s.rest("h1", "h2")
		time.Sleep(freshCopy)
		w := []*writer.Writer{s.write(), s.writeCarts()}
		at := s.powerOff(h)
		s.await(10*time.Second, "both groups on "+o, func() bool { return s.keeper(group, false) == o && s.keeper(carts, false) == o })
		for _, one := range w {
			s.awaitWrites(one, 5*time.Second)
			one.Stop() // what was on its way when the power went is another test's
		}
		n := &numbers{name: "mutual backup, " + h + " lost"}
		s.measure(w[i], at, n)
		t.Log(n)

		w = []*writer.Writer{s.write(), s.writeCarts()}
		s.awaitWrites(w[i], 5*time.Second)
		back := clock.Now()
		s.powerOn(h)
		s.shutGate(h)
		s.startServer(h)
		s.must(s.carts[h].Start(t.Context()))
		s.startAgent(h)
		s.rest("h1", "h2")
		s.awaitWrites(w[i], 5*time.Second)
		n = &numbers{name: "mutual backup, " + h + " returns"}
		s.bound(n.name, s.measure(w[i], back, n).Length(), 50*time.Millisecond)
		t.Log(n)
		if lost := s.lostOf(w[0], group, stage.DefaultPort) + s.lostOf(w[1], carts, cartsPort); lost > 0 {
			t.Errorf("%d acknowledged writes are lost by the return of %s", lost, h)
		}
	}
}
