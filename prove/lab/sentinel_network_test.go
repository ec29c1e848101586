package lab

import (
	"fmt"
	"net/netip"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/sentinels"
)

// networks are what cables do to a quorum.
var networks = []behaviour{
	{name: "cut", check: cut},
	{name: "deaf", check: deaf},
	{name: "groups", check: groups, plan: quorumPlan{Voter: thrice}},
}

// cut takes the master's host, with its Sentinel, from the others, under each leader that is left. Behind the cut nothing is
// done; after it the old view gives way to the new one.
func cut(q *quorum) {
	for range pick(1, 2) {
		f := q.fault("cut")
		old := q.place(f.old)
		q.must(q.Cut(q.Hosts()[old].Name()))
		var next netip.AddrPort
		q.await(turnover, "agreement on another master among those that are left", func() bool {
			var found []netip.AddrPort
			for _, i := range q.others(old) {
				at, err := q.members[i].Master(orders)
				q.must(err)
				found = append(found, at)
			}
			next = found[0]
			return found[0] == found[1] && next != f.old
		})
		q.stays(pick(500*time.Millisecond, 5*time.Second), "the old view behind the cut", func() bool {
			at, err := q.members[old].Master(orders)
			q.must(err)
			return at == f.old && q.count(old, f.marks[old], "+odown", "") == 0
		})
		q.must(q.Heal(q.Hosts()[old].Name()))
		f.turnedOver(-1)
		if f.new != next {
			q.t.Errorf("%s was the master, and after the cut %s", next, f.new)
		}
		f.returned()
	}
}

// deaf: a Sentinel that hears nothing of the others, and the master, which is told of by two, stays.
func deaf(q *quorum) {
	for i, h := range q.Hosts() {
		f := q.fault("h%d is cut off, and not the master's host", i+1)
		if q.place(f.old) == i {
			continue
		}
		q.must(q.Cut(h.Name()))
		q.heard(i, f.marks[i], soon, "+sdown", "master "+orders)
		for _, other := range q.others(i) {
			q.heard(other, f.marks[other], soon, "+sdown", "sentinel "+q.ask(i, "SENTINEL", "MYID"))
			q.heard(other, f.marks[other], soon, "+sdown", fmt.Sprintf("slave %s", q.servers[i].Addr()))
		}
		q.stays(unmoved()/2, "the master", func() bool { at, _, ok := q.agreed(); return ok && at == f.old })
		q.must(q.Heal(h.Name()))
		for _, other := range q.others(i) {
			q.heard(other, f.marks[other], soon, "-sdown", "sentinel "+q.ask(i, "SENTINEL", "MYID"))
			q.heard(other, f.marks[other], soon, "-sdown", fmt.Sprintf("slave %s", q.servers[i].Addr()))
		}
		q.heard(i, f.marks[i], soon, "-sdown", "master "+orders)
		q.awaitWhole()
		if at, _, ok := q.agreed(); !ok || at != f.old {
			q.t.Errorf("the master is %s, and was %s", at, f.old)
		}
		for other := range q.members {
			if n := q.count(other, f.marks[other], "+try-failover", ""); n > 0 {
				q.t.Errorf("sentinel %d tried %d failovers", other, n)
			}
		}
	}
}

// groupNames are the groups of a quorum with three of them, and their servers' ports.
var groupNames = map[string]uint16{orders: stage.DefaultPort, "second": 6380, "third": 6381}

func thrice(q *quorum, i int, c *sentinels.Config) {
	for name, port := range groupNames {
		if name == orders {
			continue
		}
		if i == 0 {
			// The servers of the first group are there already; these are made before the first Sentinel starts.
			for n, h := range q.Hosts() {
				server := stage.RedisConfig{Port: port}
				if n > 0 {
					server.ReplicaOf = q.Hosts()[0].Port(port)
				}
				_, err := h.StartRedis(q.t.Context(), server)
				q.must(err)
			}
		}
		g := sentinels.At(name, q.Hosts()[0].Port(port), 2)
		g.DownAfter, g.FailoverTimeout = downAfter, failoverTimeout
		c.Groups = append(c.Groups, g)
	}
}

// groups: one host's power takes three masters at once.
func groups(q *quorum) {
	for i := range q.members {
		for name := range groupNames {
			q.await(soon, "whole group "+name, func() bool {
				return q.value(i, "MASTER", "num-slaves", name) == "2" && q.value(i, "MASTER", "num-other-sentinels", name) == "2" &&
					q.value(i, "MASTER", "flags", name) == "master"
			})
		}
	}
	f := q.fault("power off")
	q.must(q.PowerOff("h1"))
	for name := range groupNames {
		q.await(2*turnover, "agreement on another master of "+name, func() bool {
			var found []string
			for _, i := range q.running() {
				at, err := q.members[i].Master(name)
				q.must(err)
				found = append(found, fmt.Sprint(at, q.value(i, "MASTER", "config-epoch", name)))
				if at.Addr() == q.Hosts()[0].Addr() {
					return false
				}
			}
			return found[0] == found[1]
		})
		for _, i := range q.running() {
			q.heard(i, f.marks[i], soon, "+switch-master", name+" ")
			if n := q.count(i, f.marks[i], "+switch-master", name+" "); n != 1 {
				q.t.Errorf("sentinel %d told of %d switches of %s", i, n, name)
			}
		}
	}
	attempts := 0
	for i := range q.members {
		attempts += q.count(i, f.marks[i], "+try-failover", "")
	}
	q.t.Logf("%s: %d attempts for %d groups", q.mix.name, attempts, len(groupNames))
}
