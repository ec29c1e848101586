package sentinel

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// TestReplies runs the conversations of testdata, byte for byte. Directives: `send` (one request a line, with its one
// reply each; `values=N` for more), `picture` (what has happened to the group), `switch to=NODE`, `next` (what comes unasked).
func TestReplies(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := stage(t, orders(), 0, nil)
		c := call(t, s.addr)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			c.t = t
			values := 1
			d.MaybeScanArgs(t, "values", &values)
			switch d.Cmd {
			case "send":
				var out strings.Builder
				for _, line := range strings.Split(d.Input, "\n") {
					c.send(line)
					out.WriteString(downTime.ReplaceAllString(c.next(values), "$1\n$$1\n0\n"))
				}
				return out.String()
			case "picture":
				s.paint(d.Input)
				return "ok\n"
			case "switch":
				var to string
				d.ScanArgs(t, "to", &to)
				s.switchTo(words.Node(to))
				return "ok\n"
			case "next":
				return c.next(values)
			default:
				return fmt.Sprintf("unknown directive %s", d.Cmd)
			}
		})
	})
}

// downTime is a field whose value is a time that has passed.
var downTime = regexp.MustCompile(`([so]-down-time)\n\$\d+\n\d+\n`)

// paint changes the picture's group.
func (s *staged) paint(what string) {
	n := *s.picture.Load()
	g := n.Groups[0]
	g.Members = slices.Clone(g.Members)
	switch what {
	case "the master's lease ran out":
		g.Writable = false
	case "h2 was elected and is not open yet":
		g.Master, g.Epoch, g.Writable, g.State = "h2", g.Epoch+1, false, picture.StateFollower
	case "h2 is open":
		g.Writable = true
	case "h1 stands":
		g.Writable, g.State = false, picture.StateCandidate
	case "h2 and h3 are silent":
		g.Members[1].Heard, g.Members[2].Heard = 6_000_000_000, -1
	case "never had a master":
		g.Name, g.Master, g.Writable = "fresh", "", false
	}
	n.Groups = []picture.Group{g}
	s.picture.Store(&n)
}

// TestOrderOfFields holds the maps against redis-sentinel's own, 7.0.15.
func TestOrderOfFields(t *testing.T) {
	s := stage(t, orders(), 0, nil)
	for command, want := range map[string]string{
		"sentinel master orders": "name ip port runid flags link-pending-commands link-refcount last-ping-sent last-ok-ping-reply last-ping-reply " +
			"down-after-milliseconds info-refresh role-reported role-reported-time config-epoch num-slaves num-other-sentinels quorum failover-timeout parallel-syncs",
		"sentinel replicas orders": "name ip port runid flags link-pending-commands link-refcount last-ping-sent last-ok-ping-reply last-ping-reply " +
			"down-after-milliseconds info-refresh role-reported role-reported-time master-link-down-time master-link-status master-host master-port " +
			"slave-priority slave-repl-offset replica-announced",
		"sentinel sentinels orders": "name ip port runid flags link-pending-commands link-refcount last-ping-sent last-ok-ping-reply last-ping-reply " +
			"down-after-milliseconds last-hello-message voted-leader voted-leader-epoch",
	} {
		c := call(t, s.addr)
		c.send(command)
		v, err := c.reader.Read()
		if err != nil {
			t.Fatal(err)
		}
		if v.Elems[0].Elems != nil {
			v = v.Elems[0]
		}
		var names []string
		for i := 0; i < len(v.Elems); i += 2 {
			names = append(names, v.Elems[i].Text)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", command, got, want)
		}
	}
}

func TestInfoServer(t *testing.T) {
	s := stage(t, orders(), 0, nil)
	got := call(t, s.addr).ask("INFO server")
	for _, want := range []string{"# Server\n", "redis_version:7.0.15\n", "redis_mode:sentinel\n", "tcp_port:26379\n", "redkeep_version:0.1.0\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	if strings.Contains(got, "# Sentinel") {
		t.Error("a section came that was not asked for")
	}
}

func TestManyMasters(t *testing.T) {
	n := orders()
	first := n.Groups[0]
	n.Groups = nil
	for i := range 1000 {
		g := first
		g.Name = words.Group("g" + strconv.Itoa(i))
		n.Groups = append(n.Groups, g)
	}
	s := stage(t, n, 0, nil)
	if got := call(t, s.addr).ask("SENTINEL MASTERS"); !strings.HasPrefix(got, "*1000\n") {
		t.Errorf("%.20q", got)
	}
}
