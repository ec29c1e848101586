package redis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"golang.org/x/sys/unix"

	"redkeep/internal/decide"
	"redkeep/internal/speak/resp"
	"redkeep/internal/words"
)

func contains(text string, parts ...string) bool {
	return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(text, p) })
}

func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// inSync waits until the replica has all that the master has.
func inSync(t *testing.T, master, replica *Hand) words.Server {
	t.Helper()
	ctx := bounded(t)
	var m, r words.Server
	await(t, "replica in sync", func() bool {
		var errM, errR error
		m, errM = master.Look(ctx)
		r, errR = replica.Look(ctx)
		return errM == nil && errR == nil && r.LinkUp && r.ReplID == m.ReplID && r.Offset >= m.Offset
	})
	return r
}

func TestSealPromoteFollowKeepThePartialResync(t *testing.T) {
	a, b, c := startServer(t), startServer(t), startServer(t)
	ha, _, sa := watchServer(t, Config{Addr: a.addr()})
	hb, _, sb := watchServer(t, Config{Addr: b.addr()})
	hc, _, sc := watchServer(t, Config{Addr: c.addr()})
	ctx := bounded(t)
	for _, f := range []struct {
		h  *Hand
		id words.RunID
	}{{hb, sb.RunID}, {hc, sc.RunID}} {
		if _, err := f.h.Follow(ctx, f.id, "127.0.0.1", portOf(a)); err != nil {
			t.Fatal(err)
		}
		inSync(t, ha, f.h)
	}
	for i := range 100 {
		a.do("SET", fmt.Sprint("k", i), "v")
	}
	inSync(t, ha, hb)
	before := inSync(t, ha, hc)
	a.kill()

	began := time.Now()
	sealed, err := hb.Seal(ctx, sb.RunID, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("seal: %v", time.Since(began))
	if _, err := hc.Seal(ctx, sc.RunID, 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if !sealed.Fenced() || sealed.ReplID != before.ReplID || sealed.Offset < before.Offset || sealed.LinkUp {
		t.Errorf("sealed %+v, before %+v", sealed, before)
	}
	began = time.Now()
	up, err := hb.Promote(ctx, sb.RunID)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("promote: %v", time.Since(began))
	if up.Role != words.RoleMaster || up.ReplID2 != sealed.ReplID || up.Second != sealed.Offset+1 || up.ReplID == sealed.ReplID {
		t.Errorf("promoted %+v, sealed %+v", up, sealed)
	}
	b.do("SET", "after", "1")
	began = time.Now()
	if _, err := hc.Follow(ctx, sc.RunID, "127.0.0.1", portOf(b)); err != nil {
		t.Fatal(err)
	}
	t.Logf("follow: %v", time.Since(began))
	inSync(t, hb, hc)
	if stats := b.do("INFO", "stats"); !contains(stats, "sync_full:0\r\n", "sync_partial_ok:1\r\n") {
		t.Errorf("the replica was not continued: %s", stats)
	}
	if got := c.do("GET", "after"); got != "1" {
		t.Errorf("the replica has %q", got)
	}
	_ = sa
}

// A stopped master's link stays up: the seal cuts it when the time to drain is over.
func TestSealCutsALinkThatStands(t *testing.T) {
	a, b := startServer(t), startServer(t)
	ha, _, _ := watchServer(t, Config{Addr: a.addr()})
	hb, _, sb := watchServer(t, Config{Addr: b.addr()})
	ctx := bounded(t)
	if _, err := hb.Follow(ctx, sb.RunID, "127.0.0.1", portOf(a)); err != nil {
		t.Fatal(err)
	}
	inSync(t, ha, hb)
	a.do("SET", "k", "v")
	was := inSync(t, ha, hb)
	a.signal(stop)
	defer a.signal(resume)
	began := time.Now()
	now, err := hb.Seal(ctx, sb.RunID, 30*time.Millisecond)
	took := time.Since(began)
	if err != nil || !now.Fenced() || now.ReplID != was.ReplID || now.Offset != was.Offset {
		t.Errorf("sealed %+v, %v; before %+v", now, err, was)
	}
	if took < 30*time.Millisecond || took > time.Second {
		t.Errorf("it took %v", took)
	}
	began = time.Now()
	if _, err := hb.Seal(ctx, sb.RunID, time.Second); err != nil || time.Since(began) > 500*time.Millisecond {
		t.Errorf("sealed again: %v, after %v", err, time.Since(began))
	}
}

func TestOrdersAreForOneProcess(t *testing.T) {
	s := startServer(t)
	h, _, seen := watchServer(t, Config{Addr: s.addr()})
	ctx := bounded(t)
	other := words.RunID(strings.Repeat("0", 40))
	orders := map[string]func() error{
		"promote": func() error { _, err := h.Promote(ctx, other); return err },
		"seal":    func() error { _, err := h.Seal(ctx, other, 0); return err },
		"demote":  func() error { _, err := h.Demote(ctx, other); return err },
		"follow":  func() error { _, err := h.Follow(ctx, other, "127.0.0.1", 2); return err },
		"kill":    func() error { _, err := h.KillClients(ctx, other); return err },
	}
	for name, order := range orders {
		if err := order(); !errors.Is(err, ErrOtherProcess) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.Seal(ctx, seen.RunID, 0); err == nil {
		t.Error("a master is sealed")
	}
	now, err := h.Look(ctx)
	if err != nil || now.Role != words.RoleMaster {
		t.Errorf("%+v, %v", now, err)
	}
	// A restart between two orders: the connection is new, and the process is known to be another.
	s.kill()
	s.start()
	if _, err := h.Promote(ctx, seen.RunID); !errors.Is(err, ErrOtherProcess) {
		t.Errorf("after a restart: %v", err)
	}
}

func TestDemotedMasterKeepsItsPosition(t *testing.T) {
	s := startServer(t, "min-replicas-to-write 1")
	s.do("CONFIG", "SET", "min-replicas-to-write", "0")
	r := startServer(t)
	h, _, seen := watchServer(t, Config{Addr: s.addr()})
	hr, _, sr := watchServer(t, Config{Addr: r.addr()})
	ctx := bounded(t)
	if _, err := hr.Follow(ctx, sr.RunID, "127.0.0.1", portOf(s)); err != nil {
		t.Fatal(err)
	}
	inSync(t, h, hr)
	s.do("SET", "k", "v")
	inSync(t, h, hr)
	was, err := h.Look(ctx)
	if err != nil {
		t.Fatal(err)
	}
	down, err := h.Demote(ctx, seen.RunID)
	if err != nil || !down.Fenced() || down.ReplID != was.ReplID || down.Offset < was.Offset {
		t.Errorf("demoted %+v, %v; before %+v", down, err, was)
	}
	s.do("CONFIG", "SET", "min-replicas-to-write", "1")
	// What a user has asked for does not keep a server from being the master.
	if _, err := h.Promote(ctx, seen.RunID); err != nil {
		t.Error(err)
	}
}

func TestWritableTellsARefusal(t *testing.T) {
	s := startServer(t)
	h, _, seen := watchServer(t, Config{Addr: s.addr()})
	ctx := bounded(t)
	before := s.do("DBSIZE")
	if _, err := h.Writable(ctx); err != nil {
		t.Error(err)
	}
	if _, err := h.Demote(ctx, seen.RunID); err != nil {
		t.Fatal(err)
	}
	var reply *resp.ReplyError
	if _, err := h.Writable(ctx); !errors.As(err, &reply) || reply.Code != "READONLY" {
		t.Errorf("on a replica: %v", err)
	}
	if after := s.do("DBSIZE"); after != before {
		t.Errorf("the probe left %s keys where there were %s", after, before)
	}
}

// The history of the protocol's hole 16: an order of a killed agent lies in the socket buffer of a stopped server when
// the next agent gives its own.
func TestOldOrderIsFenced(t *testing.T) {
	for round := range 5 {
		s := startServer(t)
		ctx := bounded(t)
		old := New(Config{Addr: s.addr()})
		if _, err := old.Look(ctx); err != nil {
			t.Fatal(err)
		}
		s.signal(stop)
		if _, err := old.orders.conn.Write(resp.AppendCommand(nil, "REPLICAOF", "127.0.0.1", "9")); err != nil {
			t.Fatal(err)
		}
		// Killed or not, its sockets end or stay: both are tried.
		if round%2 == 0 {
			_ = old.orders.conn.Close()
		}
		h := New(Config{Addr: s.addr()})
		promoted := make(chan error, 1)
		go func() {
			_, err := h.Promote(ctx, "")
			promoted <- err
		}()
		await(t, "connection of the new agent", func() bool { return connections(t, s.port) >= 2-(1-round%2) })
		s.signal(resume)
		if err := <-promoted; err != nil {
			t.Fatal(err)
		}
		for range 20 {
			now, err := h.Look(ctx)
			if err != nil || now.Role != words.RoleMaster {
				t.Fatalf("round %d: the old order had the last word: %+v, %v", round, now, err)
			}
		}
		if n := strings.Count(s.do("CLIENT", "LIST"), "name="+ordersName); n != 1 {
			t.Errorf("%d connections for orders", n)
		}
		old.dropOrders()
		h.dropOrders()
	}
}

// What the fence adds to the order of arrival: an order that the server would read later, here because the old connection
// is blocked, is never read.
func TestUnreadOldOrderIsThrownAway(t *testing.T) {
	s := startServer(t)
	ctx := bounded(t)
	old, h := New(Config{Addr: s.addr()}), New(Config{Addr: s.addr()})
	if _, err := old.Look(ctx); err != nil {
		t.Fatal(err)
	}
	defer func() { old.dropOrders(); h.dropOrders() }()
	late := resp.AppendCommand(resp.AppendCommand(nil, "BLPOP", "list", "0"), "REPLICAOF", "127.0.0.1", "9")
	if _, err := old.orders.conn.Write(late); err != nil {
		t.Fatal(err)
	}
	await(t, "blocked connection", func() bool { return contains(s.do("INFO", "clients"), "blocked_clients:1") })
	if _, err := h.Promote(ctx, ""); err != nil {
		t.Fatal(err)
	}
	s.do("RPUSH", "list", "x")
	for range 20 {
		if now, err := h.Look(ctx); err != nil || now.Role != words.RoleMaster {
			t.Fatalf("the old order had the last word: %+v, %v", now, err)
		}
	}
}

func TestPauseHoldsWritesBackAndPromoteEndsIt(t *testing.T) {
	s, r := startServer(t), startServer(t)
	h, _, seen := watchServer(t, Config{Addr: s.addr()})
	hr, _, sr := watchServer(t, Config{Addr: r.addr()})
	ctx := bounded(t)
	if _, err := hr.Follow(ctx, sr.RunID, "127.0.0.1", portOf(s)); err != nil {
		t.Fatal(err)
	}
	inSync(t, h, hr)
	s.do("SET", "k", "u")
	inSync(t, h, hr)
	at, links, err := h.Pause(ctx, seen.RunID, 5*time.Second)
	if err != nil || len(links) != 1 || at.Offset == 0 {
		t.Fatalf("paused %+v, links %v, %v", at, links, err)
	}
	if _, again, err := h.Replicas(ctx); err != nil || !slices.Equal(links, again) {
		t.Errorf("links %v, %v", again, err)
	}
	if _, err := hr.AwaitOffset(ctx, at.Offset); err != nil {
		t.Error(err)
	}
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if _, err := hr.AwaitOffset(short, at.Offset+1<<40); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("await an offset that never comes: %v", err)
	}
	c, written := s.client(), make(chan error, 1)
	go func() { written <- c.Set(ctx, "k", "v", 0).Err() }()
	await(t, "write held back", func() bool { return contains(s.do("INFO", "clients"), "blocked_clients:1") })
	began := time.Now()
	if _, err := h.Promote(ctx, seen.RunID); err != nil {
		t.Fatal(err)
	}
	if err := <-written; err != nil || time.Since(began) > time.Second {
		t.Errorf("write after the pause: %v, after %v", err, time.Since(began))
	}
	if _, err := h.Unpause(ctx); err != nil {
		t.Error(err)
	}
}

func TestKillClientsSparesOurselvesAndReplicas(t *testing.T) {
	s, r := startServer(t), startServer(t)
	h, d, seen := watchServer(t, Config{Addr: s.addr()})
	hr, _, sr := watchServer(t, Config{Addr: r.addr()})
	ctx := bounded(t)
	if _, err := hr.Follow(ctx, sr.RunID, "127.0.0.1", portOf(s)); err != nil {
		t.Fatal(err)
	}
	inSync(t, h, hr)
	c := goredis.NewClient(&goredis.Options{Addr: s.addr().String(), MaxRetries: -1, PoolSize: 1})
	defer func() { _ = c.Close() }()
	conn := c.Conn()
	defer func() { _ = conn.Close() }()
	if err := conn.Ping(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	d.drain()
	if _, err := h.KillClients(ctx, seen.RunID); err != nil {
		t.Fatal(err)
	}
	if err := conn.Ping(ctx).Err(); err == nil {
		t.Error("a client's connection has survived")
	}
	wait(t, d, "look", func(decide.Seen) bool { return true })
	d.mu.Lock()
	for _, ev := range d.events {
		if _, lost := ev.(decide.Lost); lost {
			t.Errorf("the hand's own order looks like a loss: %+v", ev)
		}
	}
	d.mu.Unlock()
	if _, links, err := h.Replicas(ctx); err != nil || len(links) != 1 {
		t.Errorf("replicas %v, %v", links, err)
	}
}

func TestOrdersAreBounded(t *testing.T) {
	s := startServer(t)
	h, _, seen := watchServer(t, Config{Addr: s.addr()})
	s.signal(stop)
	defer s.signal(resume)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := h.Promote(ctx, seen.RunID); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("order to a stopped server: %v", err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

// A server that restarts is greeted while it loads; an order that comes when it has loaded must not call it loading: it would
// not stand in the election that the order is for.
func TestOrdersSeeTheEndOfLoading(t *testing.T) {
	s := startServer(t, "key-load-delay 200", "loading-process-events-interval-bytes 1024")
	s.do("DEBUG", "POPULATE", "3000")
	s.do("SAVE")
	s.kill()
	s.start()
	h := New(Config{Addr: s.addr()})
	ctx := bounded(t)
	greeted, err := h.Look(ctx)
	if err != nil || !greeted.Loading {
		t.Fatalf("greeted %+v, %v: it has loaded already", greeted, err)
	}
	await(t, "end of loading", func() bool { return contains(s.do("INFO", "persistence"), "\nloading:0\r\n") })
	if now, err := h.Look(ctx); err != nil || now.Loading || now.RunID != greeted.RunID {
		t.Errorf("%+v, %v", now, err)
	}
}

// A server whose CONFIG was taken away or renamed in secret follows with the masterauth of its own file.
func TestFollowWithoutConfig(t *testing.T) {
	for _, known := range []map[string]string{nil, {"CONFIG": ""}} {
		s := startServer(t, "rename-command CONFIG X9", "requirepass p", "masterauth p")
		h, _, seen := watchServer(t, Config{Addr: s.addr(), Password: "p", Rename: known})
		for range 2 {
			if now, err := h.Follow(bounded(t), seen.RunID, "127.0.0.1", 9); err != nil || now.MasterPort != 9 {
				t.Errorf("with %v: %+v, %v", known, now, err)
			}
		}
		h.mu.Lock()
		remarks := slices.Collect(maps.Keys(h.remarked))
		h.mu.Unlock()
		if !contains(strings.Join(remarks, "\n"), "masterauth") {
			t.Errorf("with %v it remarked %q", known, remarks)
		}
	}
}

func TestRenamedCommands(t *testing.T) {
	s := startServer(t, "rename-command CONFIG X9", "rename-command REPLICAOF R9", "rename-command SLAVEOF \"\"", "requirepass p", "masterauth old")
	h, _, seen := watchServer(t, Config{Addr: s.addr(), Password: "p", Rename: map[string]string{"CONFIG": "X9", "REPLICAOF": "R9", "SLAVEOF": ""}})
	ctx := bounded(t)
	able, err := h.Abilities(ctx)
	if err != nil || !able.ReplicaOf || !able.PauseWrite || !able.History || !able.Rewrite || able.RunID != seen.RunID {
		t.Errorf("abilities %+v, %v", able, err)
	}
	if _, err := h.Follow(ctx, seen.RunID, "127.0.0.1", 9); err != nil {
		t.Fatal(err)
	}
	c := goredis.NewClient(&goredis.Options{Addr: s.addr().String(), Password: "p"})
	defer func() { _ = c.Close() }()
	if got, err := c.Do(ctx, "X9", "GET", "masterauth").Result(); err != nil || fmt.Sprint(got) != "map[masterauth:p]" {
		t.Errorf("masterauth %v, %v", got, err)
	}
}
