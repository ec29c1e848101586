package lab

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"redkeep/internal/speak/resp"
)

// likenesses are answers of different programs about the same servers, held against each other. Where the mixture has one program
// alone, two of its Sentinels are compared.
var likenesses = []behaviour{
	{name: "alike", check: alike},
	{name: "alike-in-failover", check: alikeInFailover},
}

// clocks are fields that tell of a time or of a count of what is under way: they are compared by their kind alone.
var clocks = []string{
	"link-pending-commands", "last-ping-sent", "last-ok-ping-reply", "last-ping-reply", "s-down-time", "o-down-time", "info-refresh",
	"role-reported-time", "master-link-down-time", "last-hello-message", "slave-repl-offset",
}

// alike: all that is asked of a group in health, with a replica, the master, and a Sentinel down.
func alike(q *quorum) {
	one, other := q.pair()
	left := 3 - one - other
	q.all("SENTINEL", "SET", orders, "quorum", "9")
	q.compare("in health", one, other)
	q.must(q.servers[1].Process().Freeze())
	q.bothSee(one, other, "REPLICAS", q.servers[1].Addr().String(), "s_down,slave")
	q.compare("with a replica down", one, other)
	q.must(q.servers[1].Process().Thaw())
	_, err := q.servers[2].Kill()
	q.must(err)
	q.bothSee(one, other, "REPLICAS", q.servers[2].Addr().String(), "s_down,slave,disconnected")
	q.compare("with a replica dead", one, other)
	q.must(q.servers[2].Start(q.t.Context()))
	q.awaitWhole()
	id := q.ask(left, "SENTINEL", "MYID")
	q.must(q.members[left].Kill())
	q.bothSee(one, other, "SENTINELS", id, "s_down,sentinel,disconnected")
	q.compare("with a sentinel dead", one, other)
	q.up(left)
	q.must(q.servers[0].Process().Freeze())
	q.bothSee(one, other, "MASTERS", orders, "s_down,master")
	q.lasts(300 * time.Millisecond)
	q.compare("with the master down", one, other)
}

// pair is one Sentinel of each program, or the first two.
func (q *quorum) pair() (one, other int) {
	each := q.oneEach()
	if len(each) < 2 {
		return 0, 1
	}
	return each[0], each[1]
}

// bothSee waits until both show an instance's flags as they should be.
func (q *quorum) bothSee(one, other int, of, name, flags string) {
	q.t.Helper()
	args := []string{"SENTINEL", of}
	if of != "MASTERS" {
		args = append(args, orders)
	}
	for _, i := range []int{one, other} {
		q.await(soon, fmt.Sprintf("%s of %s at sentinel %d", flags, name, i), func() bool {
			all, err := q.members[i].Maps(args...)
			q.must(err)
			return slices.ContainsFunc(all, func(m map[string]string) bool { return m["name"] == name && m["flags"] == flags })
		})
	}
}

