package stage

import (
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage/clock"
)

func TestRedisReplicatesAndRestarts(t *testing.T) {
	needRedis(t)
	s := open(t, "h1", "h2")
	ctx := t.Context()
	begun := clock.Now()
	master, err := s.Host("h1").StartRedis(ctx, RedisConfig{AppendOnly: true})
	must(t, err)
	t.Logf("redis ready in %v", clock.Now().Sub(begun))
	replica, err := s.Host("h2").StartRedis(ctx, RedisConfig{ReplicaOf: master.Addr()})
	must(t, err)
	ask := func(r *Redis, args ...string) string {
		t.Helper()
		v, err := r.Do(ctx, args...)
		must(t, err)
		return v.Text
	}
	ask(master, "SET", "k", "v")
	await(t, func() bool { return ask(replica, "GET", "k") == "v" })
	if _, err := replica.Do(ctx, "SET", "k", "w"); err == nil {
		t.Error("a replica took a write")
	}
	await(t, func() bool { return strings.Contains(ask(master, "INFO", "persistence"), "aof_rewrite_in_progress:0") })
	ask(master, "CONFIG", "SET", "appendfsync", "always")
	ask(master, "SET", "k", "kept")
	must(t, master.Restart(ctx))
	if got := ask(master, "GET", "k"); got != "kept" {
		t.Errorf("after a restart k is %q", got)
	}
	must(t, master.RestartEmpty(ctx))
	if got := ask(master, "GET", "k"); got != "" {
		t.Errorf("after an empty restart k is %q", got)
	}
	if err := master.Start(ctx); err == nil {
		t.Error("a running server was started")
	}
}

// await asks every 5 ms, for half a minute at most: a Sentinel looks for new replicas each ten seconds.
func await(t *testing.T, holds func() bool) {
	t.Helper()
	limit := time.After(30 * time.Second)
	for !holds() {
		select {
		case <-limit:
			t.Fatal("what was awaited did not come within half a minute")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestRedisThatCannotStartSaysWhy(t *testing.T) {
	needRedis(t)
	s := open(t, "h1")
	_, err := s.Host("h1").StartRedis(t.Context(), RedisConfig{Extra: []string{"no-such-directive yes"}})
	if err == nil || !strings.Contains(err.Error(), "no-such-directive") {
		t.Errorf("the error is %v", err)
	}
}
