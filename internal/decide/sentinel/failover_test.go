package sentinel

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// order is the order in which events of one member begin; those that are not asked for are left out.
func (b *member) order(prefixes ...string) (all []string) {
	for _, e := range b.events {
		for _, p := range prefixes {
			if strings.HasPrefix(e, p) {
				all = append(all, p)
			}
		}
	}
	return all
}

// leader is the member that has led.
func (w *world) leader() *member {
	w.t.Helper()
	i := slices.IndexFunc(w.members, func(b *member) bool { return b.heard("+elected-leader") > 0 })
	if i < 0 {
		for _, b := range w.members {
			b.dump()
		}
		w.t.Fatal("nobody has led")
	}
	return w.members[i]
}

func TestParallelSyncs(t *testing.T) {
	for _, at := range []int{1, 2, 3} {
		w := site(t, 21, 5, 3, 2)
		for _, b := range w.members {
			b.ofGroup().parallelSyncs = at
		}
		for _, s := range w.servers {
			s.syncing = 300 * time.Millisecond
		}
		w.run(12 * time.Second)
		most := 0
		w.watch = func(b *member) {
			busy := 0
			for _, r := range b.ofGroup().replicas {
				if r.reconf == reconfSent || r.reconf == reconfInProgress {
					busy++
				}
			}
			most = max(most, busy)
		}
		w.die(1)
		w.run(20 * time.Second)
		b := w.leader()
		if most != at {
			t.Errorf("parallel-syncs %d: %d at once", at, most)
		}
		if n := b.heard("+slave-reconf-done"); n != 4 {
			t.Errorf("parallel-syncs %d: %d are done\n%s", at, n, strings.Join(b.events, "\n"))
		}
	}
}

// TestAReplicaThatDoesNotFollow is left to the repair when its time is over, and holds up one place for as long.
func TestAReplicaThatDoesNotFollow(t *testing.T) {
	w := site(t, 22, 3, 3, 2)
	w.servers[2].prio = 1
	w.servers[3].deaf = true
	for _, b := range w.members {
		b.ofGroup().failoverTimeout = 30 * time.Second
	}
	w.run(12 * time.Second)
	w.die(1)
	w.run(20 * time.Second)
	b := w.leader()
	if b.heard("-slave-reconf-sent-timeout slave 10.0.0.1:3") != 1 || b.heard("+slave-reconf-done slave 10.0.0.1:4") != 1 {
		t.Errorf("the leader says\n%s", strings.Join(b.events, "\n"))
	}
	if b.heard("+failover-end-for-timeout") != 0 || b.heard("+failover-end ") != 1 || b.heard("+switch-master") != 1 {
		t.Errorf("the leader says\n%s", strings.Join(b.events, "\n"))
	}
	w.servers[3].deaf = false
	w.run(time.Minute)
	if w.servers[3].follows != 2 {
		t.Errorf("it follows %d still", w.servers[3].follows)
	}
}

