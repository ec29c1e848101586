package lab

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/sentinels"
)

// places are what an administrator does: exchange programs, end them, have scripts called.
var places = []behaviour{
	{name: "replaced", check: replaced},
	{name: "ended", check: ended},
	{name: "refused", check: refusedFiles},
	{name: "notified", check: notified, plan: quorumPlan{Idle: true, Voter: scripted}},
	{name: "twenty", check: inARow},
}

// replaced exchanges the program of one host after the other while the quorum works, and back again. Where no program of ours
// is in the mixture, each is only restarted.
func replaced(q *quorum) {
	ids := map[int]string{}
	for i := range q.members {
		ids[i] = q.ask(i, "SENTINEL", "MYID")
	}
	for round := range 2 {
		for i, s := range q.members {
			code, err := s.Stop()
			q.must(err)
			if code != 0 {
				q.t.Errorf("sentinel %d (%s) ended with %d", i, s.Program().Name, code)
			}
			before := mustLines(q, s, "")
			s.Become(q.exchanged(i, round))
			q.up(i)
			if got := q.ask(i, "SENTINEL", "MYID"); got != ids[i] {
				q.t.Errorf("sentinel %d is %s now, and was %s", i, got, ids[i])
			}
			q.awaitWhole()
			q.keepsLines(i, before)
		}
		f := q.fault("failover in round %d", round)
		place := q.place(f.old)
		_, err := q.servers[place].Kill()
		q.must(err)
		f.turnedOver(-1)
		q.must(q.servers[place].Start(q.t.Context()))
		f.returned()
	}
}

// exchanged is the program that stands at a place in a round: first the other one, then that of the mixture.
func (q *quorum) exchanged(i, round int) sentinels.Program {
	if round == 0 && strings.Contains(q.mix.kinds, "o") {
		if q.program(i).Name == "real" {
			return sentinels.Ours(binary)
		}
		return q.real
	}
	return q.program(i)
}

// keepsLines wants every line that was in the file to be there still, in whatever order, and nothing else.
func (q *quorum) keepsLines(i int, before []string) {
	q.t.Helper()
	var after []string
	slices.Sort(before)
	if q.within(soon/5, func() bool {
		after = mustLines(q, q.members[i], "")
		slices.Sort(after)
		return slices.Equal(before, after)
	}) {
		return
	}
	q.t.Errorf("sentinel %d (%s) has made of\n%s\nthis:\n%s", i, q.members[i].Program().Name, strings.Join(before, "\n"), strings.Join(after, "\n"))
}

// ended: each way to end one, and how soon.
func ended(q *quorum) {
	for i, s := range q.members {
		for _, how := range []string{"SIGTERM", "SIGINT", "SHUTDOWN"} {
			begun := clock.Now()
			switch how {
			case "SIGTERM":
				q.must(s.Signal(unix.SIGTERM))
			case "SIGINT":
				q.must(s.Signal(unix.SIGINT))
			default:
				if answer, err := s.Do("SHUTDOWN"); err == nil {
					q.t.Errorf("sentinel %d answers %v to SHUTDOWN", i, answer)
				}
			}
			code, err := s.AwaitEnd(soon)
			q.must(err)
			if took := clock.Now().Sub(begun); code != 0 || took > 2*time.Second+excused(q.watch, begun) {
				q.t.Errorf("sentinel %d (%s) ended with %d, %v after %s", i, s.Program().Name, code, took, how)
			}
			q.up(i)
		}
	}
	q.awaitWhole()
}

