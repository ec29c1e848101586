package redis

import (
	"context"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

func TestWatchSeesTheServer(t *testing.T) {
	s := startServer(t, "replica-priority 7", "protected-mode no")
	s.do("MSET", "a", "1", "b", "2")
	_, d, seen := watchServer(t, Config{Addr: s.addr(), Source: netip.MustParseAddr("127.82.75.1"), Mark: 0x52})
	if seen.Role != words.RoleMaster || seen.Keys != 2 || seen.Priority != 7 || !seen.ReadOnly || len(seen.RunID) != 40 || seen.BornFenced {
		t.Errorf("seen %+v", seen)
	}
	wait(t, d, "second look", func(e decide.Seen) bool { return e.Server.RunID == seen.RunID })
	await(t, "connection for orders", func() bool { return contains(s.do("CLIENT", "LIST"), "name="+ordersName) })
	if list := s.do("CLIENT", "LIST"); !contains(list, "addr=127.82.75.1:", "name="+watchName) {
		t.Errorf("clients:\n%s", list)
	}
}

// In protected mode the dedicated address is a foreign one.
func TestDeniedSourceIsGivenUp(t *testing.T) {
	s := startServer(t)
	h, d, _ := watchServer(t, Config{Addr: s.addr(), Source: netip.MustParseAddr("127.82.75.1")})
	if _, err := h.Look(bounded(t)); err != nil {
		t.Error(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.remarks) != 1 || !contains(d.remarks[0], "protected mode") {
		t.Errorf("remarks %q", d.remarks)
	}
}

func TestDeathIsKnownAtOnceAndSoIsTheReturn(t *testing.T) {
	s := startServer(t)
	_, d, was := watchServer(t, Config{Addr: s.addr()})
	var gaps []time.Duration
	for range 5 {
		d.drain()
		began := time.Now()
		if err := s.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		first := wait(t, d, "loss", func(decide.Lost) bool { return true })
		took := time.Since(began)
		gaps = append(gaps, took)
		// The connection's end, the refusal and the process's end come in any order, each once.
		got := map[decide.LossCause]bool{first.Cause: true}
		for len(got) < 3 {
			got[wait(t, d, "further loss", func(decide.Lost) bool { return true }).Cause] = true
		}
		all := time.Since(began)
		_ = s.cmd.Wait()
		s.start()
		up := time.Now()
		now := wait(t, d, "return", func(decide.Seen) bool { return true })
		if now.Server.RunID == was.RunID {
			t.Error("the same run ID after a restart")
		}
		was = now.Server
		t.Logf("loss known after %v by %v, wholly after %v; seen %v after it answered", took, first.Cause, all, time.Since(up))
	}
	slices.Sort(gaps)
	if median := gaps[len(gaps)/2]; median > 20*time.Millisecond {
		t.Errorf("a SIGKILL is known after %v only", median)
	}
}

func TestStoppedServerIsSilentAndStopped(t *testing.T) {
	s := startServer(t)
	_, d, _ := watchServer(t, Config{Addr: s.addr(), Poll: 50 * time.Millisecond})
	s.signal(stop)
	e := wait(t, d, "silence", func(decide.Silent) bool { return true })
	if e.Process != decide.ProcessStopped || e.Busy || e.For < 100*time.Millisecond || e.For > time.Second {
		t.Errorf("silence %+v", e)
	}
	s.signal(resume)
	wait(t, d, "return", func(decide.Seen) bool { return true })
}

func TestBusyServerIsSilentAndBusy(t *testing.T) {
	s := startServer(t, "busy-reply-threshold 3000")
	_, d, _ := watchServer(t, Config{Addr: s.addr(), Poll: 50 * time.Millisecond})
	c := s.client()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Do(context.Background(), "EVAL", "while true do end", "0").Err()
	}()
	// On a machine with other work the loop gets its half of a CPU later.
	wait(t, d, "busy silence", func(e decide.Silent) bool { return e.Process == decide.ProcessRunning && e.Busy })
	wait(t, d, "complaint", func(e decide.Complained) bool { return e.Kind == decide.ComplaintBusy })
	s.do("SCRIPT", "KILL")
	<-done
	wait(t, d, "return", func(decide.Seen) bool { return true })
}

func TestPasswordIsAskedFor(t *testing.T) {
	s := startServer(t, "requirepass right")
	_, d, seen := watchServer(t, Config{Addr: s.addr(), Password: "right"})
	if seen.Role != words.RoleMaster {
		t.Errorf("seen %+v", seen)
	}
	_ = d
	wrong := &diary{news: make(chan decide.Event, 64)}
	h := New(Config{Addr: s.addr(), Password: "wrong", Report: wrong.report})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = h.Run(ctx) }()
	e := wait(t, wrong, "complaint", func(decide.Complained) bool { return true })
	if e.Kind != decide.ComplaintAuth || contains(e.Text, "wrong") {
		t.Errorf("complaint %+v", e)
	}
	cancel()
	<-done
}

// The watch's cost on an idle host is logged, and bounded generously: 1 % of a core is for the whole agent.
func TestWatchIsCheap(t *testing.T) {
	s := startServer(t)
	_, d, _ := watchServer(t, Config{Addr: s.addr()})
	began, cpu := time.Now(), cpuTime(t)
	for range 30 {
		wait(t, d, "look", func(decide.Seen) bool { return true })
	}
	share := float64(cpuTime(t)-cpu) / float64(time.Since(began))
	t.Logf("%.2f %% of a core at a poll each 100 ms", 100*share)
	if share > 0.05 {
		t.Errorf("the watch uses %.2f %% of a core", 100*share)
	}
}

func TestServersThatAreNotKept(t *testing.T) {
	s := startServer(t, "cluster-enabled yes")
	h, _, seen := watchServer(t, Config{Addr: s.addr()})
	if seen.Unkept() != words.ServerCluster {
		t.Errorf("the watch saw %+v", seen)
	}
	if seen, err := h.Look(bounded(t)); err != nil || !seen.Cluster {
		t.Errorf("an order saw %+v, %v", seen, err)
	}

	script := old28()
	f := startFake(t, func(request string) string {
		if request == "CONFIG GET active-replica" {
			return "*2\r\n" + bulk("active-replica") + bulk("yes")
		}
		return script(request)
	})
	if _, _, seen = watchServer(t, Config{Addr: f.addr()}); seen.Unkept() != words.ServerActive {
		t.Errorf("of an active replica, the watch saw %+v", seen)
	}
}

// A server whose directory is gone can't save.
func TestWatchSeesThatTheDiskFails(t *testing.T) {
	s := startServer(t, "save 3600 1")
	_, d, seen := watchServer(t, Config{Addr: s.addr()})
	if seen.DiskFails {
		t.Fatalf("seen %+v", seen)
	}
	fails := func(want bool) {
		t.Helper()
		wait(t, d, "another look at the disk", func(e decide.Seen) bool { return e.Server.DiskFails == want })
		if refused := s.client().Set(bounded(t), "k", "v", 0).Err(); (refused != nil) != want {
			t.Errorf("refused: %v, said: %v", refused, want)
		}
	}
	if err := os.RemoveAll(s.dir); err != nil {
		t.Fatal(err)
	}
	s.do("BGSAVE")
	fails(true)
	s.do("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
	fails(false)
	s.do("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes")
	fails(true)
	s.do("CONFIG", "SET", "save", "")
	fails(false)
}