// TestFailoverEndsInTime although a replica copies for long, and the rest are told as a last try.
func TestFailoverEndsInTime(t *testing.T) {
	w := site(t, 23, 3, 3, 2)
	w.servers[2].prio = 1
	w.servers[3].syncing, w.servers[4].syncing = time.Hour, time.Hour
	w.run(12 * time.Second)
	w.die(1)
	w.run(5 * time.Second)
	b := w.leader()
	for _, other := range w.members {
		if other != b {
			other.ofGroup().failoverTimeout = time.Hour // after which they would repair what the leader leaves
		}
	}
	w.run(7 * time.Second)
	got := slices.Compact(b.order("+slave-reconf-sent slave", "+failover-end-for-timeout", "+failover-end ", "+slave-reconf-sent-be", "+switch-master"))
	want := []string{"+slave-reconf-sent slave", "+failover-end-for-timeout", "+failover-end ", "+slave-reconf-sent-be", "+switch-master"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if w.servers[4].follows != 2 {
		t.Errorf("the last follows %d", w.servers[4].follows)
	}
}

// TestPromotionThatDoesNotCome ends the attempt, and bars the next for twice the timeout.
func TestPromotionThatDoesNotCome(t *testing.T) {
	w := site(t, 24, 1, 3, 2)
	w.servers[2].deaf = true
	w.run(12 * time.Second)
	died := w.now
	w.die(1)
	w.run(15 * time.Second)
	b := w.leader()
	if b.heard("-failover-abort-slave-timeout") != 1 || b.master() != 1 || b.ofGroup().configEpoch != 0 {
		t.Errorf("the leader says\n%s", strings.Join(b.events, "\n"))
	}
	w.servers[2].deaf = false
	w.run(15 * time.Second)
	if b.master() != 2 {
		for _, b := range w.members {
			b.dump()
		}
		t.Fatal("nobody has tried again")
	}
	for _, b := range w.members {
		last := time.Duration(0)
		for i, e := range b.events {
			if !strings.HasPrefix(e, "+try-failover") {
				continue
			}
			if at := b.at[i].Sub(died); last != 0 && at-last < 20*time.Second {
				t.Errorf("%s tries after %v and after %v", b.name, last, at)
			} else {
				last = at
			}
		}
	}
}

func TestWhoMayBePromoted(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(a, b *server)
		want int
	}{
		"the lower priority":            {func(a, b *server) { a.prio, b.prio, b.offset = 50, 100, 9999 }, 2},
		"priority 0 never":              {func(a, _ *server) { a.prio, a.offset = 0, 9999 }, 3},
		"the farther":                   {func(_, b *server) { b.offset = 9999 }, 3},
		"of equals the smaller run ID":  {func(a, b *server) { a.run, b.run = strings.Repeat("b", 40), strings.Repeat("A", 40) }, 3},
		"one that is not announced too": {func(a, _ *server) { a.hidden, a.prio = true, 1 }, 2},
		"nobody":                        {func(a, b *server) { a.prio, b.prio = 0, 0 }, 1},
	} {
		w := site(t, 25, 2, 3, 2)
		c.set(w.servers[2], w.servers[3])
		w.run(12 * time.Second)
		w.die(1)
		w.run(5 * time.Second)
		for _, b := range w.members {
			if b.master() != c.want {
				t.Errorf("%s: %s has the master at %d, want %d", name, b.name, b.master(), c.want)
			}
		}
		if b := w.leader(); c.want == 1 && b.heard("-failover-abort-no-good-slave") != 1 {
			t.Errorf("%s: %q", name, b.events)
		}
	}
}

// TestLateNewsCounts: the election is over before the replicas have said how far they are.
func TestLateNewsCounts(t *testing.T) {
	w := site(t, 26, 2, 3, 2)
	w.run(12 * time.Second)
	w.servers[3].offset, w.servers[3].lag = 9999, 60*time.Millisecond
	w.die(1)
	w.run(5 * time.Second)
	if b := w.leader(); b.master() != 3 {
		t.Errorf("%d was promoted, which has less", b.master())
	}
	// With news that is too old to promote by, both late.
	w = site(t, 27, 2, 3, 2)
	for _, b := range w.members {
		b.m.periods.Info = time.Minute
	}
	w.run(30 * time.Second)
	w.servers[2].lag, w.servers[3].lag = 300*time.Millisecond, 300*time.Millisecond
	w.die(1)
	w.run(5 * time.Second)
	if b := w.leader(); b.master() == 1 || b.heard("-failover-abort") > 0 {
		t.Errorf("the leader says\n%s", strings.Join(b.events, "\n"))
	}
}

// hail is a hello of another Sentinel, which this world does not have.
func (b *member) hail(port int, epoch uint64, master int, config uint64) {
	b.step(Asked{Request: Hail{Hello{
		Addr: here(port), ID: idOf(port), CurrentEpoch: epoch, Group: "orders", Master: here(master), ConfigEpoch: config,
	}}})
}

