package sentinel

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"redkeep/internal/words"
)

// TestSentinelMoves to another address: every group of whoever knows it follows, and its links are one.
func TestSentinelMoves(t *testing.T) {
	w := newWorld(t, 41)
	w.server(1, 0)
	w.server(2, 0)
	groups := []GroupState{watching("orders", 1, 2), watching("carts", 2, 2)}
	for i := range 3 {
		w.memberOf(101+i, groups...)
	}
	w.run(10 * time.Second)
	b, moved := w.members[0], w.members[2]
	if n := len(b.m.links); n != 4 {
		t.Errorf("%d links to two masters and two Sentinels", n)
	}
	if s, ok := b.m.Sentinels(w.now, "carts", nil); !ok || len(s) != 2 || s[0].Refcount != 2 {
		t.Errorf("%+v", s)
	}
	moved.kill()
	moved.port = 109
	moved.start()
	w.run(10 * time.Second)
	if b.heard("+sentinel-address-switch master ") != 1 || b.heard("+sentinel-address-update sentinel "+idOf(103)+" 10.0.0.1 109 @ ") != 1 || b.heard("+sentinel-invalid-addr") != 0 {
		t.Errorf("it says\n%s", strings.Join(b.events, "\n"))
	}
	for _, e := range b.events {
		if strings.HasPrefix(e, "+sentinel-address-update") && !strings.HasSuffix(e, " 1 additional matching instances") {
			t.Error(e)
		}
	}
	for _, name := range []string{"orders", "carts"} {
		g := b.m.byName[name]
		if s := g.find(idOf(103)); len(g.sentinels) != 2 || s == nil || s.addr.Port != 109 || len(s.link.users) != 2 {
			t.Errorf("%s has %d others", name, len(g.sentinels))
		}
	}
	if n := len(b.m.links); n != 4 {
		t.Errorf("%d links afterwards", n)
	}
	for _, g := range b.file.Groups {
		for _, p := range g.Sentinels {
			if p.ID == idOf(103) && p.Addr.Port != 109 {
				t.Errorf("on disk %s has it at %d", g.Name, p.Addr.Port)
			}
		}
	}
}

// TestSentinelThatMovesAndLives: it can be reached at the address before, too, where answers are still awaited when the groups leave it.
// All of them greet it and ask it at the new one as before.
func TestSentinelThatMovesAndLives(t *testing.T) {
	m := New(Setup{Random: func() uint64 { return 1 }}, State{MyID: idOf(1), Groups: []GroupState{watching("orders", 1, 2), watching("carts", 2, 2)}})
	at := words.Instant(time.Hour)
	m.Step(at, Began{})
	hail := func(port int, group string, master int) []Action {
		at = at.Add(time.Millisecond)
		return m.Step(at, Asked{Request: Hail{Hello{Addr: here(port), ID: idOf(3), Group: group, Master: here(master)}}})
	}
	hail(103, "orders", 1)
	hail(103, "carts", 2)
	orders, carts := m.byName["orders"].sentinels[0], m.byName["carts"].sentinels[0]
	at = at.Add(time.Millisecond)
	m.Step(at, Linked{orders.link.id, Commands, here(9).IP, here(103).IP})
	if orders.link != carts.link || !carts.greeting {
		t.Fatalf("one link: %v, a hello on its way: %v", orders.link == carts.link, carts.greeting)
	}
	carts.asking = true
	hail(109, "orders", 1)
	if carts.link.addr.Port != 109 || carts.greeting || carts.asking {
		t.Errorf("at port %d it awaits answers to a greeting: %v, a question: %v", carts.link.addr.Port, carts.greeting, carts.asking)
	}
	greeted := 0
	at = at.Add(time.Millisecond)
	for _, a := range m.Step(at, Linked{carts.link.id, Commands, here(9).IP, here(109).IP}) {
		if _, ok := a.(Greet); ok {
			greeted++
		}
	}
	if greeted != 2 {
		t.Errorf("%d of two groups greet it", greeted)
	}
}

// TestSentinelThatHasLostItsFile comes back at its address with another ID: the old one counts no more.
func TestSentinelThatHasLostItsFile(t *testing.T) {
	w := site(t, 42, 1, 3, 2)
	lost := w.members[2]
	lost.kill()
	lost.file = State{MyID: strings.Repeat("e", 40), Groups: []GroupState{watching("orders", 1, 2)}}
	lost.start()
	w.run(10 * time.Second)
	for _, b := range w.members[:2] {
		if b.heard("+sentinel-invalid-addr sentinel "+idOf(103)) != 1 || len(b.ofGroup().sentinels) != 2 {
			t.Errorf("%s knows %d others: %q", b.name, len(b.ofGroup().sentinels), b.events)
		}
	}
}

