package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/show/api"
	"redkeep/internal/stage"
	"redkeep/internal/stage/namespace"
	"redkeep/internal/stage/need"
	"redkeep/internal/words"
)

// agentSite is three hosts with servers and agents, and commands that are typed on them.
type agentSite struct {
	*stage.Stage
	t       *testing.T
	program string
	file    string
	agents  map[string]*stage.Process
	servers map[string]*stage.Redis
}

// newAgentSite starts all of it; the lines go into the file of h3's server.
func newAgentSite(t *testing.T, lines ...string) *agentSite {
	t.Helper()
	if testing.Short() {
		t.Skip("starts real servers")
	}
	if _, err := stage.FindRedis(); err != nil {
		need.Program(t, err)
	}
	if err := namespace.Probe(); err != nil {
		need.Right(t, "needs network namespaces: ", err)
	}
	st, err := stage.New(t.Context(), stage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// Called by this name, the test's program is the product.
	s := &agentSite{Stage: st, t: t, program: filepath.Join(t.TempDir(), "redkeep"), file: filepath.Join(st.Dir(), "redkeep.yaml"), agents: map[string]*stage.Process{}, servers: map[string]*stage.Redis{}}
	if err := os.Symlink(self, s.program); err != nil {
		t.Fatal(err)
	}
	text := "secret: a-shared-secret\nlease: 1s\ndown_after: 1s\nnodes: {h1: 10.77.0.11, h2: 10.77.0.12, h3: 10.77.0.13}\ngroups: {orders: {redis: 6379}}\n"
	if err := os.WriteFile(s.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, h := range st.Hosts() {
		c := stage.RedisConfig{}
		if i > 0 {
			c.ReplicaOf = st.Hosts()[0].Port(stage.DefaultPort)
		}
		if h.Name() == "h3" {
			c.Extra = lines
		}
		if s.servers[h.Name()], err = h.StartRedis(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range st.Hosts() {
		p, err := h.Start(stage.Command{Name: "agent", Path: s.program, Args: []string{"run", "-c", s.file, "--state-dir", filepath.Join(h.Dir(), "state")}})
		if err != nil {
			t.Fatal(err)
		}
		s.agents[h.Name()] = p
	}
	return s
}

// output collects what a program prints.
type output struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) count(text string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Count(o.text.String(), text)
}

// typed runs a command on a host, as a person there would, and returns its exit code and all that it printed.
func (s *agentSite) typed(host string, args ...string) (code, string) {
	s.t.Helper()
	var o output
	p, err := s.Host(host).Start(stage.Command{Name: "typed", Path: s.program, Args: withFile(args, s.file), Output: &o})
	if err != nil {
		s.t.Fatal(err)
	}
	select {
	case <-p.Done():
	case <-time.After(30 * time.Second):
		s.t.Fatalf("%v does not end", args)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	_, err = p.End()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return code(exit.ExitCode()), o.text.String()
	}
	return exitDone, o.text.String()
}

// want runs a command that must end with a code, and print these texts.
func (s *agentSite) want(c code, host string, command string, texts ...string) {
	s.t.Helper()
	got, text := s.typed(host, strings.Fields(command)...)
	s.t.Logf("%s# redkeep %s\n%s", host, command, text)
	if got != c {
		s.t.Errorf("%s on %s: exit code %d, want %d", command, host, got, c)
	}
	for _, w := range texts {
		if !strings.Contains(text, w) {
			s.t.Errorf("%s on %s: no %q in\n%s", command, host, w, text)
		}
	}
}

// status asks a host's agent until the answer will do.
func (s *agentSite) status(host, what string, ok func(api.GroupStatus) bool) api.GroupStatus {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	for {
		_, text := s.typed(host, "status", "-o", "json")
		var n api.NodeStatus
		if err := json.Unmarshal([]byte(text), &n); err == nil && len(n.Groups) == 1 && ok(n.Groups[0]) {
			return n.Groups[0]
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			s.t.Fatalf("%s: not seen by %s: %s", what, host, text)
		}
	}
}

// TestCommandsAskRealAgents types every command that asks an agent on a site of three hosts.
func TestCommandsAskRealAgents(t *testing.T) {
	s := newAgentSite(t)
	whole := func(g api.GroupStatus) bool { return g.Writable && g.CanFailOver && g.Fence == "hard" }
	g := s.status("h1", "a whole group with a hard fence", whole)
	if g.Master != "h1" {
		t.Fatalf("%s is master, and not the one that was", g.Master)
	}
	s.want(exitDone, "h1", "status", "orders: h1 is master and writable", "could fail over now: yes", "NODE", "hard")
	s.want(exitDone, "h2", "status --addr 10.77.0.13:26380", "seen by h3")
	s.want(exitDone, "h3", "status --node h1", "seen by h1")
	s.want(exitDone, "client", "status --addr 10.77.0.11:26380", "seen by h1")
	s.want(exitUsage, "client", "status", "name an agent with --addr HOST:PORT")
	s.want(exitDone, "h1", "explain", "who would win an election now:", "would win")
	s.want(exitDone, "h1", "history --since 1h --last 50", "was elected")
	s.want(exitDone, "h1", "gate show", "orders  6379", "pass", "held by the running agent")
	s.want(exitRefused, "h1", fmt.Sprintf("gate shut --state-dir %s/state", s.Host("h1").Dir()), "keeps orders open for a server that it knows")
	s.want(exitUsage, "h1", "switchover --group carts", `h1 has no group "carts"; name one of: orders`)
	s.want(exitUsage, "h1", "switchover --to h9", "name one of: ")
	s.want(exitRefused, "h1", "bootstrap --master h2", "the master's agent on h1 is still heard")
	s.want(exitDone, "h3", "switchover --to h2", "switched over") // passed on to the master's agent
	s.status("h2", "the new master", func(g api.GroupStatus) bool { return g.Master == "h2" && whole(g) })
	s.want(exitRefused, "h2", "switchover --to h2", "h2 is the master already")
	s.pauses()
	s.watches()

	wrong := filepath.Join(s.Dir(), "wrong.yaml")
	text, err := os.ReadFile(s.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(wrong, bytes.Replace(text, []byte("a-shared"), []byte("another-"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	right := s.file
	s.file = wrong
	s.want(exitUsage, "h1", "status", "another secret")
	s.file = right

	s.loseMajority()
}

// pauses pauses the group from one node, looks from another, and resumes from the third.
func (s *agentSite) pauses() {
	s.t.Helper()
	s.want(exitDone, "h3", "pause --for 10m --reason maintenance", "orders: paused for 10m0s, until ", "redkeep resume")
	s.status("h1", "the pause", func(g api.GroupStatus) bool {
		return g.Writable && !g.CanFailOver && g.Pause != nil && g.Pause.By == "h3" && g.Pause.Text == "maintenance" && g.Pause.LeftMS > 500_000
	})
	s.want(exitDone, "h1", "status", "no failover: paused for ", " more by h3: maintenance", "redkeep resume", "could fail over now: no")
	s.want(exitDone, "h1", "explain", "more by h3: maintenance")
	s.want(exitDone, "h2", "history", "the group is paused by h3", "(maintenance)")
	s.want(exitDone, "h1", "resume --group orders", "orders: not paused; failovers happen")
	s.status("h2", "the end of the pause", func(g api.GroupStatus) bool { return g.Pause == nil && g.CanFailOver })
}

// watches looks at the status again and again, until Ctrl-C.
func (s *agentSite) watches() {
	s.t.Helper()
	var o output
	p, err := s.Host("h2").Start(stage.Command{Name: "watch", Path: s.program, Args: withFile([]string{"status", "--watch", "--interval", "100ms"}, s.file), Output: &o})
	if err != nil {
		s.t.Fatal(err)
	}
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for o.count("seen by h2") < 3 {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-limit.C:
			s.t.Fatalf("it is not shown again: %s", p.Log())
		}
	}
	if err := p.Signal(unix.SIGINT); err != nil {
		s.t.Fatal(err)
	}
	<-p.Done()
	if _, err := p.End(); err != nil {
		s.t.Errorf("Ctrl-C: %v", err)
	}
}

// TestAMasterLostUnderAPause kills the master's server while the group is paused, and resumes it by hand.
func TestAMasterLostUnderAPause(t *testing.T) {
	s := newAgentSite(t)
	whole := func(g api.GroupStatus) bool { return g.Writable && g.CanFailOver }
	s.status("h1", "a whole group", whole)
	s.want(exitDone, "h2", "pause --for 10m --reason maintenance", "orders: paused for 10m0s")
	if _, err := s.servers["h1"].Kill(); err != nil {
		t.Fatal(err)
	}
	g := s.status("h3", "that nobody is elected", func(g api.GroupStatus) bool {
		return !g.Writable && len(g.Why) > 0 && g.Why[0].Code == words.Paused
	})
	if g.Master != "h1" || g.Pause == nil {
		t.Errorf("%+v", g)
	}
	s.want(exitDone, "h3", "status", "orders: not writable; the last master was h1", "no failover: paused for ", "by h2: maintenance; go on with: redkeep resume")
	s.want(exitDone, "h3", "resume", "orders: not paused")
	s.status("h3", "the next master", func(g api.GroupStatus) bool { return g.Writable && g.Master != "h1" && g.Pause == nil })
	s.want(exitDone, "h3", "history", "the group is paused by h2", "h3 has ended the pause, failovers happen again")
}

// TestFilesThatDiffer restarts an agent with other values in its file, and then with another secret: the others say in what it differs.
func TestFilesThatDiffer(t *testing.T) {
	s := newAgentSite(t)
	s.status("h1", "a whole group", func(g api.GroupStatus) bool { return g.Writable && g.CanFailOver })
	text, err := os.ReadFile(s.file)
	if err != nil {
		t.Fatal(err)
	}
	member := func(g api.GroupStatus, n words.Node) api.MemberStatus {
		for _, m := range g.Members {
			if m.Node == n {
				return m
			}
		}
		return api.MemberStatus{}
	}
	s.restartWith("h3", strings.NewReplacer("lease: 1s", "lease: 2s", "6379}}", "6379, data: [h1, h3]}}").Replace(string(text)))
	g := s.status("h1", "what differs", func(g api.GroupStatus) bool { return len(member(g, "h3").Differences) > 0 })
	if m := member(g, "h3"); !m.Differs || !m.OtherSettings {
		t.Errorf("%+v", m)
	}
	s.want(exitDone, "h1", "status", "! h3 defines this group otherwise than h1", "- data: h1 h2 h3 here, h1 h3 there", "- lease: 1s here, 2s there")
	s.status("h3", "what differs", func(g api.GroupStatus) bool { return len(member(g, "h1").Differences) > 0 })
	s.want(exitDone, "h3", "status", "! h1 defines this group otherwise than h3", "- lease: 2s here, 1s there")
	s.restartWith("h3", strings.Replace(string(text), "a-shared", "another", 1))
	s.status("h1", "that it is refused", func(g api.GroupStatus) bool {
		return member(g, "h3").Unfit != nil && member(g, "h3").Unfit.Code == words.PeerRefused
	})
	s.want(exitDone, "h1", "status", "what comes from h3 is refused: it was made with another secret", " refused ")
}

// restartWith starts a host's agent anew, with a file of its own.
func (s *agentSite) restartWith(host, text string) {
	s.t.Helper()
	file := filepath.Join(s.Host(host).Dir(), "own.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := s.agents[host].Stop(10 * time.Second); err != nil {
		s.t.Fatal(err)
	}
	p, err := s.Host(host).Start(stage.Command{Name: "agent", Path: s.program, Args: []string{"run", "-c", file, "--state-dir", filepath.Join(s.Host(host).Dir(), "state")}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.agents[host] = p
}

// loseMajority takes two hosts away for good, and goes on with the third.
func (s *agentSite) loseMajority() {
	s.t.Helper()
	for _, h := range []string{"h1", "h2"} {
		if err := s.PowerOff(h); err != nil {
			s.t.Fatal(err)
		}
	}
	s.status("h3", "that a majority is lost", func(g api.GroupStatus) bool { return !g.Writable })
	s.want(exitNoAgent, "h3", "status --node h1", "ask the agent")
	s.want(exitRefused, "h3", "recover", "make sure that they are down for good")
	s.want(exitDone, "h3", "recover --alone --accept-loss", "this node is the only voter now")
	s.status("h3", "a master alone", func(g api.GroupStatus) bool { return g.Master == "h3" && g.Writable })
	if err := s.agents["h3"].Stop(10 * time.Second); err != nil {
		s.t.Error(err)
	}
	s.want(exitNoAgent, "h3", "status", "is the agent running there?")
	s.want(exitDone, "h3", fmt.Sprintf("gate shut --state-dir %s/state", s.Host("h3").Dir()), "orders: shut")
	s.want(exitDone, "h3", "gate open orders --force --yes", "orders: open for 10m0s")
}

// TestStatusNamesTheWayRoundAFence has a server with a unix socket for everybody.
func TestStatusNamesTheWayRoundAFence(t *testing.T) {
	s := newAgentSite(t, "unixsocket "+filepath.Join(t.TempDir(), "s"), "unixsocketperm 777")
	g := s.status("h3", "a fence that is not hard", func(g api.GroupStatus) bool { return g.Fence == "partial" && strings.Contains(g.FenceWhy, "unix") })
	if !strings.Contains(g.FenceWhy, "set unixsocketperm 700 in its file") {
		t.Error(g.FenceWhy)
	}
	s.status("h1", "h3's fence, from elsewhere", func(g api.GroupStatus) bool {
		fences := map[string]string{}
		for _, m := range g.Members {
			fences[string(m.Node)] = m.Fence
		}
		return fences["h1"] == "hard" && fences["h2"] == "hard" && fences["h3"] == "partial"
	})
	s.want(exitDone, "h3", "status", "! fence of h3: partial, others may connect to the server's unix socket")
}

// TestLeaveLetsServersBe takes Redkeep away while the agents still run.
func TestLeaveLetsServersBe(t *testing.T) {
	s := newAgentSite(t)
	s.status("h1", "a whole group", func(g api.GroupStatus) bool { return g.Master == "h1" && g.CanFailOver })
	s.want(exitDone, "h2", "leave", "all agents have let the group go") // passed on to the master's agent
	for _, h := range s.Hosts() {
		s.status(h.Name(), "that the group was left", func(g api.GroupStatus) bool { return g.State == "left" })
		s.want(exitDone, h.Name(), "gate show", "no group is judged, everything passes")
		s.want(exitDone, h.Name(), fmt.Sprintf("gate shut --state-dir %s/state", h.Dir()), "orders: left alone, redkeep has left it")
	}
	if err := s.agents["h1"].Stop(10 * time.Second); err != nil {
		t.Error(err)
	}
	birth, err := os.ReadFile(filepath.Join(s.Host("h2").Dir(), "redis-6379.conf"))
	if err != nil || !strings.Contains(string(birth), "replicaof 10.77.0.11 6379") {
		t.Errorf("h2's server does not start as the replica that it is: %v\n%s", err, birth)
	}
}

// TestALeftGroupStartsAnew leaves a group, and has it back by naming its master.
func TestALeftGroupStartsAnew(t *testing.T) {
	s := newAgentSite(t)
	s.status("h1", "a whole group", func(g api.GroupStatus) bool { return g.Master == "h1" && g.CanFailOver })
	s.want(exitDone, "h2", "leave", "all agents have let the group go")
	s.status("h3", "that the group was left", func(g api.GroupStatus) bool { return g.State == "left" })
	was := s.status("h1", "that no lease is left", func(g api.GroupStatus) bool { return g.State == "left" && g.LeaseLeftMS == 0 })
	s.want(exitRefused, "h3", "bootstrap --master h2", "h1's server would be better")
	s.want(exitDone, "h3", "bootstrap --master h1", "have been told")
	for _, h := range s.Hosts() {
		s.status(h.Name(), "a whole group again", func(g api.GroupStatus) bool {
			return g.Master == "h1" && g.Writable && g.Epoch > was.Epoch && g.CanFailOver
		})
	}
}

// withFile adds -c FILE to the commands that take it.
func withFile(args []string, file string) []string {
	if strings.HasPrefix(strings.Join(args, " "), "gate show") {
		return args
	}
	return append(args, "-c", file)
}
