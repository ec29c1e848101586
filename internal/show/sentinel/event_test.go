package sentinel

import (
	"slices"
	"strings"
	"testing"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// changed is the group of orders with something done to it.
func changed(do func(*picture.Group)) picture.Node {
	n := orders()
	do(&n.Groups[0])
	return n
}

// TestEventsOfDifferences holds what is told of a difference between two pictures against Sentinel's payloads.
func TestEventsOfDifferences(t *testing.T) {
	master, slave := "master orders 127.0.0.1 6379", "slave 127.0.0.2:6379 127.0.0.2 6379 @ orders 127.0.0.1 6379"
	third := "sentinel " + identity(here(), "h3") + " 127.0.0.3 26379 @ orders 127.0.0.1 6379"
	for _, c := range []struct {
		name string
		// there and back are told on the way to the change, and on the way back.
		do          func(*picture.Group)
		there, back []string
	}{
		{"nothing", func(*picture.Group) {}, nil, nil},
		{
			"the master's lease ran out", func(g *picture.Group) { g.Writable = false },
			[]string{"+sdown " + master, "+odown " + master + " #quorum 3/2"}, []string{"-sdown " + master, "-odown " + master},
		},
		{
			"a replica's server is gone", func(g *picture.Group) { g.Members[1].Unfit = words.Reason{Code: words.ServerGone} },
			[]string{"+sdown " + slave}, []string{"-sdown " + slave},
		},
		{"a witness is silent", func(g *picture.Group) { g.Members[2].Heard = -1 }, []string{"+sdown " + third}, []string{"-sdown " + third}},
		{
			"a replica was started again", func(g *picture.Group) { g.Members[1].Server.RunID = "other" },
			[]string{"+reboot " + slave}, []string{"+reboot " + slave},
		},
		{
			"a replica says master", func(g *picture.Group) { g.Members[1].Server.Role = words.RoleMaster },
			[]string{"-role-change " + slave + " new reported role is master"}, []string{"+role-change " + slave + " new reported role is slave"},
		},
		{
			"the master says replica", func(g *picture.Group) { g.Members[0].Server.Role = words.RoleReplica },
			[]string{"-role-change " + master + " new reported role is slave"}, []string{"+role-change " + master + " new reported role is master"},
		},
		{"nodes are new", func(g *picture.Group) { g.Members = g.Members[:1] }, nil, []string{
			"+slave " + slave, "+sentinel sentinel " + identity(here(), "h2") + " 127.0.0.2 26379 @ orders 127.0.0.1 6379", "+sentinel " + third,
		}},
		{
			"a pause", func(g *picture.Group) { g.Pause = picture.Pause{For: time.Hour, Left: time.Hour} },
			[]string{"+tilt #tilt mode entered"}, []string{"-tilt #tilt mode exited"},
		},
		{"another group", func(g *picture.Group) { g.Name = "carts" }, []string{
			"+monitor master carts 127.0.0.1 6379 quorum 2", "-monitor " + master,
		}, []string{"+monitor " + master + " quorum 2", "-monitor master carts 127.0.0.1 6379"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := orders()
			f, _ := NewLease(LeaseConfig{Picture: func() *picture.Node { n := now; return &n }, DownAfter: time.Second}, 0)
			seen, first := f.compare(sight{})
			if len(first) != 0 {
				t.Errorf("who has seen nothing is told %v", first)
			}
			now = changed(c.do)
			seen, there := f.compare(seen)
			now = orders()
			_, back := f.compare(seen)
			if got := told(there); !slices.Equal(got, c.there) {
				t.Errorf("there: %q, want %q", got, c.there)
			}
			if got := told(back); !slices.Equal(got, c.back) {
				t.Errorf("back: %q, want %q", got, c.back)
			}
		})
	}
}

// here is orders, to be pointed at.
func here() *picture.Node {
	n := orders()
	return &n
}

func told(all []event) (lines []string) {
	for _, e := range all {
		lines = append(lines, e.channel+" "+e.payload)
	}
	return lines
}

// TestSubscribersAreToldOfDifferences goes through the publisher.
func TestSubscribersAreToldOfDifferences(t *testing.T) {
	s := stage(t, orders(), 0, nil)
	c := call(t, s.addr)
	c.ask("PSUBSCRIBE ?sdown")
	// What happens before the publisher has looked for the first time is not told; so it goes to and fro until it is.
	for back, deadline := orders(), time.Now().Add(10*time.Second); ; {
		s.paint("h2 and h3 are silent")
		if c.hears(3 * lookEvery) {
			break
		}
		s.picture.Store(&back)
		if c.hears(3 * lookEvery) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing is told")
		}
	}
	if got := c.next(1); !strings.Contains(got, "sdown") || !strings.Contains(got, "slave 127.0.0.2:6379 127.0.0.2 6379 @ orders 127.0.0.1 6379") {
		t.Errorf("%q", got)
	}
}

// hears reports whether something comes unasked.
func (c *caller) hears(within time.Duration) bool {
	_ = c.conn.SetReadDeadline(time.Now().Add(within))
	_, err := c.ahead.Peek(1)
	return err == nil
}

// TestEventsAreThoseOfSentinel has a real redis-sentinel and the face fail over, and holds what subscribers are told against each
// other. Only -role-change is not the same: it is told when a poll sees it, before the switch or after it.
func TestEventsAreThoseOfSentinel(t *testing.T) {
	t.Parallel()
	addr, port := startSentinel(t)
	real := call(t, addr)
	real.ask("PSUBSCRIBE *")
	if got := call(t, addr).ask("SENTINEL FAILOVER orders"); got != "+OK\n" {
		t.Fatalf("the real one: %q", got)
	}
	want := heardUntil(t, real, "+slave")

	n := orders()
	n.Node, n.Groups[0].Self, n.Groups[0].RedisPort = "h2", "h2", port
	s := stage(t, n, 0, nil)
	c := call(t, s.addr)
	c.ask("PSUBSCRIBE *")
	s.switchTo("h2")
	got := heardUntil(t, c, "+slave")

	// On a machine that stood still the real one does nothing for half a minute, and says so.
	polled := func(line string) bool {
		return strings.Contains(line, "role-change ") || strings.Contains(line, "tilt ")
	}
	want, got = slices.DeleteFunc(want, polled), slices.DeleteFunc(got, polled)
	if !slices.Equal(got, want) {
		t.Errorf("%s\nredis-sentinel:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// heardUntil returns what a subscriber to * hears, up to the first message on the channel; IDs and epochs are taken out.
func heardUntil(t *testing.T, c *caller, channel string) (lines []string) {
	t.Helper()
	c.t = t
	for deadline := time.Now().Add(time.Minute); ; {
		_ = c.conn.SetReadDeadline(deadline)
		v, err := c.reader.Read()
		if err != nil {
			t.Fatalf("%v after %q", err, lines)
		}
		if len(v.Elems) != 4 {
			continue
		}
		line := hexID.ReplaceAllString(v.Elems[2].Text+" "+v.Elems[3].Text, "ID")
		if word, last, ok := strings.Cut(line, " "); ok && word == "+new-epoch" || word == "+vote-for-leader" {
			line = word + strings.Repeat(" ID", strings.Count(last, "ID")) + " N"
		}
		lines = append(lines, line)
		if v.Elems[2].Text == channel {
			return lines
		}
	}
}
