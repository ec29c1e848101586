package lab

import (
	"fmt"
	"strings"
	"time"

	"redkeep/internal/stage/clock"
)

// crashes are what becomes of a failover whose leader ends, and of clocks that jump.
var crashes = []behaviour{
	{name: "crash-after-election", check: func(q *quorum) { crashed(q, "crash-after-election") }},
	{name: "crash-after-promotion", check: func(q *quorum) { crashed(q, "crash-after-promotion") }},
	{name: "tilt", check: tilt},
}

// crashed ends the leader in the middle. The others finish, and it comes back to what they made of it.
func crashed(q *quorum, where string) {
	q.refused(0, "ERR Unknown failure simulation specified", "SENTINEL", "SIMULATE-FAILURE", "nosuch")
	const leader = 1
	q.onlyLeader(leader)
	f := q.fault("%s at sentinel %d", where, leader)
	q.ask(leader, "SENTINEL", "SIMULATE-FAILURE", where)
	q.must(q.servers[0].Process().Freeze())
	code, err := q.members[leader].AwaitEnd(turnover)
	q.must(err)
	if code != 99 {
		q.t.Errorf("the leader ended with %d", code)
	}
	for _, i := range q.others(leader) {
		q.ask(i, "SENTINEL", "SET", orders, "quorum", "2")
	}
	if where == "crash-after-election" {
		f.turnedOver(-1)
		f.patient(q.others(leader))
	} else {
		// What it crashed after is on disk, and it will come back to that.
		q.writes(leader, "config-epoch "+orders+" 1", "current-epoch 1")
		if lines := mustLines(q, q.members[leader], "sentinel monitor "); len(lines) != 1 || strings.Contains(lines[0], f.old.Addr().String()) {
			q.t.Errorf("sentinel %d wrote %q", leader, lines)
		}
		q.await(turnover, "agreement on another master", func() bool {
			at, _, ok := q.agreed()
			return ok && at != f.old
		})
	}
	q.up(leader)
	at, _ := q.members[q.others(leader)[0]].Master(orders)
	f.new = at
	q.must(q.servers[0].Process().Thaw())
	q.follows(at)
	q.awaitWhole()
}

// patient: who has voted for another makes no attempt of its own for twice the failover's timeout, and not much longer either.
func (f *turn) patient(voters []int) {
	f.t.Helper()
	first, begun := time.Duration(0), clock.Instant(0)
	for _, i := range voters {
		var voted clock.Instant
		for _, e := range f.members[i].Since(f.marks[i]) {
			switch {
			case e.Channel == "+vote-for-leader" && voted == 0:
				voted = e.At
			case e.Channel == "+try-failover" && first == 0:
				first, begun = e.At.Sub(voted), voted
				if first < 2*failoverTimeout-100*time.Millisecond {
					f.t.Errorf("sentinel %d (%s) tried %v after its vote for another", i, f.members[i].Program().Name, first)
				}
			}
		}
	}
	if first > 2*failoverTimeout+3*time.Second+excused(f.watch, begun) {
		f.t.Errorf("nobody tried for %v after the vote", first)
	}
}

// tilt: one that was stopped for longer than it may does nothing for a time, and says so to who asks.
func tilt(q *quorum) {
	master := q.servers[0].Addr()
	down := func(i int) string {
		answer, err := q.members[i].Do("SENTINEL", "IS-MASTER-DOWN-BY-ADDR", master.Addr().String(), fmt.Sprint(master.Port()), "0", "*")
		q.must(err)
		return answer.Strings()[0]
	}
	q.all("SENTINEL", "SET", orders, "quorum", "9")
	for _, i := range q.leaders() {
		s := q.members[i]
		q.ask(i, "SENTINEL", "DEBUG", "TILT-PERIOD", "2500", "TILT-TRIGGER", "1000")
		mark := s.Mark()
		q.must(s.Freeze())
		q.lasts(1500 * time.Millisecond)
		q.must(s.Thaw())
		entered := q.heard(i, mark, soon, "+tilt", "")
		if got := infoField(q, i, "sentinel_tilt"); got != "1" {
			q.t.Errorf("sentinel %d: sentinel_tilt:%s", i, got)
		}
		q.must(q.servers[0].Process().Freeze())
		q.stays(downAfter+1000*time.Millisecond, "calm while in tilt", func() bool {
			return down(i) == "0" && q.count(i, mark, "+sdown", "master") == 0
		})
		left := q.heard(i, mark, soon, "-tilt", "")
		if d := left.At.Sub(entered.At); d < 2300*time.Millisecond || d > 3500*time.Millisecond+excused(q.watch, entered.At) {
			q.t.Errorf("sentinel %d was in tilt for %v", i, d)
		}
		q.heard(i, mark, soon, "+sdown", "master")
		q.await(soon, "answer that the master is down", func() bool { return down(i) == "1" })
		if got := infoField(q, i, "sentinel_tilt"); got != "0" {
			q.t.Errorf("sentinel %d: sentinel_tilt:%s after it", i, got)
		}
		q.must(q.servers[0].Process().Thaw())
		q.heard(i, mark, soon, "-sdown", "master")
		q.awaitWhole()
	}
}

// lasts lets time pass that a fault is to take.
func (q *quorum) lasts(d time.Duration) { q.stays(d, "", func() bool { return true }) }
