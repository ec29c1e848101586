package agent

import (
	"errors"
	"slices"
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
		"another port":       {with(func(l *redis.Listeners) { l.Ports = []uint16{6379, 6390} }), nil, yes, words.FencePartial, "port 6390"},
		"a port for TLS":     {with(func(l *redis.Listeners) { l.Ports, l.TLSPort = []uint16{6379, 6390}, 6390 }), nil, yes, words.FencePartial, "add tls: 6390 to redis of group orders"},
		"an open socket":     {with(func(l *redis.Listeners) { l.Socket, l.SocketOpen = "/run/r", true }), nil, yes, words.FencePartial, "set unixsocketperm 700"},
		"writable replicas":  {with(func(l *redis.Listeners) { l.ReadOnly = false }), nil, yes, words.FencePartial, "replica-read-only yes"},
		"exempt users":       {good, []string{"backup"}, yes, words.FencePartial, "gate_exempt"},
		"another process":    {with(func(l *redis.Listeners) { l.PID = 0 }), nil, yes, words.FencePartial, "PID namespace"},
		"a mapped port":      {with(func(l *redis.Listeners) { l.Ports = nil }), nil, yes, words.FenceSoft, "hands its connections on"},
		"a container":        {good, nil, func(int, uint16) (bool, error) { return false, nil }, words.FenceSoft, "another network namespace"},
		"no view":            {good, nil, func(int, uint16) (bool, error) { return false, errors.New("hidepid") }, words.FencePartial, "hidepid"},
	} {
		g := config.Group{Name: "orders", Server: config.Server{Port: 6379}, GateExempt: c.exempt}
		got := covered(g, c.l, c.here)
		if got.level != c.want || !strings.Contains(got.why, c.why) || (got.why == "") != (c.why == "") {
			t.Errorf("%s: %v, %q", name, got.level, got.why)
		}
	}
}

// TestFenceCoversBothPorts takes the port for TLS for covered where the file has it, and for a hole where the server does not
// listen there itself.
func TestFenceCoversBothPorts(t *testing.T) {
	asked := []uint16{}
	here := func(_ int, p uint16) (bool, error) { asked = append(asked, p); return true, nil }
	for name, c := range map[string]struct {
		conf config.Server
		has  []uint16
		want words.Fence
	}{
		"both":          {config.Server{Port: 6379, TLS: config.TLS{Port: 6390}}, []uint16{6379, 6390}, words.FenceHard},
		"TLS alone":     {config.Server{TLS: config.TLS{Port: 6390}}, []uint16{6390}, words.FenceHard},
		"a TLS proxy":   {config.Server{Port: 6379, TLS: config.TLS{Port: 6390}}, []uint16{6379}, words.FenceSoft},
		"a forgotten 0": {config.Server{TLS: config.TLS{Port: 6390}}, []uint16{6379, 6390}, words.FencePartial},
	} {
		asked = asked[:0]
		got := covered(config.Group{Server: c.conf}, redis.Listeners{PID: 7, Ports: c.has, TLSPort: 6390, ReadOnly: true}, here)
		if got.level != c.want || got.level == words.FenceHard && !slices.Equal(asked, c.conf.Ports()) {
			t.Errorf("%s: %v, %q; asked for %v", name, got.level, got.why, asked)
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
