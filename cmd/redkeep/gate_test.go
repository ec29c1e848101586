package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"redkeep/internal/act/gate"
	"redkeep/internal/act/store"
	"redkeep/internal/speak/record"
	"redkeep/internal/stage/namespace"
	"redkeep/internal/stage/need"
	"redkeep/internal/words"
)

const gateFile = `secret: a-shared-secret
nodes: {h1: 203.0.113.1, h2: 203.0.113.2, h3: 203.0.113.3}
groups:
  orders: {redis: 6379}
  fresh: {redis: 6380}
  judged: {redis: 6381, data: [h1, h2]}
  loose: {redis: 6382, gate: off}
  served: {redis: 6383, data: [h1, h2], vip: {address: 203.0.113.9, dev: lo}}
`

// gateHost is a host of its own with a configuration and a state directory, as after a reboot: no gate, no network.
type gateHost struct {
	t      *testing.T
	thread *namespace.Thread
	file   string
	dir    string
}

func newGateHost(t *testing.T) *gateHost {
	t.Helper()
	thread, err := namespace.Open()
	if err != nil {
		need.Right(t, "needs network namespaces: ", err)
	}
	t.Cleanup(thread.Close)
	h := &gateHost{t: t, thread: thread, file: filepath.Join(t.TempDir(), "redkeep.yaml"), dir: filepath.Join(t.TempDir(), "state")}
	if err := os.WriteFile(h.file, []byte(gateFile), 0o600); err != nil {
		t.Fatal(err)
	}
	return h
}

// keep stores what an agent of this host would have.
func (h *gateHost) keep(records map[words.Group]words.Register) {
	h.t.Helper()
	s, err := store.Open(h.dir)
	if err != nil {
		h.t.Fatal(err)
	}
	for name, r := range records {
		if err := s.Save(name, record.Append(nil, r)); err != nil {
			h.t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		h.t.Fatal(err)
	}
}

// run runs a command on the host and wants its exit code; it returns what it printed.
func (h *gateHost) run(want code, args ...string) (out, errors string) {
	h.t.Helper()
	var o, e bytes.Buffer
	var got code
	if err := h.thread.Do(func() {
		got = execute(h.t.Context(), args, streams{in: strings.NewReader(""), out: &o, err: &e})
	}); err != nil {
		h.t.Fatal(err)
	}
	if got != want {
		h.t.Fatalf("%v: exit code %d, want %d: %s%s", args, got, want, o.String(), e.String())
	}
	return o.String(), e.String()
}

func (h *gateHost) shut(want code, more ...string) (out, errors string) {
	h.t.Helper()
	return h.run(want, append([]string{"gate", "shut", "-c", h.file, "--state-dir", h.dir}, more...)...)
}

func (h *gateHost) show() (v viewedGate) {
	h.t.Helper()
	out, _ := h.run(exitDone, "gate", "show", "-o", "json")
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		h.t.Fatal(err)
	}
	return v
}

// lived is what an agent keeps of a group that was leased.
func lived(server words.RunID) words.Register {
	return words.Register{
		Admitted: true, Vote: words.Ballot{Epoch: 3, Holder: "h1"}, Rows: []words.Row{{Epoch: 3, Holder: "h1"}},
		Record: words.Record{RunID: server, Role: words.RoleReplica},
	}
}

// TestGateIsShutAtBoot runs before the network is up, on a host that can't know its name.
func TestGateIsShutAtBoot(t *testing.T) {
	h := newGateHost(t)
	if out, _ := h.shut(exitDone); strings.Count(out, "left alone, no agent has run with the state directory "+h.dir+"; if it has another, name that with --state-dir\n") != 4 || h.show().Exists {
		t.Errorf("on a fresh machine: %s, %+v", out, h.show())
	}
	h.keep(map[words.Group]words.Register{"orders": lived("a"), "judged": lived(""), "served": lived("b"), "loose": lived("c")})
	out, _ := h.shut(exitDone)
	for _, line := range []string{
		"fresh: left alone, it was never leased here", "judged: left alone, this host is a witness",
		"loose: left alone, gate: off in the file", "orders: shut", "served: shut",
	} {
		if !strings.Contains(out, line+"\n") {
			t.Errorf("no %q in\n%s", line, out)
		}
	}
	v := h.show()
	if len(v.Groups) != 2 || v.Agent || v.Groups[0].Group != "orders" || v.Groups[0].Passes || v.Groups[0].Mode != "shut" {
		t.Errorf("%+v", v)
	}
	text, _ := h.run(exitDone, "gate", "show")
	if !strings.Contains(text, "orders  6379   shut  refused  -    0\n") || !strings.Contains(text, "no agent holds it") ||
		!strings.Contains(text, "served: this host may not answer for 203.0.113.9\n") {
		t.Errorf("got\n%s", text)
	}
	h.shut(exitDone) // It may be repeated, as before each start of a server.
	if _, complaint := h.shut(exitUsage, "order"); !strings.Contains(complaint, `the file has no group "order"`) {
		t.Error(complaint)
	}
}

// TestGateShutBeforeTheSetUp runs as a server's drop-in does on a host where nobody has written the file yet.
func TestGateShutBeforeTheSetUp(t *testing.T) {
	h := newGateHost(t)
	if err := os.Remove(h.file); err != nil {
		t.Fatal(err)
	}
	if out, _ := h.shut(exitDone); !strings.Contains(out, "nothing to shut: there is no "+h.file) {
		t.Error(out)
	}
	h.keep(map[words.Group]words.Register{"orders": lived("a")})
	h.shut(exitUsage) // What was leased here can't be known without the file.
}

