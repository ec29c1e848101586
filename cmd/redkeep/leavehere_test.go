package main

import (
	"strings"
	"testing"

	"redkeep/internal/words"
)

// leaveHere runs `redkeep leave --here` on the host.
func (h *gateHost) leaveHere(want code, more ...string) (out, errors string) {
	h.t.Helper()
	return h.run(want, append([]string{"leave", "--here", "-c", h.file, "--state-dir", h.dir}, more...)...)
}

// TestLeaveHereOpensNoShutGateUnasked leaves a host whose agent was never there, was killed, and has left.
func TestLeaveHereOpensNoShutGateUnasked(t *testing.T) {
	h := newGateHost(t)
	if out, _ := h.leaveHere(exitDone); out != "there is no gate\n" {
		t.Error(out)
	}
	h.keep(map[words.Group]words.Register{"orders": lived("a")})
	h.shut(exitDone)
	if _, complaint := h.leaveHere(exitRefused); !strings.Contains(complaint, "the gate is shut in front of orders") {
		t.Error(complaint)
	}
	// An opening that ends by itself is a shut gate a little later.
	h.run(exitDone, "gate", "open", "-c", h.file, "orders", "--force", "--yes", "--for", "1h")
	h.leaveHere(exitRefused)
	if v := h.show(); !v.Exists {
		t.Error("the gate is gone")
	}
	out, _ := h.leaveHere(exitDone, "--force")
	if !strings.HasPrefix(out, "the gate is gone\norders: not left, so this host's server still starts as a replica of nothing") || h.show().Exists {
		t.Errorf("%s %+v", out, h.show())
	}
	left := lived("a")
	left.Left = true
	h.keep(map[words.Group]words.Register{"orders": left})
	if out, _ := h.leaveHere(exitDone); out != "there is no gate\n" {
		t.Error(out)
	}
}

// TestLeaveFlags keeps the three ways apart.
func TestLeaveFlags(t *testing.T) {
	h := newGateHost(t)
	for _, args := range [][]string{{"--all", "--here"}, {"--all", "--group", "orders"}, {"--force"}} {
		if _, complaint := h.run(exitUsage, append([]string{"leave", "-c", h.file}, args...)...); complaint == "" {
			t.Errorf("%v: no word", args)
		}
	}
}