// compare asks both the same, again while their answers differ: a server may just now have been too slow for one of them.
func (q *quorum) compare(when string, one, other int) {
	q.t.Helper()
	for _, args := range [][]string{
		{"SENTINEL", "MASTER", orders}, {"SENTINEL", "MASTERS"}, {"SENTINEL", "REPLICAS", orders}, {"SENTINEL", "SLAVES", orders},
		{"SENTINEL", "SENTINELS", orders}, {"SENTINEL", "CKQUORUM", orders}, {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", orders},
		{"SENTINEL", "CONFIG", "GET", "*"}, {"SENTINEL", "PENDING-SCRIPTS"}, {"SENTINEL", "DEBUG"}, {"ROLE"},
		{"SENTINEL", "IS-MASTER-DOWN-BY-ADDR", q.servers[0].Addr().Addr().String(), "6379", "0", "*"}, {"INFO", "sentinel"},
	} {
		var a, b []string
		if !q.within(soon, func() bool {
			a, b = q.shapeOf(one, args), q.shapeOf(other, args)
			return slices.Equal(a, b)
		}) {
			q.t.Errorf("%s, %s:\nsentinel %d (%s) %s\nsentinel %d (%s) %s", when, strings.Join(args, " "),
				one, q.members[one].Program().Name, difference(a, b), other, q.members[other].Program().Name, difference(b, a))
		}
	}
}

// difference is what the one has and the other has not, or in another place.
func difference(a, b []string) string {
	var found []string
	for i, line := range a {
		if i >= len(b) || b[i] != line {
			found = append(found, line)
		}
	}
	return strings.Join(found, " | ")
}

// shapeOf is an answer line by line, without what differs from one Sentinel to the next: times, and the Sentinels themselves.
func (q *quorum) shapeOf(i int, args []string) []string {
	q.t.Helper()
	answer, err := q.members[i].Do(args...)
	if err != nil {
		return []string{err.Error()}
	}
	var lines []string
	if len(answer.Elems) == 0 || len(answer.Elems[0].Elems) == 0 {
		lines = oneShape(answer, "")
		if args[0] == "INFO" {
			lines = strings.Split(answer.Text, "\r\n")
		}
		return lines
	}
	// Instances come in the order of a table's buckets, which is nobody's.
	var all [][]string
	for _, one := range answer.Elems {
		all = append(all, oneShape(one, ""))
	}
	slices.SortFunc(all, slices.Compare)
	for _, one := range all {
		lines = append(lines, one...)
	}
	return lines
}

// oneShape prints a value, and of names and values those that are times by their kind.
func oneShape(v resp.Value, field string) []string {
	if len(v.Elems) == 0 {
		text := v.Text
		if v.Kind == resp.Integer {
			text = strconv.FormatInt(v.Int, 10)
		}
		if _, err := strconv.ParseInt(text, 10, 64); err == nil && slices.Contains(clocks, field) {
			text = "a number"
		}
		if len(text) == 40 && !strings.Contains(text, " ") {
			text = "an ID"
		}
		return []string{fmt.Sprintf("%c%s", v.Kind, text)}
	}
	var lines []string
	sentinel := false
	for n := 0; n < len(v.Elems); n++ {
		name := ""
		if n%2 == 1 {
			name = v.Elems[n-1].Text
		}
		// Each knows the others, which are not the same: of these their own addresses don't count.
		sentinel = sentinel || name == "name" && len(v.Elems[n].Text) == 40
		if sentinel && (name == "ip" || name == "flags") {
			lines = append(lines, "of its own")
			continue
		}
		for _, line := range oneShape(v.Elems[n], name) {
			lines = append(lines, name+" "+line)
		}
	}
	return lines
}

// alikeInFailover: the leader's view in the middle of a failover, one program after the other.
func alikeInFailover(q *quorum) {
	one, other := q.pair()
	// Which of two equal replicas is chosen depends on who had heard the last greeting: one of them is to be better.
	_, err := q.servers[1].Do(q.t.Context(), "CONFIG", "SET", "replica-priority", "10")
	q.must(err)
	q.awaitField("slave-priority", func(place int, value string) bool { return place != 1 || value == "10" })
	forbid(q, 1, "-slaveof")
	forbid(q, 2, "-slaveof")
	var views [][]string
	for _, i := range []int{one, other} {
		f := q.fault("nobody obeys sentinel %d", i)
		q.ask(i, "SENTINEL", "FAILOVER", orders)
		q.heard(i, f.marks[i], soon, "+failover-state-wait-promotion", "slave")
		view := append(q.shapeOf(i, []string{"SENTINEL", "MASTER", orders}), q.shapeOf(i, []string{"SENTINEL", "REPLICAS", orders})...)
		views = append(views, append(view, q.shapeOf(i, []string{"INFO", "sentinel"})...))
		q.heard(i, f.marks[i], soon, "-failover-abort-slave-timeout", "master "+orders)
	}
	if !slices.Equal(views[0], views[1]) {
		q.t.Errorf("in a failover\nsentinel %d (%s) shows %s\nsentinel %d (%s) shows %s", one, q.members[one].Program().Name,
			difference(views[0], views[1]), other, q.members[other].Program().Name, difference(views[1], views[0]))
	}
}