// TestSilentSentinelsCount: whoever is down is a voter still, until somebody resets.
func TestSilentSentinelsCount(t *testing.T) {
	w := site(t, 43, 1, 4, 2)
	w.members[3].kill()
	w.members[2].kill()
	w.run(5 * time.Second)
	b := w.members[0]
	if voters, usable, needed, _ := b.m.Quorum("orders"); voters != 4 || usable != 2 || needed != 2 {
		t.Errorf("%d voters, %d usable, %d needed", voters, usable, needed)
	}
	w.die(1)
	w.run(9 * time.Second)
	if b.heard("+odown") == 0 || b.heard("+switch-master") != 0 {
		t.Errorf("two of four: %q", b.events)
	}
	for _, b := range w.members[:2] {
		b.request(Reset{func(string) bool { return true }})
	}
	w.servers[1].dead = false
	w.run(45 * time.Second)
	w.die(1)
	w.run(9 * time.Second)
	if b.heard("+switch-master") == 0 {
		t.Errorf("two of two after a reset: %q", b.events)
	}
}

// TestNamesAreRefused where they are not resolved: a file with one could not be read again, by redis-sentinel neither.
func TestNamesAreRefused(t *testing.T) {
	w := site(t, 44, 1, 3, 2)
	b := w.members[0]
	g := b.ofGroup()
	replicas, others := len(g.replicas), len(g.sentinels)
	b.step(Informed{g.master.link.id, g.master.id, &Info{RunID: "x", Master: true, Replicas: []Address{At("redis-7", 6379), At("", 1)}}})
	b.step(Asked{Request: Hail{Hello{Addr: At("sentinel-7", 26379), ID: idOf(7), Group: "orders", Master: At("redis-7", 1), ConfigEpoch: 9}}})
	if len(g.replicas) != replicas || len(g.sentinels) != others || g.configEpoch == 9 {
		t.Errorf("%d replicas, %d others, epoch %d", len(g.replicas), len(g.sentinels), g.configEpoch)
	}
}

// TestOneServerByTwoNames: a master lists its replicas by names, and the file has them by addresses.
func TestOneServerByTwoNames(t *testing.T) {
	for _, byName := range []bool{false, true} {
		known, listed := here(2), At("redis-2", 2)
		if byName {
			known, listed = listed, known
		}
		in := watching("orders", 1, 1)
		in.Replicas = []Address{known}
		m := New(Setup{Random: func() uint64 { return 1 }}, State{MyID: idOf(1), ResolveHostnames: true, Groups: []GroupState{in}})
		m.Step(1000, Began{})
		g := m.byName["orders"]
		tell := func(n int) {
			m.Step(m.now+1, Informed{g.master.link.id, g.master.id, &Info{RunID: "x", Master: true, Replicas: []Address{listed}}})
			for _, r := range slices.Clone(g.replicas) {
				m.Step(m.now+1, Linked{r.link.id, Commands, here(9).IP, netip.MustParseAddr("10.0.0.1")})
			}
			if len(g.replicas) != n || len(m.State().Groups[0].Replicas) != n {
				t.Errorf("it has %d replicas: %+v", len(g.replicas), m.State().Groups[0].Replicas)
			}
			if len(m.links) != 1+n || len(m.instances) != 1+n {
				t.Errorf("%d links, %d instances", len(m.links), len(m.instances))
			}
		}
		tell(1)
		tell(1)
		if r := g.replicas[0]; r.addr.Host != "redis-2" || r.addr.IP != here(1).IP || r.link.addr != r.addr {
			t.Errorf("it is %+v, and its link's %+v", r.addr, r.link.addr)
		}
		for _, names := range []bool{false, true} {
			m.announceHostnames = names
			want := map[bool]string{false: "10.0.0.1", true: "redis-2"}[names]
			told, _ := m.Replicas(m.now, "orders", nil)
			if kept := m.State().Groups[0].Replicas[0].Host; told[0].Host != want || told[0].Name != want+":2" || kept != want {
				t.Errorf("announced by name %v: it is told as %s, %s, and kept as %s", names, told[0].Name, told[0].Host, kept)
			}
		}
	}
}

// TestQuestionsThatNobodyHasTaken: where nobody has ever answered, the ping that each attempt to connect sends is told as pending, and as
// soon as a hello would have been due, that too; a server's INFO is due at once. These are the numbers of redis-sentinel.
func TestQuestionsThatNobodyHasTaken(t *testing.T) {
	w := newWorld(t, 1)
	w.server(1, 0)
	g := watching("orders", 1, 1)
	g.Sentinels = []Peer{{Addr: here(199), ID: idOf(199)}}
	g.Replicas = []Address{here(198)}
	b := w.memberOf(101, g)
	for _, after := range []struct {
		wait              time.Duration
		sentinel, replica int
	}{{500 * time.Millisecond, 1, 2}, {time.Second, 1, 2}, {2 * time.Second, 2, 3}, {time.Minute, 2, 3}} {
		w.run(after.wait)
		sentinels, _ := b.m.Sentinels(w.now, "orders", nil)
		replicas, _ := b.m.Replicas(w.now, "orders", nil)
		if s, r := sentinels[0].PendingCommands, replicas[0].PendingCommands; s != after.sentinel || r != after.replica {
			t.Errorf("after %v more: %d and %d are pending, want %d and %d", after.wait, s, r, after.sentinel, after.replica)
		}
	}
}
