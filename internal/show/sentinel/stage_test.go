package sentinel

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/speak/resp"
	"redkeep/internal/words"
)

// staged is a face that runs on the loopback, with a picture that a test can change.
type staged struct {
	*Lease
	*transport
	face    *Face
	addr    string
	picture atomic.Pointer[picture.Node]
}

// settled is what a lease's switchover comes to.
type settled func(words.Group) error

// stage starts a face of a lease; failover may be nil.
func stage(t *testing.T, n picture.Node, clients int, failover settled) *staged {
	t.Helper()
	s := &staged{}
	s.picture.Store(&n)
	c := LeaseConfig{Picture: s.picture.Load, DownAfter: 5 * time.Second}
	s.transport = newTransport(t)
	c.Post, c.After = s.post, s.after
	if failover != nil {
		c.Failover = func(g words.Group, done func(error)) {
			s.running.Go(func() {
				err := failover(g)
				s.post(func() { done(err) })
			})
		}
	}
	s.Lease, s.face = NewLease(c, clients)
	s.addr = s.serve(s.face)
	return s
}

// switchTo makes a node the writable master of a later epoch, as a takeover does: first the picture, then the word.
func (s *staged) switchTo(to words.Node) {
	n := *s.picture.Load()
	groups := append([]picture.Group(nil), n.Groups...)
	from := groups[0].Master
	groups[0].Master, groups[0].Writable = to, true
	groups[0].Epoch++
	n.Groups = groups
	s.picture.Store(&n)
	s.Announce(groups[0].Name, groups[0].Epoch, from, to)
}

// orders is a group on three nodes, two with data; h1 is the master and this node.
func orders() picture.Node {
	run := func(c string) words.RunID { return words.RunID(strings.Repeat(c, 40)) }
	return picture.Node{
		Node: "h1", Version: "0.1.0", Session: 3, Started: time.Unix(1_700_000_000, 0), ListenPort: 26379,
		Addrs: map[words.Node]netip.Addr{"h1": netip.MustParseAddr("127.0.0.1"), "h2": netip.MustParseAddr("127.0.0.2"), "h3": netip.MustParseAddr("127.0.0.3")},
		Groups: []picture.Group{{
			Name: "orders", Self: "h1", RedisPort: 6379, State: picture.StateHolder, Master: "h1", Epoch: 7, Writable: true,
			Members: []picture.Member{
				{Node: "h1", Voter: true, Data: true, Known: true, Fit: true, Server: words.Server{RunID: run("1"), Role: words.RoleMaster, Priority: 100, Position: words.Position{Offset: 900}}},
				{
					Node: "h2", Voter: true, Data: true, Known: true, Fit: true, Heard: 40 * time.Millisecond, Lag: 10,
					Server: words.Server{RunID: run("2"), Role: words.RoleReplica, Master: "127.0.0.1", MasterPort: 6379, LinkUp: true, Priority: 100, Position: words.Position{Offset: 890}},
				},
				{Node: "h3", Voter: true, Heard: 70 * time.Millisecond, Lag: -1},
			},
		}},
	}
}

// caller is one raw connection to the face, which remembers the bytes of each reply.
type caller struct {
	t      testing.TB
	conn   net.Conn
	ahead  *bufio.Reader
	raw    strings.Builder
	reader *resp.Reader
}

func call(t testing.TB, addr string) *caller {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := &caller{t: t, conn: conn, ahead: bufio.NewReader(conn)}
	c.reader = resp.NewReader(tap{c}, resp.Limits{})
	return c
}

// tap hands on one byte at a time, so that what it remembers is what has been parsed and no more.
type tap struct{ of *caller }

func (t tap) Read(b []byte) (int, error) {
	n, err := t.of.ahead.Read(b[:1])
	t.of.raw.Write(b[:n])
	return n, err
}

// send writes a request as typed.
func (c *caller) send(line string) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.conn, "%s\r\n", line); err != nil {
		c.t.Fatal(err)
	}
}

// next returns the bytes of the next n values, one line of them to a line.
func (c *caller) next(n int) string {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	for range n {
		if _, err := c.reader.Read(); err != nil {
			c.t.Fatalf("after %q: %v", c.raw.String(), err)
		}
	}
	got := c.raw.String()
	c.raw.Reset()
	return strings.ReplaceAll(got, "\r\n", "\n")
}

// ask sends a request and returns its one reply.
func (c *caller) ask(line string) string {
	c.t.Helper()
	c.send(line)
	return c.next(1)
}

// closed waits until the face has closed the connection.
func (c *caller) closed() {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		_, err := c.ahead.ReadByte()
		if err == nil {
			continue
		}
		if e, ok := err.(net.Error); ok && e.Timeout() {
			c.t.Fatal("the connection is still open")
		}
		return
	}
}
