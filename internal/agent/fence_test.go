package agent

import (
	"errors"
	"strings"
	"testing"
	"time"

	"redkeep/internal/act/redis"
	"redkeep/internal/speak/config"
	"redkeep/internal/words"
)

// TestFenceIsHardOnlyWhereTheGateCoversTheServer goes through the ways round the gate, and wants each named.
func TestFenceIsHardOnlyWhereTheGateCoversTheServer(t *testing.T) {
	good := redis.Listeners{PID: 7, Ports: []uint16{6379}, ReadOnly: true}
	with := func(change func(*redis.Listeners)) redis.Listeners {
		l := good
		change(&l)
		return l
	}
	yes := func(int, uint16) (bool, error) { return true, nil }
	for name, c := range map[string]struct {
		l      redis.Listeners
		exempt []string
		here   func(int, uint16) (bool, error)
		want   words.Fence
		why    string
	}{
		"nothing against it": {good, nil, yes, words.FenceHard, ""},
		"a closed socket":    {with(func(l *redis.Listeners) { l.Socket = "/run/r" }), nil, yes, words.FenceHard, ""},
		"a port for TLS":     {with(func(l *redis.Listeners) { l.Ports = []uint16{6379, 6390} }), nil, yes, words.FencePartial, "port 6390"},
		"an open socket":     {with(func(l *redis.Listeners) { l.Socket, l.SocketOpen = "/run/r", true }), nil, yes, words.FencePartial, "set unixsocketperm 700"},
		"writable replicas":  {with(func(l *redis.Listeners) { l.ReadOnly = false }), nil, yes, words.FencePartial, "replica-read-only yes"},
		"exempt users":       {good, []string{"backup"}, yes, words.FencePartial, "gate_exempt"},
		"another process":    {with(func(l *redis.Listeners) { l.PID = 0 }), nil, yes, words.FencePartial, "PID namespace"},
		"a mapped port":      {with(func(l *redis.Listeners) { l.Ports = nil }), nil, yes, words.FenceSoft, "hands its connections on"},
		"a container":        {good, nil, func(int, uint16) (bool, error) { return false, nil }, words.FenceSoft, "another network namespace"},
		"no view":            {good, nil, func(int, uint16) (bool, error) { return false, errors.New("hidepid") }, words.FencePartial, "hidepid"},
	} {
		g := config.Group{Server: config.Server{Port: 6379}, GateExempt: c.exempt}
		got := covered(g, c.l, c.here)
		if got.level != c.want || !strings.Contains(got.why, c.why) || (got.why == "") != (c.why == "") {
			t.Errorf("%s: %v, %q", name, got.level, got.why)
		}
	}
}

func TestTheWeakerFindingCounts(t *testing.T) {
	hard, partial := fence{level: words.FenceHard}, fence{level: words.FencePartial, why: "a socket", unsure: true}
	for _, f := range []fence{hard.and(partial), partial.and(hard)} {
		if f != partial {
			t.Errorf("%+v", f)
		}
	}
}

func TestDamageCountsForADay(t *testing.T) {
	for want, d := range map[words.Fence]*damage{
		words.FencePartial: {by: "nft (pid 3)", at: awake() - time.Hour},
		words.FenceSoft:    {by: "nft", at: awake() - 48*time.Hour, left: errors.New("no")},
		words.FenceHard:    {by: "nft", at: awake() - 25*time.Hour},
	} {
		if got := d.fence(); got.level != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
	if (*damage)(nil).fence().level != words.FenceHard {
		t.Error("no damage is some")
	}
}
