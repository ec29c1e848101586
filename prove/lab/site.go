package lab

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"redkeep/internal/act/peer"
	"redkeep/internal/client"
	"redkeep/internal/picture"
	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/observer"
	"redkeep/internal/stage/writer"
	"redkeep/internal/words"
)

const (
	secret = "a-secret-of-the-lab"
	group  = words.Group("orders")
)

// Plan is what a site is made of.
type Plan struct {
	Lease, DownAfter time.Duration
	// Data are the hosts with a server; default all.
	Data []string
	// Fresh starts every server as an empty master; otherwise h1 is the master and the others are its replicas.
	Fresh bool
	// AppendOnly keeps the servers' data on disk.
	AppendOnly bool
	// Extra are lines for the end of the configuration's group.
	Extra string
	// Quiet leaves out the clients that try to write to each server: nothing is to happen.
	Quiet bool
	// Hosts are the nodes; default h1, h2, h3.
	Hosts []string
	// NoVIP leaves the group without a virtual address: its clients find the master as those of Sentinel do.
	NoVIP bool
	// IPv6 has the nodes talk, and the group's clients connect, by IPv6 alone.
	IPv6 bool
	// Both gives the group two virtual addresses, one of each family.
	Both bool
	// Guests are further hosts that are no nodes.
	Guests []string
}

// Site is three hosts with servers and agents, as a user has them.
type Site struct {
	*stage.Stage
	t      testing.TB
	plan   Plan
	file   string
	agents map[string]*stage.Process
	redis  map[string]*stage.Redis
	watch  *clock.Watcher
	marks  []string
	// observers ask for the group's addresses from hosts that do nothing else; none where it has no address.
	observers []*observer.Observer

	// begun is when the test began; boot is added to the wall clock's time for CLOCK_BOOTTIME's.
	begun, boot clock.Instant
	// clients are all writers and probers; lives are the agents of each node, in the order of their starts; frozen is when
	// the test had stopped one of them.
	clients []*writer.Writer
	finders []writer.Finder
	probed  bool
	// guilty says that the judge must find something, or it is blind.
	guilty bool
	// shared says that the test itself gave two hosts the group's address, and let both answer: the onlooker must find it.
	shared bool
	// astray is for how long a second host may take connections on the group's address, where the test gave it that by hand: a
	// replica that is open to readers serves who comes by its hardware address, until its agent has removed the address. The gate
	// keeps the address silent there, so that nobody is led to it.
	astray time.Duration
	lives  map[string][]*stage.Process
	frozen []quiet
}

// binary is the program under test, built once for a run of the tests.
var binary string

// build builds the program.
func build() (string, func(), error) {
	dir, err := os.MkdirTemp("", "redkeep-lab-")
	if err != nil {
		return "", nil, err
	}
	path := filepath.Join(dir, "redkeep")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "redkeep/cmd/redkeep")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("build redkeep: %w: %s", err, out)
	}
	return path, func() { _ = os.RemoveAll(dir) }, nil
}

// newSite makes the hosts, starts servers and agents, and waits until the group has a writable master.
func newSite(t testing.TB, p Plan) *Site {
	s := bareSite(t, p)
	s.startServers()
	s.startAgents()
	s.awaitMaster(20 * time.Second)
	return s
}

// bareSite makes the hosts and the configuration, and starts nothing.
func bareSite(t testing.TB, p Plan) *Site {
	t.Helper()
	if test, ok := t.(*testing.T); ok {
		test.Parallel() // sites wait more than they work; for numbers worth quoting run them with -parallel 1
	}
	if len(p.Hosts) == 0 {
		p.Hosts = []string{"h1", "h2", "h3"}
	}
	if len(p.Data) == 0 {
		p.Data = p.Hosts
	}
	if p.Lease == 0 {
		p.Lease = time.Second
	}
	if p.DownAfter == 0 {
		p.DownAfter = time.Second
	}
	watch, err := clock.Watch()
	if err != nil {
		t.Fatal(err)
	}
	st, err := stage.New(context.Background(), stage.Options{Hosts: p.Hosts, Guests: append([]string{onlooker}, p.Guests...)})
	if err != nil {
		t.Fatal(err)
	}
	s := &Site{
		Stage: st, t: t, plan: p, agents: map[string]*stage.Process{}, redis: map[string]*stage.Redis{}, watch: watch,
		begun: clock.Now(), lives: map[string][]*stage.Process{},
	}
	s.boot = s.begun - clock.Instant(time.Now().UnixNano())
	t.Cleanup(s.end)
	s.file = filepath.Join(st.Dir(), "redkeep.yaml")
	s.configure(s.config())
	return s
}