// TestLaterConfigurationEndsAFailover that is under way, also where it says that the master is where it was before.
func TestLaterConfigurationEndsAFailover(t *testing.T) {
	for _, c := range []struct {
		name  string
		until failoverState
		says  int // where the later configuration has the master
		want  int
	}{
		{"before the promotion, of the old master", waitPromotion, 1, 1},
		{"before the promotion, of another", waitPromotion, 3, 3},
		{"after it, of the old master", reconfReplicas, 1, 1},
		{"after it, of another", reconfReplicas, 3, 3},
		{"after it, of the same", reconfReplicas, 2, 2},
	} {
		w := site(t, 28, 2, 3, 2)
		w.servers[2].prio = 1
		w.servers[3].syncing = time.Hour
		w.servers[2].deaf = c.until == waitPromotion
		w.run(12 * time.Second)
		w.die(1)
		w.run(2 * time.Second)
		b := w.leader()
		if s := b.ofGroup().failover.state; s != c.until {
			t.Fatalf("%s: it is in %s", c.name, s)
		}
		w.servers[1].dead = false
		b.hail(104, 9, c.says, 9)
		for range 40 {
			w.servers[2].deaf = false
			w.run(100 * time.Millisecond)
			if at := b.master(); at != c.want || b.ofGroup().configEpoch < 9 {
				t.Fatalf("%s: in epoch %d it has the master at %d, want %d\n%s", c.name, b.ofGroup().configEpoch, at, c.want, strings.Join(b.events, "\n"))
			}
		}
	}
}

// TestResetInAFailover forgets it; epochs and the vote stay.
func TestResetInAFailover(t *testing.T) {
	w := site(t, 29, 2, 3, 2)
	w.servers[2].deaf, w.servers[2].prio = true, 1
	w.run(12 * time.Second)
	w.die(1)
	w.run(2 * time.Second)
	b := w.leader()
	before := *b.ofGroup()
	if before.failover.state != waitPromotion {
		t.Fatalf("it is in %s", before.failover.state)
	}
	if a := b.request(Reset{func(string) bool { return true }}); a.Count != 1 {
		t.Errorf("%d groups are reset", a.Count)
	}
	g := b.ofGroup()
	if g.failover.under() || len(g.replicas) != 0 || g.leaderEpoch != before.leaderEpoch || g.configEpoch != before.configEpoch {
		t.Errorf("after the reset: %+v, %d replicas, vote of epoch %d", g.failover, len(g.replicas), g.leaderEpoch)
	}
	w.run(5 * time.Second)
	if n := len(g.sentinels); n != 2 {
		t.Errorf("it has found %d others again", n)
	}
}

// TestResetAfterThePromotion ends the failover there: the epoch's master stays the promoted one, for whoever was reset, too.
func TestResetAfterThePromotion(t *testing.T) {
	w := site(t, 31, 3, 3, 2)
	w.servers[2].prio = 1
	w.servers[3].syncing, w.servers[4].syncing = time.Hour, time.Hour
	w.run(12 * time.Second)
	w.die(1)
	w.run(2 * time.Second)
	b := w.leader()
	if s := b.ofGroup().failover.state; s != reconfReplicas {
		t.Fatalf("it is in %s", s)
	}
	if a := b.request(Reset{func(string) bool { return true }}); a.Count != 1 {
		t.Errorf("%d groups are reset", a.Count)
	}
	if n := b.heard("+switch-master orders 10.0.0.1 1 10.0.0.1 2"); n != 1 || b.heard("+reset-master master orders 10.0.0.1 2") != 1 {
		t.Errorf("it tells\n%s", strings.Join(b.events, "\n"))
	}
	for range 60 {
		for _, b := range w.members {
			if g := b.ofGroup(); b.master() != 2 || g.configEpoch != 1 {
				t.Fatalf("%s has the master at %d in epoch %d", b.name, b.master(), g.configEpoch)
			}
		}
		w.run(time.Second)
	}
	if on := b.file.Groups[0]; on.Addr.Port != 2 || on.ConfigEpoch != 1 || len(b.ofGroup().sentinels) != 2 {
		t.Errorf("on disk %+v; it knows %d others", on, len(b.ofGroup().sentinels))
	}
}

