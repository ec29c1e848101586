package lab

import (
	"fmt"
	"strings"
	"time"

	"redkeep/internal/stage/sentinels"
)

// minorities are what too few can't do.
var minorities = []behaviour{
	{name: "alone", check: alone},
	{name: "outvoted", check: outvoted, plan: quorumPlan{Need: 1}},
	{name: "unanimous", check: unanimous, plan: quorumPlan{Hosts: []string{"h1", "h2", "h3", "h4", "h5"}, Need: 5}},
	{name: "remembered", check: remembered},
}

// unmoved is how long a test watches that nothing happens: past the first attempt, and with -lab.long past the second.
func unmoved() time.Duration { return pick(2500*time.Millisecond, 10*time.Second) }

// alone: one of three, with a quorum of two, does nothing, whichever it is.
func alone(q *quorum) {
	q.awaitWhole()
	left := len(q.mix.kinds) - 1
	marks := q.marked()
	for i := range left {
		q.must(q.members[i].Kill())
	}
	q.await(soon, "two sentinels down", func() bool { return q.count(left, marks[left], "+sdown", "sentinel ") == left })
	q.refused(left, "NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the specified quorum for this master. "+
		"Not enough available Sentinels to reach the majority and authorize a failover", "SENTINEL", "CKQUORUM", orders)
	_, err := q.servers[0].Kill()
	q.must(err)
	q.heard(left, marks[left], soon, "+sdown", "master "+orders)
	q.stays(unmoved(), "no failover of one alone", func() bool {
		return q.count(left, marks[left], "+odown", "")+q.count(left, marks[left], "+try-failover", "") == 0
	})
	q.up(0)
	f := turn{quorum: q, old: q.servers[0].Addr(), epoch: "0", marks: marks}
	f.turnedOver(-1)
}

// outvoted: with a quorum of one it sees the master objectively down, and is elected by nobody.
func outvoted(q *quorum) {
	q.awaitWhole()
	marks := q.marked()
	q.must(q.members[1].Freeze(), q.members[2].Kill())
	_, err := q.servers[0].Kill()
	q.must(err)
	q.heard(0, marks[0], turnover, "-failover-abort-not-elected", "master "+orders)
	q.tellsOf(0, marks[0], strings.Fields("+sdown +odown +new-epoch +try-failover +vote-for-leader -failover-abort-not-elected"))
	q.must(q.members[1].Thaw())
	f := turn{quorum: q, old: q.servers[0].Addr(), epoch: "0", marks: marks}
	f.turnedOver(-1)
}

// unanimous: five of five, and one is missing.
func unanimous(q *quorum) {
	for missing := range pick(1, 2) {
		f := q.fault("sentinel %d is missing", missing)
		q.must(q.members[missing].Kill())
		place := q.place(f.old)
		_, err := q.servers[place].Kill()
		q.must(err)
		for _, i := range q.others(missing) {
			q.heard(i, f.marks[i], soon, "+sdown", "master "+orders)
		}
		q.stays(unmoved(), "no failover without sentinel "+fmt.Sprint(missing), func() bool {
			tried := 0
			for i := range q.members {
				tried += q.count(i, f.marks[i], "+odown", "") + q.count(i, f.marks[i], "+try-failover", "")
			}
			return tried == 0
		})
		q.up(missing)
		f.turnedOver(-1)
		q.must(q.servers[place].Start(q.t.Context()))
		f.returned()
	}
}

// remembered: a vote is on disk before it is told, and no other is given in its epoch after a crash.
func remembered(q *quorum) {
	master := q.servers[0].Addr()
	ask := func(s *sentinels.Sentinel, epoch int, id string) []string {
		answer, err := s.Do("SENTINEL", "IS-MASTER-DOWN-BY-ADDR", master.Addr().String(), fmt.Sprint(master.Port()), fmt.Sprint(epoch), id)
		q.must(err)
		return answer.Strings()
	}
	one, other := strings.Repeat("a", 40), strings.Repeat("b", 40)
	for i, s := range q.members {
		epoch := 100 * (i + 1)
		for _, id := range []string{one, other, one} {
			if got := strings.Join(ask(s, epoch, id), " "); got != fmt.Sprintf("0 %s %d", one, epoch) {
				q.t.Errorf("sentinel %d, asked for %s in %d: %s", i, id, epoch, got)
			}
		}
		q.must(s.Kill())
		for option, want := range map[string]string{"leader-epoch " + orders: fmt.Sprint(epoch), "current-epoch": fmt.Sprint(epoch)} {
			if lines, err := s.Lines("sentinel " + option + " "); err != nil || len(lines) != 1 || !strings.HasSuffix(lines[0], " "+want) {
				q.t.Errorf("sentinel %d wrote %v %v, and not %s %s", i, lines, err, option, want)
			}
		}
		q.up(i)
		if got := ask(s, epoch, other); got[1] != one && got[1] != "*" || got[2] != fmt.Sprint(epoch) {
			q.t.Errorf("sentinel %d voted again in %d: %v", i, epoch, got)
		}
		if got := ask(s, epoch-1, other); got[1] == other {
			q.t.Errorf("sentinel %d voted in the past: %v", i, got)
		}
	}
	// All have the highest epoch from each other by now, and so does the next failover.
	for i := range q.members {
		q.await(soon, "the highest epoch", func() bool {
			lines, err := q.members[i].Lines("sentinel current-epoch 300")
			return err == nil && len(lines) == 1
		})
	}
	f := q.fault("failover by who has voted")
	q.must(q.servers[0].Process().Freeze())
	f.turnedOver(-1)
}
