package lab

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// discoveries are how Sentinels find each other and the replicas.
var discoveries = []behaviour{
	{name: "discovery", check: discovery},
}

// discovery: all find all, each is told once, the file has it, and a restart changes nothing.
func discovery(q *quorum) {
	ids := map[string]int{}
	for i := range q.members {
		id := q.ask(i, "SENTINEL", "MYID")
		if other, taken := ids[id]; taken || len(id) != 40 {
			q.t.Errorf("sentinels %d and %d have the ID %q", other, i, id)
		}
		ids[id] = i
	}
	for i := range q.members {
		q.knows(i, ids)
	}
	before := q.marked()
	for i := range q.members {
		q.must(q.members[i].Kill())
		q.up(i)
		if id := q.ask(i, "SENTINEL", "MYID"); ids[id] != i {
			q.t.Errorf("sentinel %d has the ID %s after a restart", i, id)
		}
	}
	q.awaitWhole()
	for i := range q.members {
		q.knows(i, ids)
		if n := q.count(i, before[i], "+sentinel", "") + q.count(i, before[i], "+slave", ""); n > 0 {
			q.t.Errorf("sentinel %d told of %d that stood in its file", i, n)
		}
	}
}

// knows holds a Sentinel's log and file against what it must have found.
func (q *quorum) knows(i int, ids map[string]int) {
	q.t.Helper()
	var events, lines []string
	at := func(a netip.AddrPort) string { return fmt.Sprintf("%s %d", a.Addr(), a.Port()) }
	master := fmt.Sprintf("@ %s %s", orders, at(q.servers[0].Addr()))
	for _, r := range q.servers[1:] {
		events = append(events, fmt.Sprintf("+slave slave %s %s %s", r.Addr(), at(r.Addr()), master))
		lines = append(lines, fmt.Sprintf("sentinel known-replica %s %s", orders, at(r.Addr())))
	}
	for id, other := range ids {
		if other != i {
			where := at(q.Hosts()[other].Port(q.members[other].Port()))
			events = append(events, fmt.Sprintf("+sentinel sentinel %s %s %s", id, where, master))
			lines = append(lines, fmt.Sprintf("sentinel known-sentinel %s %s %s", orders, where, id))
		}
	}
	q.logged(i, events...)
	slices.Sort(lines)
	var got []string
	if !q.within(soon, func() bool {
		got = mustLines(q, q.members[i], "sentinel known-")
		slices.Sort(got)
		return slices.Equal(got, lines)
	}) {
		q.t.Errorf("sentinel %d (%s) wrote\n%s\nand not\n%s", i, q.members[i].Program().Name, strings.Join(got, "\n"), strings.Join(lines, "\n"))
	}
}

// logged wants each line exactly once in a Sentinel's log, which is copied to its file beside us.
func (q *quorum) logged(i int, want ...string) {
	q.t.Helper()
	for _, w := range want {
		n := 0
		if !q.within(soon/5, func() bool {
			log, err := q.members[i].Log()
			q.must(err)
			n = 0
			for _, l := range log {
				if l.Text == w {
					n++
				}
			}
			return n == 1
		}) {
			q.t.Errorf("sentinel %d (%s) logged %q %d times", i, q.members[i].Program().Name, w, n)
		}
	}
}