// refusedFiles: what stands in no file, and that nothing is lost of one that is refused.
func refusedFiles(q *quorum) {
	for i, s := range q.members {
		q.must(s.Kill())
		good := mustLines(q, s, "")
		for _, wrong := range []struct{ line, said string }{
			{"nosuch directive", "nosuch directive"},
			{"sentinel nosuch " + orders + " 1", "sentinel nosuch"},
			{"sentinel monitor another 10.77.0.11 6379 0", "sentinel monitor another"},
			{"sentinel down-after-milliseconds another 100", "No such master"},
			{"sentinel known-sentinel another 10.77.0.11 6379 " + strings.Repeat("a", 40), "No such master"},
			{"sentinel notification-script " + orders + " /nosuch", "nosuch"},
			{"sentinel myid short", "sentinel myid"},
		} {
			q.must(s.Write(append(slices.Clone(good), wrong.line)))
			_, err := s.Launch()
			q.must(err)
			code, err := s.AwaitEnd(soon)
			q.must(err)
			if code != 1 {
				q.t.Errorf("sentinel %d (%s) ended with %d over %q", i, s.Program().Name, code, wrong.line)
			}
			said := s.Tail(1000)
			for _, want := range []string{"FATAL CONFIG FILE ERROR", fmt.Sprintf("Reading the configuration file, at line %d", len(good)+1), ">>> '" + wrong.line + "'"} {
				if !strings.Contains(said, want) {
					q.t.Errorf("sentinel %d (%s) does not say %q over %q, but\n%s", i, s.Program().Name, want, wrong.line, said)
				}
			}
			if now := mustLines(q, s, ""); !slices.Equal(now, append(slices.Clone(good), wrong.line)) {
				q.t.Errorf("sentinel %d changed a file that it refused", i)
			}
		}
		q.must(s.Write(good), os.Rename(s.File(), s.File()+".away"))
		_, err := s.Launch()
		q.must(err)
		if code, err := s.AwaitEnd(soon); err != nil || code != 1 {
			q.t.Errorf("sentinel %d (%s) without a file: %d %v", i, s.Program().Name, code, err)
		}
		q.must(os.Rename(s.File()+".away", s.File()))
		q.up(i)
	}
	q.awaitWhole()
}

// scripted has both scripts, which write down their arguments, one line a call; the first fails at first for one event.
func scripted(q *quorum, i int, c *sentinels.Config) {
	dir := q.Hosts()[i].Dir()
	for name, text := range map[string]string{
		"notify":      "told=$(printf '%s|' \"$#\" \"$@\")\necho \"$told\" >>" + dir + "/notified\nls /proc/self/fd >>" + dir + "/open\n",
		"reconfigure": "told=$(printf '%s|' \"$#\" \"$@\")\necho \"$told\" >>" + dir + "/reconfigured\npwd >>" + dir + "/where\n",
	} {
		q.must(os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text), 0o700))
	}
	c.Groups[0].Lines = append(c.Groups[0].Lines, "notification-script "+filepath.Join(dir, "notify"),
		"client-reconfig-script "+filepath.Join(dir, "reconfigure"))
}

// notified: every event of the level that is told to people, and one call for a new master, by the leader and by the others.
func notified(q *quorum) {
	for i := range q.members {
		q.up(i)
	}
	q.awaitWhole()
	const leader = 1
	inherited := q.descriptors()
	q.onlyLeader(leader)
	f := q.fault("failover")
	_, err := q.servers[0].Kill()
	q.must(err)
	f.turnedOver(leader)
	for i, s := range q.members {
		dir := q.Hosts()[i].Dir()
		role := "observer"
		if i == leader {
			role = "leader"
		}
		want := fmt.Sprintf("7|%s|%s|start|%s|6379|%s|6379|\n", orders, role, f.old.Addr(), f.new.Addr())
		q.await(soon, fmt.Sprintf("call of sentinel %d's script", i), func() bool {
			text, _ := os.ReadFile(filepath.Join(dir, "reconfigured"))
			return string(text) == want
		})
		if where, _ := os.ReadFile(filepath.Join(dir, "where")); strings.TrimSpace(string(where)) != s.Dir() {
			q.t.Errorf("sentinel %d's script is run in %q", i, where)
		}
		q.heard(i, f.marks[i], soon, "+sdown", "slave "+f.old.String())
		q.await(soon, "nothing left to run", func() bool {
			pending, err := s.Do("SENTINEL", "PENDING-SCRIPTS")
			return err == nil && len(pending.Elems) == 0
		})
		q.sameNotes(i)
		open, _ := os.ReadFile(filepath.Join(dir, "open"))
		for line := range strings.Lines(string(open)) {
			if n := strings.TrimSpace(line); !slices.Contains(inherited, n) {
				q.t.Errorf("sentinel %d (%s) left descriptor %s open to its script", i, s.Program().Name, n)
			}
		}
	}
}

