package config

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"redkeep/internal/words"
)

func TestSettingsThatDiffer(t *testing.T) {
	base := threeNodes().Settings(orders())
	for want, change := range map[string]func(c *Config, g *Group){
		"lease: 2s here, 0s there":           func(c *Config, _ *Group) { c.Lease = 2 * time.Second },
		"down_after: 2s here, 0s there":      func(c *Config, _ *Group) { c.DownAfter = 2 * time.Second },
		"busy_after: 2s here, 0s there":      func(c *Config, _ *Group) { c.BusyAfter = 2 * time.Second },
		"cold_start_wait: 2s here, 0s there": func(c *Config, _ *Group) { c.ColdStartWait = 2 * time.Second },
		"patience: 2s here, 0s there":        func(c *Config, _ *Group) { c.Patience = 2 * time.Second },
		"gate: off here, on there":           func(_ *Config, g *Group) { g.Gate = GateOff },

		"listen_password: given here, none there": func(c *Config, _ *Group) { c.ListenPassword = words.NewSecret("hunter2") },
		"listen_tls: 7 here, none there":          func(c *Config, _ *Group) { c.ListenTLS.Port = 7 },
		"listen_tls: 7, for clients with a certificate here, none there": func(c *Config, _ *Group) {
			c.ListenTLS = ListenTLS{Port: 7, CA: "ca.pem"}
		},
	} {
		c, g := threeNodes(), orders()
		change(c, &g)
		changed := c.Settings(g)
		if changed.Digest() == base.Digest() {
			t.Errorf("the digest does not cover: %s", want)
		}
		if diff := cmp.Diff([]string{want}, Diff(changed, base)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestALineThatOneReleaseDoesNotKnow(t *testing.T) {
	if d := Diff([]string{"a: 1", "b: 2", "d: 3"}, []string{"b: 2", "a: 1", "c: 3"}); d != nil {
		t.Errorf("%q", d)
	}
}

// TestSettingsOfOlderReleasesHaveTheSameDigest: an upgrade of one agent after the other is no difference of their files.
func TestSettingsOfOlderReleasesHaveTheSameDigest(t *testing.T) {
	all := threeNodes().Settings(orders())
	older := all[:len(all)-2]
	if all.Digest() != older.Digest() {
		t.Errorf("%q and %q", all, older)
	}
}