// config is the file that every node has.
func (s *Site) config() string {
	var b strings.Builder
	fmt.Fprintf(&b, "secret: %s\nlease: %v\ndown_after: %v\nnodes:\n", secret, s.plan.Lease, s.plan.DownAfter)
	for _, h := range s.plan.Hosts {
		fmt.Fprintf(&b, "  %s: %q\n", h, s.addr(h))
	}
	fmt.Fprintf(&b, "groups:\n  %s:\n    redis: 6379\n    data: [%s]\n", group, strings.Join(s.plan.Data, ", "))
	if !s.plan.NoVIP {
		fmt.Fprintf(&b, "    vip: %s\n", list(s.vips()))
	}
	b.WriteString(s.plan.Extra) // last: it may end the groups
	return b.String()
}

func (s *Site) configure(text string) {
	if err := os.WriteFile(s.file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Site) startServers() {
	s.t.Helper()
	for i, h := range s.plan.Data {
		c := stage.RedisConfig{AppendOnly: s.plan.AppendOnly}
		if i > 0 && !s.plan.Fresh {
			c.ReplicaOf = s.Host(s.plan.Data[0]).Port(stage.DefaultPort)
		}
		r, err := s.Host(h).StartRedis(context.Background(), c)
		if err != nil {
			s.t.Fatal(err)
		}
		s.redis[h] = r
	}
}

func (s *Site) startAgents() {
	for _, h := range s.plan.Hosts {
		s.startAgent(h)
	}
}

// startAgent starts a node's agent as the README does.
func (s *Site) startAgent(h string) {
	s.t.Helper()
	p, err := s.Host(h).Start(stage.Command{
		Name: "redkeep", Path: binary,
		Args: []string{"run", "-c", s.file, "--node", h, "--state-dir", filepath.Join(s.Host(h).Dir(), "state")},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.agents[h] = p
	s.lives[h] = append(s.lives[h], p)
}

// end stops the site, judges what happened, and shows the agents' logs of a test that failed.
func (s *Site) end() {
	for _, w := range s.clients {
		w.Stop()
	}
	for _, f := range s.finders {
		f.Close()
	}
	s.judged()
	s.judgedAddress()
	if s.t.Failed() || *logs {
		for _, m := range s.marks {
			s.t.Log(m)
		}
		for _, h := range s.plan.Hosts {
			s.t.Logf("---- %s\n%s", h, tail(filepath.Join(s.Host(h).Dir(), "redkeep.log"), 12000))
		}
	}
	s.watch.Stop()
	if err := s.Close(); err != nil {
		s.t.Error(err)
	}
}

func tail(path string, n int) string {
	b, _ := os.ReadFile(path)
	return string(b[max(0, len(b)-n):])
}

// mark notes what the test did, for the log of one that fails.
func (s *Site) mark(format string, args ...any) {
	s.marks = append(s.marks, time.Now().UTC().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// status asks a node's agent.
func (s *Site) status(h string) (picture.Group, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var g picture.Group
	err := s.ask(ctx, h, func(c *client.Client) error {
		n, err := c.Status(ctx)
		if err == nil {
			g, _ = n.Group(group)
		}
		return err
	})
	return g, err
}

// ask connects to a node's agent from its own host.
func (s *Site) ask(ctx context.Context, h string, f func(*client.Client) error) error {
	var conn *peer.Conn
	var err error
	host := s.Host(h)
	if doErr := host.Do(func() {
		conn, err = peer.Dial(ctx, netip.AddrPortFrom(s.addr(h), 26380).String(), []byte(secret), peer.CommandLine)
	}); doErr != nil {
		return doErr
	}
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return f(client.New(conn))
}

// master returns the node that says of itself that it is the writable master.
func (s *Site) master() (words.Node, bool) {
	for _, h := range s.plan.Data {
		if g, err := s.status(h); err == nil && g.State == picture.StateHolder && g.Writable {
			return words.Node(h), true
		}
	}
	return "", false
}

// awaitMaster waits for a writable master.
func (s *Site) awaitMaster(within time.Duration) string {
	s.t.Helper()
	var found words.Node
	s.await(within, "a writable master", func() bool {
		n, ok := s.master()
		found = n
		return ok
	})
	s.probe()
	return string(found)
}

// awaitReady waits until a failover could succeed with nothing lost.
func (s *Site) awaitReady(within time.Duration) string {
	s.t.Helper()
	m, said := s.awaitMaster(within), ""
	s.await(within, "every replica in sync", func() bool {
		why := s.unready(m)
		if why != said {
			s.mark("%s: %s", m, why)
		}
		said = why
		return why == ""
	})
	return m
}

// unready is what a failover would fail for, or lose, as the master says; empty where there is nothing.
func (s *Site) unready(m string) string {
	g, err := s.status(m)
	if err != nil {
		return err.Error()
	}
	var late []string
	for _, mem := range g.Members {
		if v := mem.Server; mem.Data && string(mem.Node) != m && (!mem.InSync || v.ReplID != s.self(g).Server.ReplID) {
			late = append(late, fmt.Sprintf("%s in sync %v, link %v, copying %v, history %.8s, %v", mem.Node, mem.InSync, v.LinkUp, v.Syncing, v.ReplID, mem.Unfit))
		}
	}
	if len(late) == 0 && !g.Ready {
		late = append(late, fmt.Sprintf("not ready: %v", g.Why))
	}
	return strings.Join(late, "; ")
}

func (s *Site) self(g picture.Group) picture.Member {
	m, _ := g.Member(g.Self)
	return m
}

// await polls a condition of the real world, which nothing announces.
func (s *Site) await(within time.Duration, what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(within); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("no %s within %v", what, within)
		}
	}
}

// write starts the application, which writes each millisecond: a client that knows the group's address and nothing of Sentinel,
// or with -lab.via=sentinel, and where the group has none, one that finds the master as clients of Sentinel do.
func (s *Site) write() *writer.Writer {
	s.t.Helper()
	o := writer.Options{Interval: time.Millisecond}
	if s.plan.NoVIP || *via == "sentinel" {
		o.Finder = s.FindBySentinel(string(group))
		s.finders = append(s.finders, o.Finder)
		w, err := s.Write(context.Background(), o)
		return s.join(w, err)
	}
	w, err := s.WriteFixed(context.Background(), s.service(), o)
	return s.join(w, err)
}

// join has a client judged with the others.
func (s *Site) join(w *writer.Writer, err error) *writer.Writer {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	s.clients = append(s.clients, w)
	return w
}

// probe has a client try to write to each data host's server without pause, whoever is master. It begins with the first
// master: a group that was never leased has promised nothing, and servers that are to be empty must stay so.
func (s *Site) probe() {
	s.t.Helper()
	if s.probed || s.plan.Quiet {
		return
	}
	s.probed = true
	s.observe()
	for _, h := range s.plan.Data {
		w, err := s.Probe(context.Background(), h, stage.DefaultPort, probeEvery)
		if err != nil {
			s.t.Fatal(err)
		}
		s.clients = append(s.clients, w)
	}
}

// probeEvery leaves the two cores of the machine to what is measured.
const probeEvery = 2 * time.Millisecond
