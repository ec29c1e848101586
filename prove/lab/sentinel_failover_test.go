package lab

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/sentinels"
)

// failovers are what becomes of a master that is lost.
var failovers = []behaviour{
	{name: "unhurried", check: unhurried, plan: quorumPlan{Periods: "none", Voter: func(_ *quorum, _ int, c *sentinels.Config) {
		c.Groups[0].DownAfter = 2 * time.Second
	}}},
	{name: "killed", check: killed},
	{name: "frozen", check: frozen},
	{name: "dark", check: dark},
}

// unhurried has Sentinel's own periods, those that everybody runs.
func unhurried(q *quorum) {
	f := q.fault("kill the master")
	_, err := q.servers[0].Kill()
	q.must(err)
	f.turnedOver(-1)
	q.must(q.servers[0].Start(q.t.Context()))
	q.settles(0)
	for i := range q.members {
		if n := q.count(i, f.marks[i], "+convert-to-slave", ""); n > 1 {
			q.t.Errorf("sentinel %d converted %d times", i, n)
		}
	}
	for i, r := range q.servers {
		if told := f.orders(r, f.logs[i]); len(told) != 1 {
			q.t.Errorf("%s was told %d times what to follow:\n%s", r.Addr(), len(told), strings.Join(told, "\n"))
		}
	}
}

// killed kills the master's process under each leader in turn.
func killed(q *quorum) {
	for _, leader := range q.leaders() {
		q.onlyLeader(leader)
		old := q.masterAt()
		f := q.fault("kill the master on h%d, sentinel %d is to lead", old+1, leader)
		at, err := q.servers[old].Kill()
		q.must(err)
		f.turnedOver(leader)
		// The last answer may have come a ping before; from then on it is silent, whatever its kernel says meanwhile.
		down := q.heard(leader, f.marks[leader], soon, "+sdown", "master").At.Sub(at)
		if down < downAfter-500*time.Millisecond || down > downAfter+2*time.Second+excused(q.watch, at) {
			q.t.Errorf("sentinel %d (%s) saw the master down after %v", leader, q.members[leader].Program().Name, down)
		}
		q.must(q.servers[old].Start(q.t.Context()))
		f.returned()
	}
}

// frozen stops the master's process; when it goes on it is a second master, until it is told.
func frozen(q *quorum) {
	old := q.masterAt()
	f := q.fault("freeze the master")
	q.must(q.servers[old].Process().Freeze())
	f.turnedOver(-1)
	q.must(q.servers[old].Process().Thaw())
	f.returned()
}

// dark takes the power from the master's host, with the Sentinel there.
func dark(q *quorum) {
	old := q.masterAt()
	f := q.fault("power off")
	q.must(q.PowerOff(q.Hosts()[old].Name()))
	f.turnedOver(-1)
	q.must(q.PowerOn(q.Hosts()[old].Name()), q.servers[old].Start(q.t.Context()))
	q.up(old)
	f.returned()
}

// onlyLeader has one Sentinel alone able to lead: the others are told to want more agreement than there are Sentinels.
func (q *quorum) onlyLeader(leader int) {
	q.t.Helper()
	for i := range q.members {
		need := "9"
		if i == leader {
			need = fmt.Sprint(q.plan.Need)
		}
		q.ask(i, "SENTINEL", "SET", orders, "quorum", need)
	}
}

// turn is one change of the master, from the fault on.
type turn struct {
	*quorum
	old   netip.AddrPort
	new   netip.AddrPort // once turnedOver has seen it
	epoch string
	marks []int
	logs  []int
	// switched is how often each Sentinel had told of a new master.
	switched []int
}

// fault notes how everything is before one.
func (q *quorum) fault(format string, args ...any) *turn {
	q.t.Helper()
	q.awaitWhole()
	old, epoch, ok := q.agreed()
	if !ok {
		q.t.Fatal("the sentinels disagree before anything happened")
	}
	q.mark(format, args...)
	f := &turn{quorum: q, old: old, epoch: epoch, marks: q.marked()}
	for _, r := range q.servers {
		f.logs = append(f.logs, len(q.orders(r, 0)))
	}
	for i := range q.members {
		f.switched = append(f.switched, q.switches(i))
	}
	return f
}

// switches counts the switches of the group in a Sentinel's log: one that is just starting may tell of them before anybody listens.
func (q *quorum) switches(i int) (n int) {
	log, err := q.members[i].Log()
	q.must(err)
	for _, l := range log {
		if strings.HasPrefix(l.Text, "+switch-master "+orders+" ") {
			n++
		}
	}
	return n
}

