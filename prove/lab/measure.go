package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"redkeep/internal/client"
	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/wire"
	"redkeep/internal/stage/writer"
	"redkeep/internal/words"
)

// disturbed is the stall of the machine from which on a measurement is counted and left out.
const disturbed = 15 * time.Millisecond

// numbers are the measurements of one fault, repeated.
type numbers struct {
	name    string
	list    []time.Duration
	leftOut int
}

// add takes a measurement and the machine's worst stall meanwhile.
func (n *numbers) add(d, stall time.Duration) {
	if stall > disturbed {
		n.leftOut++
		return
	}
	n.list = append(n.list, d)
}

// String prints the median, the quartiles and the worst.
func (n *numbers) String() string {
	if len(n.list) == 0 {
		return fmt.Sprintf("%s: nothing measured, %d disturbed", n.name, n.leftOut)
	}
	slices.Sort(n.list)
	at := func(share float64) time.Duration {
		return n.list[int(share*float64(len(n.list)-1)+0.5)].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("%s: median %v of %d (quartiles %v, %v; worst %v), %d disturbed",
		n.name, at(0.5), len(n.list), at(0.25), at(0.75), at(1), n.leftOut)
}

// measure adds the longest time without an acknowledgement from a fault until now to the numbers.
func (s *Site) measure(w *writer.Writer, from clock.Instant, n *numbers) writer.Gap {
	s.t.Helper()
	to := clock.Now()
	g := writer.Longest(w.Writes(), from, to)
	if g.Open {
		s.t.Errorf("no write was acknowledged for %v", g.Length())
	}
	n.add(g.Length(), s.watch.Worst(from, g.To))
	s.sayWhy(w, g)
	return g
}

// sayWhy marks what a client was told in a gap that is longer than a failover, for the log of a test that fails.
func (s *Site) sayWhy(w *writer.Writer, g writer.Gap) {
	if g.Length() < 50*time.Millisecond {
		return
	}
	s.mark("a gap from %v to %v", s.wall(g.From), s.wall(g.To))
	for _, write := range w.Writes() {
		if !write.OK() && write.Sent >= g.From && write.Sent <= g.To {
			s.mark("%s was asked at %v: %s", s.nodeAt(write), s.wall(write.Sent), write.Err)
		}
	}
}

// wall prints an instant as the logs do.
func (s *Site) wall(at clock.Instant) string {
	return time.Unix(0, int64(at-s.boot)).UTC().Format("15:04:05.000")
}

// settled starts the application and waits until the group is as it is in daily work: every voter votes again after its
// first start, and each replica has been sent something since its full copy.
func (s *Site) settled() *writer.Writer {
	s.t.Helper()
	w := s.write()
	time.Sleep(s.plan.Lease + time.Second)
	s.awaitReady(10 * time.Second)
	return w
}

// bound fails a test where something took so long that no slow machine explains it: twenty times what it should, or two seconds more,
// which is sooner where it should take long. A machine that itself stood still meanwhile has twenty times that on top. What waited for it
// must have waited for longer than this, or it ends the test first.
func (s *Site) bound(what string, d, most time.Duration) {
	s.t.Helper()
	now := clock.Now()
	excuse := excused(s.watch, now.Add(-2*d-time.Second)) // a gap may have ended some time ago
	if d > min(20*most, most+2*time.Second)+excuse {
		s.t.Errorf("%s took %v; expected are %v, and a machine that stood still excuses %v", what, d, most, excuse)
	}
}

// excused is how much longer something may have taken since an instant for the machine's sake: what waits does so for several
// programs in a row, each of which may have stood still.
func excused(w *clock.Watcher, since clock.Instant) time.Duration {
	return 20 * w.Worst(since, clock.Now())
}

// acks returns how many writes were acknowledged since.
func acks(w *writer.Writer, since clock.Instant) int {
	count := 0
	for _, write := range slices.Backward(w.Writes()) {
		if write.OK() && write.Sent < since {
			break
		}
		if write.OK() && write.Sent >= since {
			count++
		}
	}
	return count
}

// awaitWrites waits until the writer has been served again.
func (s *Site) awaitWrites(w *writer.Writer, within time.Duration) {
	s.t.Helper()
	since := clock.Now()
	s.await(within, "acknowledged write", func() bool { return acks(w, since) >= 20 })
}

// lastAcker is the node that acknowledged last.
func (s *Site) lastAcker(w *writer.Writer) string {
	for _, write := range slices.Backward(w.Writes()) {
		if write.OK() {
			return s.nodeAt(write)
		}
	}
	return ""
}

// firstAfter is how long after an instant the first write was acknowledged.
func (s *Site) firstAfter(w *writer.Writer, at clock.Instant) time.Duration {
	s.t.Helper()
	for _, write := range w.Writes() {
		if write.OK() && write.Acked >= at {
			return write.Acked.Sub(at)
		}
	}
	s.t.Fatal("no write was acknowledged")
	return 0
}

// lossless stops the writer and reads every acknowledged write back from the master.
func (s *Site) lossless(w *writer.Writer) {
	s.t.Helper()
	if lost := s.lost(w); lost > 0 {
		s.t.Errorf("%d acknowledged writes are lost", lost)
	}
}

// nearlyLossless is lossless for a slot that ran out under the server, and for a server that was killed or whose host was lost. Redis may answer a client before it
// sends the same write to its replicas, some microseconds later in the same turn; stopped between the two, by the gate or by a signal, it
// does neither. So each fault may cost one write; more would be another cause. Of some 100,000 writes under kills one was lost like that.
func (s *Site) nearlyLossless(w *writer.Writer, faults int) {
	s.t.Helper()
	lost := s.lost(w)
	s.t.Logf("%d acknowledged writes lost in %d faults", lost, faults)
	if lost > faults {
		s.t.Errorf("%d acknowledged writes are lost", lost)
	}
}

// lost stops the writer and counts the acknowledged writes that the master does not have.
func (s *Site) lost(w *writer.Writer) int {
	s.t.Helper()
	w.Stop()
	m := s.awaitMaster(15 * time.Second)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	report, err := w.Audit(ctx, s.Host(m).Port(stage.DefaultPort))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Log(report)
	return report.Lost()
}

// dial connects a client to a node's server.
func (s *Site) dial(h string) *wire.Conn {
	s.t.Helper()
	conn, err := wire.Dial(context.Background(), s.Client().Dial, s.redisAt(h), time.Second)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(conn.Close)
	return conn
}

func (s *Site) redisAt(h string) netip.AddrPort { return s.Host(h).Port(stage.DefaultPort) }

// others are the data nodes but one.
func (s *Site) others(h string) []string {
	return slices.DeleteFunc(slices.Clone(s.plan.Data), func(o string) bool { return o == h })
}

// epoch is the epoch in which a node holds the lease; 0 where it does not.
func (s *Site) epoch(h string) words.Epoch {
	g, err := s.status(h)
	if err != nil || string(g.Master) != h {
		return 0
	}
	return g.Epoch
}

// freezeAgent stops a node's agent (SIGSTOP); thawAgent continues it.
func (s *Site) freezeAgent(h string) {
	s.t.Helper()
	s.frozen = append(s.frozen, quiet{node: h, from: clock.Now(), to: never})
	if err := s.agents[h].Freeze(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Site) thawAgent(h string) {
	s.t.Helper()
	if err := s.agents[h].Thaw(); err != nil {
		s.t.Fatal(err)
	}
	s.frozen[len(s.frozen)-1].to = clock.Now()
}

// switchover asks a node's agent for one.
func (s *Site) switchover(h, to string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	return s.ask(ctx, h, func(c *client.Client) error {
		return c.Switchover(ctx, group, words.Node(to), func(string) {})
	})
}

// readers starts clients of each host's server that connect anew for each read.
func (s *Site) readers(hosts ...string) map[string]*crowd {
	all := map[string]*crowd{}
	for _, h := range hosts {
		all[h] = s.crowd(h, 2, "GET", "a-key-to-read")
	}
	return all
}

// unrefused ends the clients, and fails the test if any was refused.
func (s *Site) unrefused(all map[string]*crowd) {
	s.t.Helper()
	for h, c := range all {
		served, failed := c.stop()
		s.t.Logf("%s: %d of %d connections refused", h, len(failed), served+len(failed))
		if len(failed) > 0 {
			s.t.Errorf("%s refused, first: %s", h, failed[0])
		}
	}
}

// must ends the test with the first error.
func (s *Site) must(errs ...error) {
	s.t.Helper()
	if err := errors.Join(errs...); err != nil {
		s.t.Fatal(err)
	}
}
