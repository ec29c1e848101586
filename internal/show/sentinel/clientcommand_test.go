package sentinel

import (
	"errors"
	"strings"
	"testing"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

func TestClientsAreListedAndKilled(t *testing.T) {
	s := stage(t, orders(), 0, nil)
	a, b, c := call(t, s.addr), call(t, s.addr), call(t, s.addr)
	a.ask("CLIENT SETNAME a")
	b.ask("CLIENT SETNAME b")
	c.ask("SUBSCRIBE x")
	if got := a.ask("CLIENT LIST"); strings.Count(got, "id=") != 3 || !strings.Contains(got, "name=b age=0 idle=0 flags=N") || !strings.Contains(got, "flags=P db=0 sub=1 psub=0") {
		t.Errorf("%q", got)
	}
	if got := a.ask("CLIENT LIST TYPE pubsub"); strings.Count(got, "id=") != 1 {
		t.Errorf("%q", got)
	}
	if got := a.ask("CLIENT KILL TYPE pubsub"); got != ":1\n" {
		t.Errorf("%q", got)
	}
	c.closed()
	if got := a.ask("CLIENT KILL " + b.conn.LocalAddr().String()); got != "+OK\n" {
		t.Errorf("%q", got)
	}
	b.closed()
	if got := a.ask("CLIENT KILL \"\"") + a.ask("CLIENT KILL ADDR \"\" SKIPME no"); got != "-ERR No such client\n:0\n" {
		t.Errorf("nobody has no address: %q", got)
	}
	// Oneself is spared unless asked for, and gets the reply.
	if got := a.ask("CLIENT KILL USER default"); got != ":0\n" {
		t.Errorf("%q", got)
	}
	if got := a.ask("CLIENT KILL USER default SKIPME no"); got != ":1\n" {
		t.Errorf("%q", got)
	}
	a.closed()
}

func TestRepliesAreHeldBack(t *testing.T) {
	s := stage(t, orders(), 0, nil)
	c := call(t, s.addr)
	for _, line := range []string{"CLIENT REPLY SKIP", "ROLE", "PING 1", "CLIENT REPLY OFF", "PING 2", "NOSUCH", "CLIENT REPLY ON", "PING 3"} {
		c.send(line)
	}
	if got := c.next(3); got != "$1\n1\n+OK\n$1\n3\n" {
		t.Errorf("%q", got)
	}
	c.send("CLIENT REPLY OFF\r\n\"")
	if _, err := c.ahead.ReadByte(); err == nil {
		t.Error("an error is told though nothing is to be")
	}
}

// TestFailover asks for a switchover in all the states that a group may be in.
func TestFailover(t *testing.T) {
	good := func(g *picture.Group) { g.Candidates = []picture.Candidate{{Node: "h2", Place: 1}} }
	for name, c := range map[string]struct {
		do   func(*picture.Group)
		err  error
		want string
	}{
		"it can":         {good, nil, "+OK"},
		"no replica":     {func(*picture.Group) {}, nil, "-NOGOODSLAVE No suitable replica to promote"},
		"a bad replica":  {func(g *picture.Group) { g.Candidates = []picture.Candidate{{Node: "h2"}} }, nil, "-NOGOODSLAVE No suitable replica to promote"},
		"no master":      {func(g *picture.Group) { good(g); g.Writable = false }, nil, "-INPROG Failover already in progress"},
		"called off":     {good, &Refusal{Code: "NOGOODSLAVE", Text: "h2 is not level"}, "-NOGOODSLAVE h2 is not level"},
		"agent can't":    {good, errors.New("the agent is stopping"), "-ERR the agent is stopping"},
		"no such master": {func(g *picture.Group) { g.Name = "carts" }, nil, "-ERR No such master with that name"},
	} {
		t.Run(name, func(t *testing.T) {
			s := stage(t, changed(c.do), 0, func(words.Group) error { return c.err })
			if got := call(t, s.addr).ask("SENTINEL FAILOVER orders"); got != c.want+"\n" {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestOneFailoverAtATime has a second client ask while the first waits.
func TestOneFailoverAtATime(t *testing.T) {
	asked, goOn := make(chan words.Group), make(chan struct{})
	n := changed(func(g *picture.Group) { g.Candidates = []picture.Candidate{{Node: "h2", Place: 1}} })
	s := stage(t, n, 0, func(g words.Group) error {
		asked <- g
		<-goOn
		return nil
	})
	first := call(t, s.addr)
	first.send("SENTINEL FAILOVER orders")
	if g := <-asked; g != "orders" {
		t.Errorf("asked for %q", g)
	}
	if got := call(t, s.addr).ask("SENTINEL FAILOVER orders"); got != "-INPROG Failover already in progress\n" {
		t.Errorf("%q", got)
	}
	close(goOn)
	if got := first.next(1); got != "+OK\n" {
		t.Errorf("%q", got)
	}
}

// TestNoVoteIsGivenAway: a Sentinel that asks for one learns whether the master is down, and nothing else.
func TestNoVoteIsGivenAway(t *testing.T) {
	s := stage(t, orders(), 0, nil)
	c := call(t, s.addr)
	question := "SENTINEL is-master-down-by-addr 127.0.0.1 6379 9 " + strings.Repeat("a", 40)
	if got := c.ask(question); got != "*3\n:0\n$1\n*\n:0\n" {
		t.Errorf("%q", got)
	}
	s.paint("the master's lease ran out")
	if got := c.ask(question); got != "*3\n:1\n$1\n*\n:0\n" {
		t.Errorf("%q", got)
	}
}
