package lab

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"redkeep/internal/stage/sentinels"
)

// lives are what is changed while it runs.
var lives = []behaviour{
	{name: "reset", check: reset},
	{name: "monitor", check: monitor},
	{name: "set", check: set},
	{name: "moved", check: moved},
	{name: "shared", check: shared},
	{name: "moved-for-two", check: movedForTwo},
	{name: "unwritable", check: unwritable},
}

// infoField is a field of the Sentinel section of INFO.
func infoField(q *quorum, i int, name string) string {
	q.t.Helper()
	for line := range strings.Lines(q.ask(i, "INFO", "sentinel")) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// reset forgets replicas and Sentinels, and finds them again.
func reset(q *quorum) {
	for i, s := range q.members {
		q.await(soon, "whole file", func() bool { return len(mustLines(q, s, "sentinel known-")) == 4 })
		before, err := s.Lines("sentinel ")
		q.must(err)
		mark := s.Mark()
		answer, err := s.Do("SENTINEL", "RESET", "o[pr]d*")
		q.must(err)
		if answer.Int != 1 {
			q.t.Errorf("sentinel %d reset %d groups", i, answer.Int)
		}
		q.heard(i, mark, soon, "+reset-master", "master "+orders)
		q.awaitWhole()
		q.await(soon, "two of each again", func() bool { return q.count(i, mark, "+slave", "") >= 2 && q.count(i, mark, "+sentinel", "") >= 2 })
		if n, m := q.count(i, mark, "+slave", ""), q.count(i, mark, "+sentinel", ""); n != 2 || m != 2 {
			q.t.Errorf("sentinel %d found %d replicas and %d sentinels again", i, n, m)
		}
		var after []string
		q.await(soon, fmt.Sprintf("sentinel %d's file as it was", i), func() bool {
			after, err = s.Lines("sentinel ")
			slices.Sort(before)
			slices.Sort(after)
			return slices.Equal(before, after)
		})
	}
	answer, err := q.members[0].Do("SENTINEL", "RESET", "nosuch*")
	q.must(err)
	if answer.Int != 0 {
		q.t.Errorf("nothing matches, and %d were reset", answer.Int)
	}
}

// monitor: a second group that all are told of, which then fails over, and is forgotten.
func monitor(q *quorum) {
	const other = "second"
	master := q.servers[0].Addr()
	marks := q.marked()
	for i, s := range q.members {
		q.refused(i, "ERR Duplicate master name", "SENTINEL", "MONITOR", orders, master.Addr().String(), "6379", "2")
		q.ask(i, "SENTINEL", "MONITOR", other, master.Addr().String(), fmt.Sprint(master.Port()), "2")
		q.ask(i, "SENTINEL", "SET", other, "down-after-milliseconds", "700", "failover-timeout", "3000", "parallel-syncs", "2")
		q.heard(i, marks[i], soon, "+monitor", fmt.Sprintf("master %s %s %d quorum 2", other, master.Addr(), master.Port()))
		q.heard(i, marks[i], soon, "+set", fmt.Sprintf("master %s %s %d parallel-syncs 2", other, master.Addr(), master.Port()))
		lines, err := s.Lines("sentinel monitor " + other)
		q.must(err)
		if len(lines) != 1 {
			q.t.Errorf("sentinel %d wrote %q", i, lines)
		}
	}
	for i := range q.members {
		q.await(soon, "second group that is whole", func() bool {
			return q.value(i, "MASTER", "num-slaves", other) == "2" && q.value(i, "MASTER", "num-other-sentinels", other) == "2"
		})
		others, err := q.members[i].Maps("SENTINEL", "SENTINELS", other)
		q.must(err)
		for _, o := range others {
			if o["link-refcount"] != "2" {
				q.t.Errorf("sentinel %d shares its link to %s with %s", i, o["name"], o["link-refcount"])
			}
		}
	}
	for i, s := range q.members {
		mark := s.Mark()
		q.ask(i, "SENTINEL", "REMOVE", other)
		q.heard(i, mark, soon, "-monitor", fmt.Sprintf("master %s %s %d", other, master.Addr(), master.Port()))
		q.refused(i, "ERR No such master with that name", "SENTINEL", "MASTER", other)
		for _, line := range mustLines(q, s, "sentinel ") {
			if strings.Contains(line, " "+other+" ") {
				q.t.Errorf("sentinel %d wrote %q", i, line)
			}
		}
	}
	q.awaitWhole()
}

func mustLines(q *quorum, s *sentinels.Sentinel, prefix string) []string {
	q.t.Helper()
	lines, err := s.Lines(prefix)
	q.must(err)
	return lines
}

// set: every option, the events that tell of it, the file, and a restart.
func set(q *quorum) {
	master := q.servers[0].Addr()
	at := fmt.Sprintf("master %s %s %d ", orders, master.Addr(), master.Port())
	for i, s := range q.members {
		mark := s.Mark()
		q.ask(i, "SENTINEL", "SET", orders, "quorum", "3", "parallel-syncs", "4", "down-after-milliseconds", "900")
		q.ask(i, "SENTINEL", "SET", orders, "failover-timeout", "4000", "rename-command", "CONFIG", "CONFIG", "auth-pass", "a-secret")
		q.ask(i, "SENTINEL", "SET", orders, "master-reboot-down-after-period", "5000", "auth-user", "somebody")
		q.refused(i, "ERR Reconfiguration of scripts path is denied for security reasons", "SENTINEL", "SET", orders, "notification-script", "/bin/true")
		// What stands before the mistake is done.
		q.refused(i, "ERR Invalid argument '0' for SENTINEL SET 'parallel-syncs'", "SENTINEL", "SET", orders, "quorum", "2", "parallel-syncs", "0")
		q.refused(i, "ERR Unknown option or number of arguments for SENTINEL SET 'nosuch'", "SENTINEL", "SET", orders, "nosuch", "1")
		for _, payload := range []string{
			"quorum 3", "parallel-syncs 4", "down-after-milliseconds 900", "failover-timeout 4000", "rename-command CONFIG CONFIG",
			"auth-pass ******", "master-reboot-down-after-period 5000", "auth-user somebody", "quorum 2",
		} {
			q.heard(i, mark, soon, "+set", at+payload)
		}
		want := []string{
			"down-after-milliseconds " + orders + " 900", "failover-timeout " + orders + " 4000", "parallel-syncs " + orders + " 4",
			"auth-pass " + orders + " a-secret", "auth-user " + orders + " somebody",
			"master-reboot-down-after-period " + orders + " 5000", fmt.Sprintf("monitor %s %s %d 2", orders, master.Addr(), master.Port()),
		}
		for _, w := range want {
			if lines := mustLines(q, s, "sentinel "+w); len(lines) != 1 || lines[0] != "sentinel "+w {
				q.t.Errorf("sentinel %d wrote %q for %q", i, lines, w)
			}
		}
		q.must(s.Kill())
		q.up(i)
		for field, want := range map[string]string{
			"quorum": "2", "parallel-syncs": "4", "down-after-milliseconds": "900", "failover-timeout": "4000",
		} {
			if got := q.value(i, "MASTER", field, orders); got != want {
				q.t.Errorf("sentinel %d has %s %s after a restart", i, field, got)
			}
		}
		q.ask(i, "SENTINEL", "SET", orders, "auth-pass", "", "auth-user", "")
	}
	q.awaitWhole()
}

// moved: a Sentinel with a new port under its ID, and one with a new ID at an old address.
func moved(q *quorum) {
	id := q.ask(1, "SENTINEL", "MYID")
	marks := q.marked()
	q.must(q.members[1].Kill())
	q.rewrite(1, func(line string) string {
		if strings.HasPrefix(line, "port ") {
			return "port 26399"
		}
		return line
	})
	q.must(q.members[1].MoveTo(26399))
	q.up(1)
	for _, i := range []int{0, 2} {
		e := q.heard(i, marks[i], soon, "+sentinel-address-switch", "master "+orders)
		if want := fmt.Sprintf(" ip %s port 26399 for %s", q.Hosts()[1].Addr(), id); !strings.HasSuffix(e.Payload, want) {
			q.t.Errorf("sentinel %d told %q, and not %q", i, e, want)
		}
	}
	q.awaitWhole()

	marks = q.marked()
	q.must(q.members[1].Kill())
	q.rewrite(1, func(line string) string {
		if strings.HasPrefix(line, "sentinel myid ") {
			return "sentinel myid " + strings.Repeat("c", 40)
		}
		return line
	})
	q.up(1)
	for _, i := range []int{0, 2} {
		// By its old ID, and already with the address that both claim.
		q.heard(i, marks[i], soon, "+sentinel-invalid-addr", fmt.Sprintf("sentinel %s %s 26399 @ %s ", id, q.Hosts()[1].Addr(), orders))
		q.heard(i, marks[i], soon, "+sentinel", "sentinel "+strings.Repeat("c", 40))
	}
	q.awaitWhole()
}

// rewrite changes lines of a stopped Sentinel's file.
func (q *quorum) rewrite(i int, change func(string) string) {
	q.t.Helper()
	lines := mustLines(q, q.members[i], "")
	for n, line := range lines {
		lines[n] = change(line)
	}
	q.must(q.members[i].Write(lines))
}

// shared: every Sentinel watches the servers twice, under two names, and a crash of the master moves both.
func shared(q *quorum) {
	master := q.servers[0].Addr()
	for i := range q.members {
		q.ask(i, "SENTINEL", "MONITOR", "second", master.Addr().String(), fmt.Sprint(master.Port()), "2")
		q.ask(i, "SENTINEL", "SET", "second", "down-after-milliseconds", "700", "failover-timeout", "3000", "quorum", "9")
	}
	marks := q.marked()
	f := q.fault("kill the master of both")
	_, err := q.servers[0].Kill()
	q.must(err)
	f.turnedOver(-1)
	for i := range q.members {
		// The second has no leader; the master's role tells nothing to it, and it calls the old one down.
		q.heard(i, marks[i], soon, "+sdown", "master second")
		if n := q.count(i, marks[i], "+switch-master", "second"); n != 0 {
			q.t.Errorf("sentinel %d switched the second group, which nobody may", i)
		}
	}
}

// movedForTwo: who moves is found by all groups that know it, and told of once.
func movedForTwo(q *quorum) {
	master := q.servers[0].Addr()
	for i := range q.members {
		q.ask(i, "SENTINEL", "MONITOR", "second", master.Addr().String(), fmt.Sprint(master.Port()), "2")
	}
	for i := range q.members {
		q.await(soon, "second group that is whole", func() bool { return q.value(i, "MASTER", "num-other-sentinels", "second") == "2" })
	}
	id := q.ask(1, "SENTINEL", "MYID")
	marks := q.marked()
	q.must(q.members[1].Kill())
	q.rewrite(1, func(line string) string {
		if strings.HasPrefix(line, "port ") {
			return "port 26399"
		}
		return line
	})
	q.must(q.members[1].MoveTo(26399))
	q.up(1)
	for _, i := range []int{0, 2} {
		q.heard(i, marks[i], soon, "+sentinel-address-switch", "master ")
		e := q.heard(i, marks[i], soon, "+sentinel-address-update", "sentinel "+id)
		if !strings.HasSuffix(e.Payload, " 1 additional matching instances") {
			q.t.Errorf("sentinel %d (%s) told %s", i, q.members[i].Program().Name, e)
		}
		if n, m := q.count(i, marks[i], "+sentinel-address-switch", ""), q.count(i, marks[i], "+sentinel-address-update", ""); n != 1 || m != 1 {
			q.t.Errorf("sentinel %d (%s) told of %d switches and %d updates", i, q.members[i].Program().Name, n, m)
		}
		for _, name := range []string{orders, "second"} {
			others, err := q.members[i].Maps("SENTINEL", "SENTINELS", name)
			q.must(err)
			for _, o := range others {
				if o["runid"] == id && o["port"] != "26399" {
					q.t.Errorf("sentinel %d (%s) has it at %s for %s", i, q.members[i].Program().Name, o["port"], name)
				}
			}
		}
	}
}

// unwritable: a file that can't be written costs an error to who asked for a change, which is done all the same.
func unwritable(q *quorum) {
	for i, s := range q.members {
		before := mustLines(q, s, "")
		q.must(os.Rename(s.Dir(), s.Dir()+".away"))
		q.refused(i, "ERR Failed to save config file", "SENTINEL", "SET", orders, "parallel-syncs", "5")
		q.refused(i, "ERR Failed to save config file", "SENTINEL", "FLUSHCONFIG")
		if got := q.value(i, "MASTER", "parallel-syncs", orders); got != "5" {
			q.t.Errorf("sentinel %d (%s) has parallel-syncs %s", i, s.Program().Name, got)
		}
		q.must(os.Rename(s.Dir()+".away", s.Dir()))
		if after := mustLines(q, s, ""); !slices.Equal(before, after) {
			q.t.Errorf("sentinel %d (%s) changed a file that it could not write", i, s.Program().Name)
		}
		q.ask(i, "SENTINEL", "FLUSHCONFIG")
		q.writes(i, "parallel-syncs "+orders+" 5")
	}
	for _, first := range q.oneEach() {
		// It is the first to notice, so that the others must go by what it does.
		for _, i := range q.others(first) {
			q.ask(i, "SENTINEL", "SET", orders, "down-after-milliseconds", "1500")
		}
		q.ask(first, "SENTINEL", "SET", orders, "down-after-milliseconds", "700")
		f := q.fault("failover, and sentinel %d, which notices first, can't write", first)
		dir := q.members[first].Dir()
		q.must(os.Rename(dir, dir+".away"))
		place := q.place(f.old)
		_, err := q.servers[place].Kill()
		q.must(err)
		f.turnedOver(-1)
		q.must(os.Rename(dir+".away", dir))
		q.must(q.servers[place].Start(q.t.Context()))
		f.returned()
	}
}
