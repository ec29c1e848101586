package stage

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/need"
	"redkeep/internal/stage/wire"
	"redkeep/internal/stage/writer"
)

// trio starts a master on h1 and replicas of it on h2 and h3, in sync.
func trio(t *testing.T, s *Stage) []*Redis {
	t.Helper()
	needRedis(t)
	var servers []*Redis
	for i, h := range s.Hosts() {
		c := RedisConfig{}
		if i > 0 {
			c.ReplicaOf = servers[0].Addr()
		}
		r, err := h.StartRedis(t.Context(), c)
		must(t, err)
		servers = append(servers, r)
	}
	// The master calls a replica online that has yet to load what it was sent.
	for _, r := range servers[1:] {
		await(t, func() bool {
			role, err := r.Do(t.Context(), "ROLE")
			must(t, err)
			return len(role.Elems) > 3 && role.Elems[3].Text == "connected"
		})
	}
	return servers
}

// write starts a writer whose count of acknowledgements by a host can be awaited.
func write(t *testing.T, s *Stage, o writer.Options) *writer.Writer {
	t.Helper()
	w, err := s.Write(t.Context(), o)
	must(t, err)
	t.Cleanup(func() { w.Stop() })
	return w
}

func ackedBy(w *writer.Writer, h *Host) int {
	count := 0
	for _, write := range w.Writes() {
		if write.OK() && write.Node.Addr() == h.Addr() {
			count++
		}
	}
	return count
}

// TestWriterFollowsTheRole is a failover by hand: the master is killed, a replica promoted.
func TestWriterFollowsTheRole(t *testing.T) {
	s := open(t)
	servers := trio(t, s)
	stalls, err := clock.Watch()
	must(t, err)
	defer stalls.Stop()
	w := write(t, s, writer.Options{Finder: s.FindByRole(DefaultPort), Interval: time.Millisecond})
	await(t, func() bool { return ackedBy(w, s.Host("h1")) >= 300 })
	killed, err := servers[0].Kill()
	must(t, err)
	_, err = servers[1].Do(t.Context(), "REPLICAOF", "NO", "ONE")
	must(t, err)
	promoted := clock.Now()
	await(t, func() bool { return ackedBy(w, s.Host("h2")) >= 100 })
	end := clock.Now()
	gap := writer.Longest(w.Stop(), killed, end)
	t.Logf("gap %v, kill to promotion %v, worst stall %v", gap.Length(), promoted.Sub(killed), stalls.Worst(killed, gap.To))
	if gap.Length() > 500*time.Millisecond { // which may be open: the machine's, at the end
		t.Errorf("the gap is %v, open: %v", gap.Length(), gap.Open)
	}
	report, err := w.Audit(t.Context(), servers[1].Addr())
	must(t, err)
	t.Log(report)
	if report.Acked < 400 {
		t.Errorf("%d acknowledged writes were audited", report.Acked)
	}
	// A server that never saw the group has none of them.
	must(t, servers[0].RestartEmpty(t.Context()))
	report, err = w.Audit(t.Context(), servers[0].Addr())
	must(t, err)
	if report.Lost() != report.Acked || len(report.Missing) != report.Acked {
		t.Errorf("an empty server lacks %d of %d", report.Lost(), report.Acked)
	}
}

// TestProbersSeeTwoMasters makes two masters and has both seen.
func TestProbersSeeTwoMasters(t *testing.T) {
	s := open(t)
	servers := trio(t, s)
	probes := map[*Host]*writer.Writer{}
	for _, h := range s.Hosts() {
		w, err := s.Probe(t.Context(), h.Name(), DefaultPort, time.Millisecond)
		must(t, err)
		t.Cleanup(func() { w.Stop() })
		probes[h] = w
	}
	await(t, func() bool {
		return ackedBy(probes[s.Host("h1")], s.Host("h1")) > 50 && len(probes[s.Host("h2")].Writes()) > 50
	})
	if n := ackedBy(probes[s.Host("h2")], s.Host("h2")); n > 0 {
		t.Errorf("a replica acknowledged %d writes", n)
	}
	_, err := servers[1].Do(t.Context(), "REPLICAOF", "NO", "ONE")
	must(t, err)
	await(t, func() bool { return ackedBy(probes[s.Host("h2")], s.Host("h2")) > 50 })
	if n := ackedBy(probes[s.Host("h3")], s.Host("h3")); n > 0 {
		t.Errorf("a replica acknowledged %d writes", n)
	}
}