// descriptors are those that a program finds open which this test starts: its input, its outputs, what this test was given
// itself, and the directory that lists them.
func (q *quorum) descriptors() []string {
	q.t.Helper()
	p, err := q.Client().Start(stage.Command{Name: "descriptors", Path: "sh", Args: []string{"-c", "ls /proc/self/fd"}})
	q.must(err)
	select {
	case <-p.Done():
	case <-time.After(soon):
		q.t.Fatal("ls does not end")
	}
	text, err := os.ReadFile(p.Log())
	q.must(err)
	return strings.Fields(string(text))
}

// sameNotes holds the calls of the notification script against the log: one for each warning that belongs to a group.
func (q *quorum) sameNotes(i int) {
	q.t.Helper()
	log, err := q.members[i].Log()
	q.must(err)
	var want []string
	for _, l := range log {
		channel, payload, _ := strings.Cut(l.Text, " ")
		known, isEvent := payloads[channel]
		if isEvent && known.level == '#' && !strings.HasSuffix(channel, "tilt") && !strings.HasPrefix(channel, "-script") {
			want = append(want, fmt.Sprintf("2|%s|%s|", channel, payload))
		}
	}
	text, err := os.ReadFile(filepath.Join(q.Hosts()[i].Dir(), "notified"))
	q.must(err)
	got := strings.Split(strings.TrimSpace(string(text)), "\n")
	// Several run at once, so their order is not that of the events.
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		q.t.Errorf("sentinel %d (%s) had notified\n%s\nand not\n%s", i, q.members[i].Program().Name, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// inARow is many failovers, and what they cost in epochs. Two leaders of one epoch, and one epoch with two masters, are never right.
func inARow(q *quorum) {
	ids := map[string]int{}
	for i := range q.members {
		ids[q.ask(i, "SENTINEL", "MYID")] = i
	}
	begin := q.marked()
	masters := map[string]netip.AddrPort{}
	for n := range runs(4, 20) {
		f := q.fault("failover %d", n)
		place := q.place(f.old)
		_, err := q.servers[place].Kill()
		q.must(err)
		f.turnedOver(-1)
		_, epoch, _ := q.agreed()
		if before, used := masters[epoch]; used {
			q.t.Errorf("epoch %s made %s the master, and then %s", epoch, before, f.new)
		}
		masters[epoch] = f.new
		q.must(q.servers[place].Start(q.t.Context()))
		q.follows(f.new)
	}
	q.awaitWhole()
	q.oneLeaderAnEpoch(begin)
	last := 0
	for i := range q.members {
		for _, e := range q.members[i].Since(begin[i]) {
			if e.Channel == "+new-epoch" {
				var n int
				if _, err := fmt.Sscan(e.Payload, &n); err == nil {
					last = max(last, n)
				}
			}
		}
	}
	led := map[string]int{}
	for i, s := range q.members {
		led[fmt.Sprintf("%d %s", i, s.Program().Name)] = q.count(i, begin[i], "+failover-end", "")
	}
	q.t.Logf("%s: %d failovers took %d epochs; led by %v", q.mix.name, len(masters), last, led)
	if last > 3*len(masters)+2 {
		q.t.Errorf("%d failovers took %d epochs", len(masters), last)
	}
}

// oneLeaderAnEpoch looks at who was elected in which epoch.
func (q *quorum) oneLeaderAnEpoch(begin []int) {
	q.t.Helper()
	leaders := map[string]int{}
	for i, s := range q.members {
		epoch := ""
		for _, e := range s.Since(begin[i]) {
			switch e.Channel {
			case "+new-epoch":
				epoch = e.Payload
			case "+elected-leader":
				if other, taken := leaders[epoch]; taken && other != i {
					q.t.Errorf("sentinels %d and %d were both elected in epoch %s", other, i, epoch)
				}
				leaders[epoch] = i
			}
		}
	}
}
