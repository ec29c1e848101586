package lab

import (
	"fmt"
	"strings"
	"time"
)

// manuals are failovers that somebody asks for.
var manuals = []behaviour{
	{name: "manual", check: manual},
	{name: "chosen", check: chosen},
	{name: "unfit", check: unfit},
}

// ordered is what the leader of a failover tells that was asked for.
var ordered = strings.Fields("+new-epoch +try-failover +vote-for-leader +elected-leader +failover-state-select-slave " +
	"+selected-slave +failover-state-send-slaveof-noone +failover-state-wait-promotion +promoted-slave " +
	"+failover-state-reconf-slaves +failover-end +switch-master +slave +slave")

// manual asks each member in turn. The old master, which is well, becomes a replica.
func manual(q *quorum) {
	q.refused(0, "ERR No such master with that name", "SENTINEL", "FAILOVER", "nosuch")
	for _, i := range q.leaders() {
		f := q.fault("SENTINEL FAILOVER at sentinel %d", i)
		q.ask(i, "SENTINEL", "FAILOVER", orders)
		q.refused(i, "INPROG Failover already in progress", "SENTINEL", "FAILOVER", orders)
		f.turnedOver(-1)
		q.tellsOf(i, f.marks[i], ordered)
		for _, other := range q.others(i) {
			// By whoever knew first: the leader, or one that has it from that.
			if n := q.count(other, f.marks[other], "+config-update-from", "sentinel "); n != 1 {
				q.t.Errorf("sentinel %d was told of the new master %d times", other, n)
			}
		}
		f.returned()
	}
}

// others are the places of all Sentinels but one.
func (q *quorum) others(i int) []int {
	var all []int
	for other := range q.members {
		if other != i {
			all = append(all, other)
		}
	}
	return all
}

// chosen: the lower priority wins whatever the offsets, then the higher offset.
func chosen(q *quorum) {
	priorities := func(of ...int) {
		for i, n := range of {
			_, err := q.servers[i].Do(q.t.Context(), "CONFIG", "SET", "replica-priority", fmt.Sprint(n))
			q.must(err)
		}
		q.awaitField("slave-priority", func(place int, value string) bool { return value == fmt.Sprint(of[place]) })
	}
	priorities(100, 100, 10)
	f := q.fault("h3 has the lowest priority")
	q.ask(0, "SENTINEL", "FAILOVER", orders)
	f.turnedOver(-1)
	if place := q.place(f.new); place != 2 {
		q.t.Errorf("h%d was chosen, and not h3 for its priority", place+1)
	}
	f.returned()

	priorities(100, 100, 100)
	f = q.fault("h2 does not hear h3, the master")
	q.onlyLeader(0)
	q.must(q.CutBetween("h2", "h3"))
	for i := range 50 {
		_, err := q.servers[2].Do(q.t.Context(), "SET", fmt.Sprint(i), strings.Repeat("x", 100))
		q.must(err)
	}
	at := ""
	q.awaitField("slave-repl-offset", func(place int, value string) bool {
		if place == 0 {
			at = value
		}
		return place != 1 || at != "" && value != at
	})
	_, err := q.servers[2].Kill()
	q.must(err)
	f.turnedOver(0)
	// Not before: what the dead process had sent is in its kernel, which would still deliver it.
	q.must(q.Heal("h2"))
	if place := q.place(f.new); place != 0 {
		q.t.Errorf("h%d was chosen, and not h1 for its offset", place+1)
	}
}

// awaitField waits until every running Sentinel shows of each replica, by its server's place, what it should.
func (q *quorum) awaitField(field string, right func(place int, value string) bool) {
	q.t.Helper()
	for _, i := range q.running() {
		q.await(soon, "the right "+field, func() bool {
			replicas, err := q.members[i].Maps("SENTINEL", "REPLICAS", orders)
			if err != nil {
				return false
			}
			ok := true
			for place, r := range q.servers {
				for _, found := range replicas {
					if found["name"] == r.Addr().String() {
						ok = right(place, found[field]) && ok
					}
				}
			}
			return ok
		})
	}
}

// unfit: where every replica has priority 0, nobody is promoted, asked or not.
func unfit(q *quorum) {
	for _, r := range q.servers {
		_, err := r.Do(q.t.Context(), "CONFIG", "SET", "replica-priority", "0")
		q.must(err)
	}
	q.awaitField("slave-priority", func(_ int, value string) bool { return value == "0" })
	for i := range q.members {
		q.refused(i, "NOGOODSLAVE No suitable replica to promote", "SENTINEL", "FAILOVER", orders)
	}
	for _, leader := range q.leaders() {
		q.onlyLeader(leader)
		f := q.fault("kill the master, sentinel %d is to lead", leader)
		_, err := q.servers[0].Kill()
		q.must(err)
		q.heard(leader, f.marks[leader], turnover, "-failover-abort-no-good-slave", "master "+orders)
		q.tellsOf(leader, f.marks[leader], strings.Fields("+sdown +odown +new-epoch +try-failover +vote-for-leader +elected-leader "+
			"+failover-state-select-slave -failover-abort-no-good-slave"))
		q.must(q.servers[0].Start(q.t.Context()))
		for i := range q.members {
			q.heard(i, f.marks[i], soon, "-sdown", "master "+orders)
		}
		q.heard(leader, f.marks[leader], soon, "-odown", "master "+orders)
		if at, _, ok := q.agreed(); !ok || at != f.old {
			q.t.Errorf("the master is %s", at)
		}
	}
	q.stays(time.Second, "nobody promoted", func() bool { at, _, _ := q.agreed(); return q.place(at) == 0 })
}