// TestWriterFindsMasterBesideDeadHosts has a host that doesn't answer at all, which must not hold the writer up.
func TestWriterFindsMasterBesideDeadHosts(t *testing.T) {
	s := open(t)
	servers := trio(t, s)
	w := write(t, s, writer.Options{Finder: s.FindByRole(DefaultPort), Interval: time.Millisecond})
	await(t, func() bool { return ackedBy(w, s.Host("h1")) >= 50 })
	off := clock.Now()
	must(t, s.PowerOff("h1"))
	_, err := servers[1].Do(t.Context(), "REPLICAOF", "NO", "ONE")
	must(t, err)
	await(t, func() bool { return ackedBy(w, s.Host("h2")) >= 50 })
	gap := writer.Longest(w.Stop(), off, clock.Now())
	t.Logf("gap %v", gap.Length())
	// The request that was on its way when the power went costs its timeout; nothing else may cost a second one.
	if gap.Length() > 2*writer.DefaultTimeout {
		t.Errorf("the gap is %v", gap.Length())
	}
}

// TestWriterFollowsRealSentinels has three redis-sentinels do a failover.
func TestWriterFollowsRealSentinels(t *testing.T) {
	server, err := FindRedis()
	if err != nil {
		need.Program(t, err)
	}
	program := filepath.Join(t.TempDir(), "redis-sentinel") // its name makes the server a Sentinel
	must(t, os.Symlink(server, program))
	s := open(t)
	trio(t, s)
	for _, h := range s.Hosts() {
		file := filepath.Join(h.Dir(), "sentinel.conf")
		lines := fmt.Sprintf("port %d\nprotected-mode no\ndir %q\nsentinel monitor orders %s %d 2\nsentinel down-after-milliseconds orders 500\n"+
			"sentinel failover-timeout orders 2000\n", // a vote that was split is repeated after twice that
			FacePort, h.Dir(), s.Host("h1").Addr(), DefaultPort)
		must(t, os.WriteFile(file, []byte(lines), 0o600))
		_, err := h.Start(Command{Name: "redis-sentinel", Path: program, Args: []string{file}})
		must(t, err)
	}
	finder := s.FindBySentinel("orders")
	t.Cleanup(finder.Close)
	w := write(t, s, writer.Options{Finder: finder, Interval: time.Millisecond})
	await(t, func() bool { return ackedBy(w, s.Host("h1")) >= 200 })
	for _, h := range s.Hosts() {
		await(t, func() bool { return sentinelKnows(t, h) })
	}
	must(t, s.Cut("h1"))
	limit, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for ackedBy(w, s.Host("h2"))+ackedBy(w, s.Host("h3")) < 50 {
		select {
		case <-limit.Done():
			t.Fatal("the writer does not follow")
		case <-time.After(10 * time.Millisecond):
		}
	}
	log := w.Stop()
	t.Logf("gap with redis-sentinel: %v", writer.Longest(log, log[0].Sent, clock.Now()).Length())
}

// sentinelKnows reports whether a host's Sentinel has found the two others and both replicas: earlier it would fail over to nobody.
func sentinelKnows(t *testing.T, h *Host) bool {
	t.Helper()
	conn, err := wire.Dial(t.Context(), h.Dial, netip.AddrPortFrom(h.Addr(), FacePort), time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	master, err := conn.Do(time.Second, "SENTINEL", "MASTER", "orders")
	if err != nil {
		return false
	}
	known := 0
	for i := 1; i < len(master.Elems); i += 2 {
		field := master.Elems[i-1].Text
		if (field == "num-slaves" || field == "num-other-sentinels") && master.Elems[i].Text == "2" {
			known++
		}
	}
	return known == 2
}
