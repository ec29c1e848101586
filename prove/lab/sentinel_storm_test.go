package lab

import (
	"fmt"
	"math/rand/v2"
	"time"

	"redkeep/internal/stage"
)

// storms are faults at random.
var storms = []behaviour{
	{name: "storm", check: storm},
	{name: "storm-of-five", check: storm, plan: quorumPlan{Hosts: []string{"h1", "h2", "h3", "h4", "h5"}, Need: 3}, long: true},
}

// blow is one fault, and what ends it.
type blow struct {
	name       string
	begin, end func(q *quorum, i int) error
}

var blows = []blow{
	{"kill server", func(q *quorum, i int) error {
		_, err := q.server(i).Kill()
		return err
	}, func(q *quorum, i int) error { return q.server(i).Start(q.t.Context()) }},
	{"freeze server", func(q *quorum, i int) error { return q.server(i).Process().Freeze() },
		func(q *quorum, i int) error { return q.server(i).Process().Thaw() }},
	{"kill sentinel", func(q *quorum, i int) error { return q.members[i].Kill() },
		func(q *quorum, i int) error { q.up(i); return nil }},
	{"freeze sentinel", func(q *quorum, i int) error { return q.members[i].Freeze() }, func(q *quorum, i int) error { return q.members[i].Thaw() }},
	{"cut", func(q *quorum, i int) error { return q.Cut(q.Hosts()[i].Name()) }, func(q *quorum, i int) error { return q.Heal(q.Hosts()[i].Name()) }},
	{"lose of", func(q *quorum, i int) error { return q.Lose(q.Hosts()[i].Name(), stage.Both, 0.3) },
		func(q *quorum, i int) error { return q.Heal(q.Hosts()[i].Name()) }},
	{"deafen", func(q *quorum, i int) error { return q.CutInbound(q.Hosts()[i].Name()) },
		func(q *quorum, i int) error { return q.Heal(q.Hosts()[i].Name()) }},
	{"failover", func(q *quorum, i int) error {
		// It may well be refused: that is an answer.
		_, _ = q.members[i].Do("SENTINEL", "FAILOVER", orders)
		return nil
	}, func(*quorum, int) error { return nil }},
}

// storm strikes twice at random in each round, ends that in any order, and wants agreement; whoever led, epochs have one leader.
func storm(q *quorum) {
	begin := q.marked()
	for round := range runs(3, 25) {
		first, second := rand.N(len(blows)), rand.N(len(blows))
		at, other := rand.N(len(q.members)), rand.N(len(q.members))
		// A failover that is asked for takes an epoch without a vote: beside an election, or another one, both may have the same.
		if alone := len(blows) - 1; first == alone || second == alone {
			first, second, other = alone, alone, at
		}
		if at == other {
			second = first // one fault, for what two of them on one host would do to each other
		}
		q.mark("round %d: %s h%d, %s h%d", round, blows[first].name, at+1, blows[second].name, other+1)
		q.must(blows[first].begin(q, at))
		q.lasts(rand.N(1500 * time.Millisecond))
		if at != other {
			q.must(blows[second].begin(q, other))
		}
		q.lasts(rand.N(3 * time.Second))
		q.must(blows[first].end(q, at))
		q.lasts(rand.N(500 * time.Millisecond))
		if at != other {
			q.must(blows[second].end(q, other))
		}
		q.settles(round)
	}
	q.oneLeaderAnEpoch(begin)
}

// server is the one on a host; one without has no server, and the first is struck instead.
func (q *quorum) server(i int) *stage.Redis { return q.servers[i%len(q.servers)] }

// settles waits until all agree on a master that all servers follow, and that this stays so.
func (q *quorum) settles(round int) {
	q.t.Helper()
	q.await(2*turnover, fmt.Sprintf("agreement after round %d", round), func() bool {
		at, _, ok := q.agreed()
		if !ok {
			return false
		}
		for i := range q.members {
			if !q.whole(i) {
				return false
			}
		}
		return q.obeyed(at)
	})
}