// TestDamagedRecordCountsAsLeased shuts where it can't be known what this host has promised.
func TestDamagedRecordCountsAsLeased(t *testing.T) {
	h := newGateHost(t)
	h.keep(map[words.Group]words.Register{"orders": lived("a")})
	if err := os.Remove(filepath.Join(h.dir, "group-orders")); err != nil {
		t.Fatal(err)
	}
	if out, _ := h.shut(exitDone, "orders"); out != "orders: shut\n" {
		t.Error(out)
	}
}

// TestGateShowsWhatNobodyMinds names a group that has gone from the file before it was left.
func TestGateShowsWhatNobodyMinds(t *testing.T) {
	h := newGateHost(t)
	h.keep(map[words.Group]words.Register{"orders": lived("")})
	h.shut(exitDone)
	without := strings.Replace(gateFile, "  orders: {redis: 6379}\n", "", 1)
	if err := os.WriteFile(h.file, []byte(without), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := h.run(exitDone, "gate", "show", "-c", h.file)
	if !strings.Contains(out, "orders: not in "+h.file+", so nobody minds it") || strings.Contains(out, "fresh: not in") {
		t.Errorf("shown:\n%s", out)
	}
}

// TestAnOpeningThatIsOverIsShown forces a gate open for a moment.
func TestAnOpeningThatIsOverIsShown(t *testing.T) {
	h := newGateHost(t)
	h.keep(map[words.Group]words.Register{"orders": lived("a")})
	h.shut(exitDone, "orders")
	h.run(exitDone, "gate", "open", "-c", h.file, "orders", "--force", "--yes", "--for", "20ms")
	limit := time.Now().Add(10 * time.Second)
	for h.show().Groups[0].Passes {
		if time.Now().After(limit) {
			t.Fatal("it stays open")
		}
	}
	if text, _ := h.run(exitDone, "gate", "show"); !strings.Contains(text, "orders  6379   shut, an opening is over  refused  -    0\n") {
		t.Errorf("got\n%s", text)
	}
}

// TestGateOpensByForceForATime wants the person's word, twice.
func TestGateOpensByForceForATime(t *testing.T) {
	h := newGateHost(t)
	open := func(want code, more ...string) (string, string) {
		t.Helper()
		return h.run(want, append([]string{"gate", "open", "-c", h.file}, more...)...)
	}
	if out, _ := open(exitDone, "orders", "--force"); out != "orders: not shut, everything passes already\n" || h.show().Exists {
		t.Errorf("%s %+v", out, h.show())
	}
	h.keep(map[words.Group]words.Register{"orders": lived("a")})
	h.shut(exitDone, "orders")
	for _, c := range []struct {
		want code
		args []string
		says string
	}{
		{exitUsage, []string{"--force", "--yes"}, "name the group that is meant: orders, fresh"},
		{exitRefused, []string{"orders"}, "the writes of one side are lost; if that can't happen, add --force"},
		{exitRefused, []string{"orders", "--force"}, "nobody can be asked here, so add --yes"},
		{exitUsage, []string{"orders", "--force", "--for", "25h"}, "up to 24h"},
		{exitUsage, []string{"orders", "--force", "--for", "-1m"}, "up to 24h"},
	} {
		if _, complaint := open(c.want, c.args...); !strings.Contains(complaint, c.says) {
			t.Errorf("%v: %s", c.args, complaint)
		}
	}
	if h.show().Groups[0].Passes {
		t.Fatal("it is open")
	}
	if out, _ := open(exitDone, "orders", "--force", "--yes", "--for", "1h"); out != "orders: open for 1h0m0s; to shut it before: redkeep gate shut orders\n" {
		t.Error(out)
	}
	g := h.show().Groups[0]
	if !g.Passes || g.LeftMS == nil || *g.LeftMS > 3_600_000 || *g.LeftMS < 3_500_000 {
		t.Errorf("%+v", g)
	}
	h.shut(exitDone, "orders")
	if h.show().Groups[0].Passes {
		t.Error("it is still open")
	}
}

// TestGateBesideAnAgent only looks: the agent shuts it when it sees the server die, and opens it as its lease allows.
func TestGateBesideAnAgent(t *testing.T) {
	h := newGateHost(t)
	h.keep(map[words.Group]words.Register{"orders": lived("a")})
	var agent *gate.Hand
	if err := h.thread.Do(func() {
		var err error
		if agent, err = gate.Open(t.Context(), gate.Config{}); err != nil {
			t.Error(err)
		}
	}); err != nil || t.Failed() {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = agent.Close() })
	set := func(m gate.Mode) {
		t.Helper()
		if err := agent.Set("orders", gate.Want{Ports: []uint16{6379}, Mode: m}); err != nil {
			t.Fatal(err)
		}
	}
	set(gate.Shut)
	if v := h.show(); !v.Agent {
		t.Skip("this kernel's tables have no owner, as those before 6.9 have none: ", fmt.Sprint(v))
	}
	h.shut(exitDone, "orders")
	if _, complaint := h.run(exitRefused, "gate", "open", "-c", h.file, "orders", "--force", "--yes"); !strings.Contains(complaint, "redkeep explain says what is in the way") {
		t.Error(complaint)
	}
	set(gate.Opened)
	if _, complaint := h.shut(exitRefused, "orders"); !strings.Contains(complaint, "keeps orders open for a server that it knows") ||
		!strings.Contains(complaint, "waiting for the running agent to shut the gate") {
		t.Error(complaint)
	}
}
