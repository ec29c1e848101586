package lab

import (
	"fmt"
	"strings"
)

// hellos are what Sentinels believe of each other.
var hellos = []behaviour{
	{name: "forged", check: forged},
	{name: "spread", check: spread},
}

// forged tells hellos of a Sentinel that is not there.
func forged(q *quorum) {
	q.all("SENTINEL", "SET", orders, "quorum", "9")
	stranger := strings.Repeat("d", 40)
	master, replica := q.servers[0].Addr(), q.servers[1].Addr()
	for i, s := range q.members {
		hello := func(format string, args ...any) {
			q.t.Helper()
			answer, err := s.Do("PUBLISH", "__sentinel__:hello", fmt.Sprintf(format, args...))
			q.must(err)
			if answer.Int != 1 {
				q.t.Errorf("sentinel %d answers %v to a hello", i, answer)
			}
		}
		mark := s.Mark()
		hello("garbage")
		hello("10.77.0.97,26379,%s,9,nosuch,%s,6379,9", stranger, master.Addr())
		hello("10.77.0.97,26379,%s,9,%s,%s,6379,9,more", stranger, orders, master.Addr())
		q.refused(i, "ERR", "PUBLISH", "another", "hello")

		// An epoch that is higher is adopted, and who told it is known from now on.
		epoch := 10 * (i + 1)
		hello("10.77.0.99,26379,%s,%d,%s,%s,6379,0", stranger, epoch, orders, master.Addr())
		q.heard(i, mark, soon, "+sentinel", fmt.Sprintf("sentinel %s 10.77.0.99 26379 @ %s %s 6379", stranger, orders, master.Addr()))
		q.writes(i, fmt.Sprintf("known-sentinel %s 10.77.0.99 26379 %s", orders, stranger), fmt.Sprintf("current-epoch %d", epoch))
		q.heard(i, mark, soon, "+new-epoch", fmt.Sprint(epoch))
		// Events come on another connection than the answers: what those before had done would have been heard by now.
		if n := q.count(i, mark, "+sentinel", "") - 1 + q.count(i, mark, "+switch-master", "") + q.count(i, mark, "+new-epoch", "9"); n > 0 {
			q.t.Errorf("sentinel %d told %v of hellos that say nothing", i, s.Since(mark))
		}

		// A lower epoch of the configuration, or an equal one, changes nothing.
		hello("10.77.0.99,26379,%s,%d,%s,%s,6379,0", stranger, epoch, orders, replica.Addr())
		// It has another address, and so has its name.
		hello("10.77.0.98,26379,%s,%d,%s,%s,6379,0", stranger, epoch, orders, master.Addr())
		q.heard(i, mark, soon, "+sentinel-address-switch", fmt.Sprintf("master %s %s 6379 ip 10.77.0.98 port 26379 for %s", orders, master.Addr(), stranger))
		if n := q.count(i, mark, "+switch-master", ""); n > 0 {
			q.t.Errorf("sentinel %d switched to what is not newer", i)
		}
		answer, err := s.Do("SENTINEL", "RESET", orders)
		q.must(err)
		if answer.Int != 1 {
			q.t.Errorf("sentinel %d reset %d groups", i, answer.Int)
		}
	}
	q.awaitWhole()

	// A higher one is believed at once, by all, whoever leads the group now.
	marks := q.marked()
	_, err := q.members[2].Do("PUBLISH", "__sentinel__:hello", fmt.Sprintf("10.77.0.99,26379,%s,50,%s,%s,6379,50", stranger, orders, replica.Addr()))
	q.must(err)
	q.heard(2, marks[2], soon, "+config-update-from", fmt.Sprintf("sentinel %s 10.77.0.99 26379 @ %s %s 6379", stranger, orders, master.Addr()))
	for i := range q.members {
		q.heard(i, marks[i], soon, "+switch-master", fmt.Sprintf("%s %s 6379 %s 6379", orders, master.Addr(), replica.Addr()))
		if epoch := q.value(i, "MASTER", "config-epoch", orders); epoch != "50" {
			q.t.Errorf("sentinel %d has the configuration of epoch %s", i, epoch)
		}
	}
}

// writes waits until a Sentinel's file has directives, each once.
func (q *quorum) writes(i int, directives ...string) {
	q.t.Helper()
	for _, d := range directives {
		if !q.within(soon/5, func() bool {
			lines := mustLines(q, q.members[i], "sentinel "+d)
			return len(lines) == 1 && lines[0] == "sentinel "+d
		}) {
			q.t.Errorf("sentinel %d (%s) does not write %q", i, q.members[i].Program().Name, "sentinel "+d)
		}
	}
}

// spread: every Sentinel tells the servers and the others who it is, in eight fields, as often as it should.
func spread(q *quorum) {
	conn, err := dialServer(q, 1)
	q.must(err)
	defer conn.Close()
	_, err = conn.Do(soon, "SUBSCRIBE", "__sentinel__:hello")
	q.must(err)
	ids := map[string]int{}
	for i := range q.members {
		ids[q.ask(i, "SENTINEL", "MYID")] = i
	}
	told := map[int]int{}
	for range 40 {
		message, err := conn.Next(soon)
		q.must(err)
		f := strings.Split(message.Elems[2].Text, ",")
		if len(f) != 8 {
			q.t.Fatalf("a hello is %q", message.Elems[2].Text)
		}
		i, known := ids[f[2]]
		if !known {
			q.t.Fatalf("a hello of %s", f[2])
		}
		told[i]++
		want := fmt.Sprintf("%s,26379,%s,0,%s,%s,6379,0", q.Hosts()[i].Addr(), f[2], orders, q.servers[0].Addr().Addr())
		if got := message.Elems[2].Text; got != want {
			q.t.Errorf("sentinel %d (%s) tells %s, and not %s", i, q.members[i].Program().Name, got, want)
		}
	}
	// It comes by this server, and from the master by replication; each Sentinel tells both as often.
	for i := range q.members {
		if told[i] < 8 || told[i] > 18 {
			q.t.Errorf("%d of 40 hellos are sentinel %d's (%s)", told[i], i, q.members[i].Program().Name)
		}
	}
}