// TestWholeTurn: what was promoted is demoted, and so on, until all have been masters; every configuration is later than the one before.
func TestWholeTurn(t *testing.T) {
	w := site(t, 30, 2, 3, 2)
	w.run(12 * time.Second)
	epoch := uint64(0)
	for range 6 {
		at := w.members[0].master()
		w.die(at)
		w.run(5 * time.Second)
		w.servers[at].dead = false
		w.run(30 * time.Second)
		now := w.members[0].master()
		if now == at {
			t.Fatalf("nobody took over from %d", at)
		}
		for _, b := range w.members {
			if e := b.ofGroup().configEpoch; b.master() != now || e <= epoch {
				t.Errorf("%s: master %d in epoch %d after %d", b.name, b.master(), e, epoch)
			}
		}
		epoch = w.members[0].ofGroup().configEpoch
		for port, s := range w.servers {
			if port != now && s.follows != now {
				t.Errorf("%d follows %d, not %d", port, s.follows, now)
			}
		}
	}
}

// TestOldMasterOfAPair: where nobody else has to be reconfigured the failover's end, which closes all connections, must not overtake the
// order to the old master.
func TestOldMasterOfAPair(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		w := site(t, 33, 1, 3, 2)
		w.servers[1].deaf = deaf
		w.run(12 * time.Second)
		if a := w.members[0].request(Failover{Group: "orders"}); a.Refusal != Accepted {
			t.Fatalf("refused: %d", a.Refusal)
		}
		w.run(2 * time.Second)
		b, follows, converted := w.members[0], 2, 1
		if deaf {
			follows, converted = 0, 0
		}
		if w.servers[1].follows != follows || w.servers[2].follows != 0 {
			t.Errorf("deaf %v: 1 follows %d, 2 follows %d", deaf, w.servers[1].follows, w.servers[2].follows)
		}
		if b.heard("+switch-master") != 1 || b.heard("+convert-to-slave") != converted {
			t.Errorf("deaf %v:\n%s", deaf, strings.Join(b.events, "\n"))
		}
	}
}

// TestRemoveDuringFailover removes a group at each step of its failover: nothing more is told of it, and nothing is left of it.
func TestRemoveDuringFailover(t *testing.T) {
	for after := time.Duration(0); after < 30*time.Millisecond; after += 250 * time.Microsecond {
		w := site(t, 34, 2, 1, 1)
		w.run(12 * time.Second)
		w.servers[2].lag, w.servers[3].syncing = 2*time.Millisecond, time.Second
		b := w.members[0]
		b.step(Asked{1001, Failover{Group: "orders"}})
		w.run(after)
		b.step(Asked{1002, Remove{Group: "orders"}})
		told := len(b.events)
		w.run(time.Minute)
		if len(b.events) != told {
			t.Fatalf("after %v: %q", after, b.events[told:])
		}
		if len(b.m.instances)+len(b.m.links)+len(b.m.queue) != 0 {
			t.Fatalf("after %v: %d instances, %d links, %d timers", after, len(b.m.instances), len(b.m.links), len(b.m.queue))
		}
	}
}

// TestDeafIsNotShoutedAt: a server that does what it is not told to is told so as often as it is asked how it is, and no more.
func TestDeafIsNotShoutedAt(t *testing.T) {
	for name, astray := range map[string]int{"a master of its own": 0, "a replica of another": 2} {
		w := site(t, 35, 2, 1, 1)
		s := w.servers[3]
		s.follows, s.deaf = astray, true
		w.run(30 * time.Second)
		before := s.orders
		w.run(time.Minute)
		if told := s.orders - before; told < 3 || told > 60 {
			t.Errorf("%s: told %d times in a minute\n%s", name, told, strings.Join(w.members[0].events[:min(20, len(w.members[0].events))], "\n"))
		}
	}
}
