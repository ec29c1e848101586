package lab

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"redkeep/internal/stage"
	"redkeep/internal/stage/wire"
)

// observations are what one of ours sees that only looks on.
var observations = []behaviour{{name: "observed", check: observed}}

// hastenAt shortens the periods of a Sentinel that is no member.
func (q *quorum) hastenAt(i int, port uint16) {
	q.t.Helper()
	h := q.Hosts()[i]
	conn, err := wire.Dial(q.t.Context(), h.Dial, h.Port(port), soon)
	q.must(err)
	defer conn.Close()
	_, err = conn.Do(soon, append([]string{"SENTINEL", "DEBUG"}, strings.Fields(periods)...)...)
	q.must(err)
}

// observed has one look on beside each member, with that one's file, while the quorum fails over and repairs. It changes nothing, is
// counted by nobody, and says what it would have done.
func observed(q *quorum) {
	lookers := make([]*stage.Process, len(q.members))
	for i, s := range q.members {
		p, err := q.Hosts()[i].Start(stage.Command{Name: "observer", Path: binary, Args: []string{"sentinel", "--observe", s.File(), "--port", "26400"}})
		q.must(err)
		lookers[i] = p
	}
	says := func(i int, pattern string) bool {
		text, _ := os.ReadFile(lookers[i].Log())
		return regexp.MustCompile(pattern).Match(text)
	}
	for i := range lookers {
		q.await(soon, "observer that has begun", func() bool { return says(i, `Observing: nothing is changed`) })
	}
	for i := range lookers {
		q.hastenAt(i, 26400)
	}
	// As long as a down-after, so that what it knows of the servers is its own.
	q.lasts(downAfter)
	f := q.fault("kill the master")
	_, err := q.servers[0].Kill()
	q.must(err)
	f.turnedOver(-1)
	for i := range lookers {
		q.await(soon, "what the observer would have done", func() bool {
			return says(i, `would-compare the quorum promoted `+regexp.QuoteMeta(f.new.String())+` for `+orders)
		})
		// A quorum of ours is done before another has asked whether it agrees.
		if q.mix.kinds == "rrr" && (!says(i, `would-try-failover master `+orders) || !says(i, `would-promote slave `)) {
			text, _ := os.ReadFile(lookers[i].Log())
			q.t.Errorf("the observer on h%d does not say what it would have done:\n%s", i+1, text)
		}
	}
	q.must(q.servers[0].Start(q.t.Context()))
	f.returned()
	for i, s := range q.members {
		if n := q.value(i, "MASTER", "num-other-sentinels", orders); n != "2" {
			q.t.Errorf("sentinel %d counts %s others", i, n)
		}
		if lookers[i].Ended() {
			q.t.Errorf("the observer on h%d ended", i+1)
		}
		// What its Sentinel is called stands there once.
		if got := mustLines(q, s, "sentinel myid "); len(got) != 1 {
			q.t.Errorf("sentinel %d's file has %q", i, got)
		}
		left, err := os.ReadDir(s.Dir())
		q.must(err)
		if slices.ContainsFunc(left, func(e os.DirEntry) bool { return !strings.HasPrefix(filepath.Base(s.File()), e.Name()) }) {
			q.t.Errorf("sentinel %d's directory has %v", i, left)
		}
		q.must(lookers[i].Stop(soon))
	}
}