// turnedOver waits until all running Sentinels name another master, and judges how they came to it. The leader is known, or -1.
func (f *turn) turnedOver(leader int) {
	f.t.Helper()
	var master netip.AddrPort
	var epoch string
	f.await(turnover, "agreement on another master", func() (ok bool) {
		master, epoch, ok = f.agreed()
		return ok && master != f.old
	})
	f.mark("%s is the master in epoch %s", master, epoch)
	if epoch == f.epoch {
		f.t.Errorf("the epoch of the configuration is %s as before", epoch)
	}
	for _, i := range f.running() {
		f.heard(i, f.marks[i], soon, "+switch-master", fmt.Sprintf("%s %s %d %s %d",
			orders, f.called(f.old.Addr()), f.old.Port(), f.called(master.Addr()), master.Port()))
		if leader >= 0 {
			want := followed
			if i == leader {
				want = led
			}
			f.tellsOf(i, f.marks[i], want)
		}
	}
	if n := f.led(); n != 1 {
		f.t.Errorf("%d sentinels ended the failover", n)
	}
	f.new = master
	f.follows(master)
}

// led counts the Sentinels that ended a failover as its leader.
func (f *turn) led() (n int) {
	for i := range f.members {
		n += f.count(i, f.marks[i], "+failover-end", "")
	}
	return n
}

// follows waits until every server that runs is what it should be.
func (q *quorum) follows(master netip.AddrPort) {
	q.t.Helper()
	for _, r := range q.servers {
		if p := r.Process(); p != nil && !p.Ended() && !stopped(p) {
			q.await(soon, fmt.Sprintf("right role at %s", r.Addr()), func() bool { return q.obeys(r, master) })
		}
	}
}

// obeyed reports whether all servers are what they should be.
func (q *quorum) obeyed(master netip.AddrPort) bool {
	return !slices.ContainsFunc(q.servers, func(r *stage.Redis) bool { return !q.obeys(r, master) })
}

// obeys reports whether a server is the master, or a replica of that with its link up.
func (q *quorum) obeys(r *stage.Redis, master netip.AddrPort) bool {
	answer, err := r.Do(q.t.Context(), "ROLE")
	if err != nil || len(answer.Elems) < 3 {
		return false
	}
	if q.reached(r) == master {
		return answer.Elems[0].Text == "master"
	}
	return answer.Elems[0].Text == "slave" && answer.Elems[1].Text == q.called(master.Addr()) &&
		answer.Elems[2].Int == int64(master.Port()) && answer.Elems[3].Text == "connected"
}

// stopped reports whether a process is frozen.
func stopped(p *stage.Process) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid()))
	_, after, _ := strings.Cut(string(text), ") ")
	return err == nil && strings.HasPrefix(after, "T")
}

// returned waits until the old master, which is back, is a replica, and judges that nobody was told twice whom to follow.
func (f *turn) returned() {
	f.t.Helper()
	f.follows(f.new)
	f.awaitWhole()
	// Who was late would tell it again within the time after which a stray is repaired.
	f.stays(4*250*time.Millisecond+700*time.Millisecond, "the master", func() bool {
		now, _, ok := f.agreed()
		return ok && now == f.new
	})
	converted := 0
	for i := range f.members {
		converted += f.count(i, f.marks[i], "+convert-to-slave", "")
		if n := f.count(i, f.marks[i], "+convert-to-slave", ""); n > 1 {
			f.t.Errorf("sentinel %d converted %d times", i, n)
		}
		if n := f.switches(i) - f.switched[i]; n != 1 {
			f.t.Errorf("sentinel %d (%s) told of %d switches", i, f.members[i].Program().Name, n)
		}
	}
	// Two may find it a master in the same second; the later one's order changes nothing.
	if converted < 1 || converted > len(f.members) {
		f.t.Errorf("the old master was converted %d times", converted)
	}
	for i, r := range f.servers {
		told := f.orders(r, f.logs[i])
		if len(told) != 1 {
			f.t.Errorf("%s was told %d times what to follow:\n%s", r.Addr(), len(told), strings.Join(told, "\n"))
		}
	}
}

// orders are the lines of a server's log that say whom it was told to follow, from the n-th on, if that was news.
func (q *quorum) orders(r *stage.Redis, n int) []string {
	var found []string
	p := r.Process()
	if p == nil {
		return nil
	}
	text, err := os.ReadFile(p.Log())
	q.must(err)
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, " enabled (user request from") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return slices.Clone(found[min(n, len(found)):])
}
