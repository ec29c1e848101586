package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"redkeep/internal/stage/sentinels"
)

// scripts are how a Sentinel's scripts are run: again if they fail, not for ever, and not all at once.
var scripts = []behaviour{
	{name: "script-retried", check: retried, plan: quorumPlan{Voter: moody}},
	{name: "script-endless", check: endless, plan: quorumPlan{Voter: moody}},
	{name: "script-many", check: many, plan: quorumPlan{Voter: moody}},
}

// moody has a notification script that does what a file beside it says.
func moody(q *quorum, i int, c *sentinels.Config) {
	dir := q.Hosts()[i].Dir()
	text := "#!/bin/sh\necho \"$1 $2\" >>" + dir + "/calls\n. " + dir + "/mood\n"
	q.must(os.WriteFile(filepath.Join(dir, "moody"), []byte(text), 0o700), os.WriteFile(filepath.Join(dir, "mood"), nil, 0o600))
	c.Groups[0].Lines = append(c.Groups[0].Lines, "notification-script "+filepath.Join(dir, "moody"))
}

// mood sets what the script of a Sentinel does, once it has nothing left to run, and forgets its calls.
func (q *quorum) mood(i int, text string) {
	q.t.Helper()
	dir := q.Hosts()[i].Dir()
	q.await(soon, "nothing left to run", func() bool { return len(q.pending(i)) == 0 })
	q.must(os.WriteFile(filepath.Join(dir, "mood"), []byte(text), 0o600), os.RemoveAll(filepath.Join(dir, "calls")))
}

// calls are the calls of a Sentinel's script that are about an option.
func (q *quorum) calls(i int, option string) int {
	text, _ := os.ReadFile(filepath.Join(q.Hosts()[i].Dir(), "calls"))
	return strings.Count(string(text), " "+option+" ")
}

func (q *quorum) pending(i int) []map[string]string {
	q.t.Helper()
	all, err := q.members[i].Maps("SENTINEL", "PENDING-SCRIPTS")
	q.must(err)
	return all
}

// retried: exit code 1 is tried again after twice the time, up to ten times; another code is not.
func retried(q *quorum) {
	for _, i := range q.oneEach() {
		s := q.members[i]
		script := filepath.Join(q.Hosts()[i].Dir(), "moody")
		q.ask(i, "SENTINEL", "DEBUG", "SCRIPT-RETRY-DELAY", "100")
		q.mood(i, "exit 7\n")
		mark := s.Mark()
		q.ask(i, "SENTINEL", "SET", orders, "parallel-syncs", "7")
		q.heard(i, mark, soon, "-script-error", script+" 0 7")
		if n := q.calls(i, "parallel-syncs"); n != 1 {
			q.t.Errorf("sentinel %d (%s) called a script %d times that ended with 7", i, s.Program().Name, n)
		}
		q.mood(i, "case $(wc -l <"+q.Hosts()[i].Dir()+"/calls) in 1|2) exit 1;; 3) kill -9 $$;; esac\n")
		mark = s.Mark()
		begun := time.Now()
		q.ask(i, "SENTINEL", "SET", orders, "parallel-syncs", "6")
		q.await(soon, "a script that waits to be tried again", func() bool {
			all := q.pending(i)
			return len(all) == 1 && all[0]["flags"] == "scheduled" && all[0]["pid"] == "0" && all[0]["retry-num"] != "0"
		})
		q.await(soon, "four calls", func() bool { return q.calls(i, "parallel-syncs") == 4 })
		// 100, 200 and 400 ms, each up to a turn of the timer later.
		if d := time.Since(begun); d < 700*time.Millisecond {
			q.t.Errorf("sentinel %d (%s) called it four times within %v", i, s.Program().Name, d)
		}
		q.await(soon, "nothing left to run", func() bool { return len(q.pending(i)) == 0 })
		if n := q.count(i, mark, "-script-error", ""); n != 0 {
			q.t.Errorf("sentinel %d (%s) told of %d errors of what succeeded", i, s.Program().Name, n)
		}
		q.mood(i, "")
	}
}

// endless: a script that does not end is killed.
func endless(q *quorum) {
	for _, i := range q.oneEach() {
		s := q.members[i]
		script := filepath.Join(q.Hosts()[i].Dir(), "moody")
		q.mood(i, "exec sleep 3600\n")
		q.ask(i, "SENTINEL", "DEBUG", "SCRIPT-MAX-RUNTIME", "700", "SCRIPT-RETRY-DELAY", "1000")
		mark := s.Mark()
		q.ask(i, "SENTINEL", "SET", orders, "parallel-syncs", "7")
		pid := ""
		q.await(soon, "a script that runs", func() bool {
			all := q.pending(i)
			if len(all) == 1 && all[0]["flags"] == "running" {
				pid = all[0]["pid"]
			}
			return pid != ""
		})
		if got := infoField(q, i, "sentinel_running_scripts"); got != "1" {
			q.t.Errorf("sentinel %d: sentinel_running_scripts:%s", i, got)
		}
		q.heard(i, mark, soon, "-script-timeout", script+" "+pid)
		q.must(os.WriteFile(filepath.Join(q.Hosts()[i].Dir(), "mood"), nil, 0o600))
		q.await(soon, "the next try, which succeeds", func() bool { return len(q.pending(i)) == 0 })
		if n := q.calls(i, "parallel-syncs"); n != 2 {
			q.t.Errorf("sentinel %d (%s) called it %d times", i, s.Program().Name, n)
		}
	}
}

// many: sixteen run at once, and the others wait in a queue that drops the oldest.
func many(q *quorum) {
	for _, i := range q.oneEach() {
		s := q.members[i]
		dir := q.Hosts()[i].Dir()
		q.mood(i, "while test ! -e "+dir+"/go; do sleep 0.05; done\n")
		args := []string{"SENTINEL", "SET", orders}
		for n := range 300 {
			args = append(args, "parallel-syncs", fmt.Sprint(n+1))
		}
		q.ask(i, args...)
		q.await(soon, "sixteen that run", func() bool { return infoField(q, i, "sentinel_running_scripts") == "16" })
		q.stays(400*time.Millisecond, "sixteen that run", func() bool { return infoField(q, i, "sentinel_running_scripts") == "16" })
		if got := infoField(q, i, "sentinel_scripts_queue_length"); got != "256" {
			q.t.Errorf("sentinel %d (%s): sentinel_scripts_queue_length:%s", i, s.Program().Name, got)
		}
		q.must(os.WriteFile(filepath.Join(dir, "go"), nil, 0o600))
		q.await(2*soon, "nothing left to run", func() bool { return len(q.pending(i)) == 0 })
		if n := q.calls(i, "parallel-syncs"); n != 256 {
			q.t.Errorf("sentinel %d (%s) called %d of 300", i, s.Program().Name, n)
		}
	}
}
