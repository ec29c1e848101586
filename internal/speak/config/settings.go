package config

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// Settings are a group's values that its agents need not agree on: each has its own, and during a rolling edit they differ
// for a while without harm. For good they should not, so that agents compare them, and people are told.
type Settings []string

// Settings returns the values as one labelled line for each, in a fixed order.
func (c *Config) Settings(g Group) Settings {
	s := Settings{
		"lease: " + c.Lease.String(),
		"down_after: " + c.DownAfter.String(),
		"busy_after: " + c.BusyAfter.String(),
		"cold_start_wait: " + c.ColdStartWait.String(),
		"patience: " + c.Patience.String(),
		fmt.Sprintf("gate: %v", g.Gate),
	}
	if g.Prefer != "" {
		s = append(s, "prefer: "+string(g.Prefer), "failback: "+g.FailbackWord())
	}
	if len(c.TieBreakers) > 0 {
		s = append(s, fmt.Sprintf("tie_breakers: %v", c.TieBreakers))
	}
	return append(s, c.listening()...)
}

// Digest is the settings' short name: equal settings have equal ones, and only they.
func (s Settings) Digest() Digest {
	later := func(line string) bool { return line == noListenTLS || line == noListenPassword }
	lines := slices.DeleteFunc(slices.Clone(s), later)
	sum := sha256.Sum256([]byte("redkeep group settings 1\n" + strings.Join(lines, "\n") + "\n"))
	return Digest(sum[:len(Digest{})])
}
