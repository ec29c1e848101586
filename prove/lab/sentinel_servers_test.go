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
	"redkeep/internal/stage/wire"
)

// peculiar are servers that want something special of their Sentinels.
var peculiar = []behaviour{
	{name: "password", check: password, plan: quorumPlan{Server: withPassword, Voter: authPass}},
	{name: "user", check: user, plan: quorumPlan{Server: withUser, Voter: authUser}},
	{name: "renamed", check: renamed, plan: quorumPlan{Server: renamedServer, Voter: renamedVoter}},
	{name: "unannounced", check: unannounced},
	{name: "lowest", check: lowest},
	{name: "syncs", check: syncs, plan: quorumPlan{Hosts: []string{"h1", "h2", "h3", "h4", "h5"}, Data: 5}},
	{name: "promotion-refused", check: promotionRefused},
	{name: "replica-refuses", check: replicaRefuses, plan: quorumPlan{Hosts: []string{"h1", "h2", "h3", "h4"}, Data: 4}},
	{name: "strayed", check: strayed},
	{name: "abdicated", check: abdicated},
	{name: "busy", check: busy},
	{name: "loading", check: loading, plan: quorumPlan{Server: debuggable}},
}

const (
	serverPassword = "a-server's-secret"
	quotedPassword = `"a-server's-secret"`
)

func withPassword(_ *quorum, _ int, c *stage.RedisConfig) {
	c.Extra = append(c.Extra, "requirepass "+quotedPassword, "masterauth "+quotedPassword)
}

func authPass(_ *quorum, _ int, c *sentinels.Config) {
	c.Groups[0].Lines = append(c.Groups[0].Lines, "auth-pass "+quotedPassword)
}

// password: servers that want one, which is changed while all run.
func password(q *quorum) {
	f := q.fault("failover with passwords")
	q.ask(1, "SENTINEL", "FAILOVER", orders)
	f.new = q.awaitOther(f)
	q.awaitWhole()

	// The servers take another one. The Sentinels' connections live on; new ones are refused until they are told.
	for place := range q.servers {
		q.byPassword(place, serverPassword, "CONFIG", "SET", "masterauth", "another", "requirepass", "another")
	}
	marks := q.marked()
	for place := range q.servers {
		q.byPassword(place, "another", "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		q.byPassword(place, "another", "CLIENT", "KILL", "TYPE", "pubsub", "SKIPME", "yes")
	}
	for i := range q.members {
		q.heard(i, marks[i], soon, "+sdown", "master "+orders)
	}
	for i := range q.members {
		q.ask(i, "SENTINEL", "SET", orders, "auth-pass", "another")
	}
	for i := range q.members {
		q.heard(i, marks[i], soon, "-sdown", "master "+orders)
	}
	q.awaitWhole()

	// A password that nobody asks for any more does no harm.
	for place := range q.servers {
		q.byPassword(place, "another", "CONFIG", "SET", "masterauth", "", "requirepass", "")
	}
	for place := range q.servers {
		q.byPassword(place, "", "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	}
	q.lasts(2 * downAfter)
	q.awaitWhole()
	f = q.fault("failover with a password that is not needed")
	_, err := q.servers[q.place(f.old)].Kill()
	q.must(err)
	f.turnedOver(-1)
}

// awaitOther waits until all agree on another master than before.
func (q *quorum) awaitOther(f *turn) (at netip.AddrPort) {
	q.t.Helper()
	q.await(turnover, "agreement on another master", func() (ok bool) {
		at, _, ok = q.agreed()
		return ok && at != f.old
	})
	return at
}

// byPassword asks a server.
func (q *quorum) byPassword(place int, secret string, args ...string) {
	q.t.Helper()
	conn, err := dialServer(q, place)
	q.must(err)
	defer conn.Close()
	if secret != "" {
		_, err := conn.Do(time.Second, "AUTH", secret)
		q.must(err)
	}
	_, err = conn.Do(time.Second, args...)
	q.must(err)
}

// sentinelUser is what redis.io's page on ACLs lets a Sentinel do.
const sentinelUser = "user guard on >guards-secret allchannels +multi +slaveof +ping +exec +subscribe +config|rewrite +role +publish +info " +
	"+client|setname +client|kill +script|kill"

func withUser(_ *quorum, _ int, c *stage.RedisConfig) {
	c.Extra = append(c.Extra, sentinelUser)
}

func authUser(_ *quorum, _ int, c *sentinels.Config) {
	c.Groups[0].Lines = append(c.Groups[0].Lines, "auth-user guard", "auth-pass guards-secret")
}

// user: each connection of a Sentinel is that of the user, with the name by which others know it.
func user(q *quorum) {
	f := q.fault("failover as a user")
	_, err := q.servers[0].Kill()
	q.must(err)
	f.turnedOver(-1)
	q.must(q.servers[0].Start(q.t.Context()))
	f.returned()
	for place, r := range q.servers {
		answer, err := r.Do(q.t.Context(), "CLIENT", "LIST")
		q.must(err)
		for i := range q.members {
			id := q.ask(i, "SENTINEL", "MYID")[:8]
			for _, link := range []string{"cmd", "pubsub"} {
				name := fmt.Sprintf(" name=sentinel-%s-%s ", id, link)
				n := 0
				for line := range strings.Lines(answer.Text) {
					if strings.Contains(line, name) && strings.Contains(line, " user=guard ") {
						n++
					}
				}
				if n != 1 {
					q.t.Errorf("h%d has %d connections%sof guard:\n%s", place+1, n, name, answer.Text)
				}
			}
		}
	}
}

func renamedServer(_ *quorum, _ int, c *stage.RedisConfig) {
	c.Extra = append(c.Extra, "rename-command SLAVEOF follow-it", "rename-command CONFIG settings", "rename-command PUBLISH tell")
}

func renamedVoter(_ *quorum, _ int, c *sentinels.Config) {
	c.Groups[0].Lines = append(c.Groups[0].Lines, "rename-command SLAVEOF follow-it", "rename-command CONFIG settings",
		"rename-command PUBLISH tell")
}

// renamed: commands by other names, the hello's among them. The names are for the servers; Sentinels keep theirs, so the hello
// that is told to these directly is refused, and the servers have to spread it.
func renamed(q *quorum) {
	f := q.fault("failover by other names")
	_, err := q.servers[0].Kill()
	q.must(err)
	f.turnedOver(-1)
	text := mustLines(q, q.members[0], "sentinel rename-command "+orders+" ")
	if len(text) != 3 {
		q.t.Errorf("sentinel 0 wrote %q", text)
	}
	place := q.place(f.new)
	conf, err := os.ReadFile(q.servers[place].File())
	q.must(err)
	if strings.Contains(string(conf), "\nreplicaof ") {
		q.t.Errorf("the promoted server's file makes it a replica: CONFIG REWRITE did not reach it")
	}
}

// unannounced: a replica that says so is told of to nobody, and may be promoted.
func unannounced(q *quorum) {
	_, err := q.servers[2].Do(q.t.Context(), "CONFIG", "SET", "replica-announced", "no")
	q.must(err)
	for i := range q.members {
		q.await(soon, "one replica that is told of", func() bool {
			replicas, err := q.members[i].Maps("SENTINEL", "REPLICAS", orders)
			return err == nil && len(replicas) == 1 && replicas[0]["replica-announced"] == "1"
		})
		if n := q.value(i, "MASTER", "num-slaves", orders); n != "2" {
			q.t.Errorf("sentinel %d counts %s replicas", i, n)
		}
		if line := infoField(q, i, "master0"); !strings.Contains(line, "slaves=2") {
			q.t.Errorf("sentinel %d tells %s", i, line)
		}
		if !q.within(soon/5, func() bool { return len(mustLines(q, q.members[i], "sentinel known-replica ")) == 2 }) {
			q.t.Errorf("sentinel %d does not write two replicas", i)
		}
	}
	_, err = q.servers[1].Do(q.t.Context(), "CONFIG", "SET", "replica-priority", "0")
	q.must(err)
	for i := range q.members {
		q.await(soon, "priority 0", func() bool {
			replicas, err := q.members[i].Maps("SENTINEL", "REPLICAS", orders)
			return err == nil && len(replicas) == 1 && replicas[0]["slave-priority"] == "0"
		})
	}
	marks := q.marked()
	q.ask(0, "SENTINEL", "FAILOVER", orders)
	for i := range q.members {
		q.heard(i, marks[i], turnover, "+switch-master", fmt.Sprintf("%s %s 6379 %s 6379", orders, q.Hosts()[0].Addr(), q.Hosts()[2].Addr()))
	}
}

// lowest: a replica of priority 0 is not promoted, even as the only one that is left.
func lowest(q *quorum) {
	_, err := q.servers[2].Do(q.t.Context(), "CONFIG", "SET", "replica-priority", "0")
	q.must(err)
	q.awaitField("slave-priority", func(place int, value string) bool { return place != 2 || value == "0" })
	for range 2 {
		f := q.fault("failover with h3 unfit")
		q.ask(1, "SENTINEL", "FAILOVER", orders)
		f.turnedOver(-1)
		if q.place(f.new) == 2 {
			q.t.Fatal("h3 was promoted")
		}
		f.returned()
	}
	f := q.fault("all but h3 are lost")
	other := 1 - q.place(f.old)
	_, err = q.servers[other].Kill()
	q.must(err)
	_, err = q.servers[1-other].Kill()
	q.must(err)
	q.await(turnover, "abort", func() bool {
		n := 0
		for i := range q.members {
			n += q.count(i, f.marks[i], "-failover-abort-no-good-slave", "")
		}
		return n > 0
	})
}

// syncs: with parallel-syncs 1 one replica after the other is pointed at the new master; with 3 all at once.
func syncs(q *quorum) {
	q.all("SENTINEL", "SET", orders, "failover-timeout", "20000")
	for _, c := range []struct{ width, leader int }{{1, 0}, {1, 1}, {3, 1}} {
		q.all("SENTINEL", "SET", orders, "parallel-syncs", fmt.Sprint(c.width))
		f := q.fault("failover with parallel-syncs %d by sentinel %d", c.width, c.leader)
		q.ask(c.leader, "SENTINEL", "FAILOVER", orders)
		f.turnedOver(-1)
		q.heard(c.leader, f.marks[c.leader], soon, "+switch-master", orders)
		under, most, sent := 0, 0, 0
		for _, e := range q.members[c.leader].Since(f.marks[c.leader]) {
			switch e.Channel {
			case "+slave-reconf-sent":
				under, sent = under+1, sent+1
				most = max(most, under)
			case "+slave-reconf-done":
				under--
			}
		}
		if most != c.width || sent != 3 || under != 0 {
			q.t.Errorf("sentinel %d (%s) reconfigured %d replicas, %d at once, and left %d, with parallel-syncs %d", c.leader,
				q.members[c.leader].Program().Name, sent, most, under, c.width)
		}
		q.awaitWhole()
	}
}

// promotionRefused: the chosen one never becomes a master; after the failover's timeout the leader gives up, and the next
// attempt succeeds.
func promotionRefused(q *quorum) {
	forbid(q, 1, "-slaveof")
	forbid(q, 2, "-slaveof")
	for _, leader := range q.leaders() {
		f := q.fault("nobody obeys sentinel %d", leader)
		q.ask(leader, "SENTINEL", "FAILOVER", orders)
		q.heard(leader, f.marks[leader], soon, "-failover-abort-slave-timeout", "master "+orders)
		q.tellsOf(leader, f.marks[leader], strings.Fields("+new-epoch +try-failover +vote-for-leader +elected-leader +failover-state-select-slave "+
			"+selected-slave +failover-state-send-slaveof-noone +failover-state-wait-promotion -failover-abort-slave-timeout"))
		if at, _, ok := q.agreed(); !ok || at != f.old {
			q.t.Errorf("the master is %s", at)
		}
	}
	forbid(q, 1, "+slaveof")
	forbid(q, 2, "+slaveof")
	f := q.fault("all obey")
	q.ask(0, "SENTINEL", "FAILOVER", orders)
	f.turnedOver(-1)
}

// forbid changes what a server lets its clients do. A promotion just now may end the connection, so it is said again.
func forbid(q *quorum, place int, rule string) {
	q.t.Helper()
	q.await(soon, "server that takes a rule", func() bool {
		_, err := q.servers[place].Do(q.t.Context(), "ACL", "SETUSER", "default", rule)
		return err == nil
	})
}

// replicaRefuses: two replicas don't follow the new master; the failover ends all the same, by its timeout.
func replicaRefuses(q *quorum) {
	const leader = 1
	for _, place := range []int{1, 2} {
		_, err := q.servers[place].Do(q.t.Context(), "CONFIG", "SET", "replica-priority", "1000")
		q.must(err)
		forbid(q, place, "-slaveof")
	}
	q.awaitField("slave-priority", func(place int, value string) bool { return place != 1 && place != 2 || value == "1000" })
	f := q.fault("two replicas don't obey")
	q.ask(leader, "SENTINEL", "FAILOVER", orders)
	q.heard(leader, f.marks[leader], soon, "+failover-end-for-timeout", "master "+orders)
	f.new = q.awaitOther(f)
	want := strings.Fields("+failover-state-reconf-slaves +slave-reconf-sent +failover-end-for-timeout +failover-end " +
		"+slave-reconf-sent-be +switch-master +slave +slave +slave")
	told := func() (got []string) {
		for _, e := range q.members[leader].Since(f.marks[leader]) {
			if slices.Contains(want, e.Channel) {
				got = append(got, e.Channel)
			}
		}
		return got
	}
	q.await(soon, "the whole of it", func() bool { return len(told()) >= len(want) })
	if got := told(); !slices.Equal(got, want) {
		q.t.Errorf("sentinel %d told %v and not %v", leader, got, want)
	}
	for _, place := range []int{1, 2} {
		forbid(q, place, "+slaveof")
	}
	// They are repaired like any stray.
	q.follows(f.new)
}

// strayed: a replica that follows somebody else, and one that follows nobody, are repaired by whoever is first.
func strayed(q *quorum) {
	marks := q.marked()
	_, err := q.servers[1].Do(q.t.Context(), "REPLICAOF", q.Hosts()[2].Addr().String(), "6379")
	q.must(err)
	q.awaitAny(marks, "+fix-slave-config", "slave "+q.servers[1].Addr().String())
	q.follows(q.servers[0].Addr())
	marks = q.marked()
	_, err = q.servers[2].Do(q.t.Context(), "REPLICAOF", "NO", "ONE")
	q.must(err)
	q.awaitAny(marks, "+convert-to-slave", "slave "+q.servers[2].Addr().String())
	q.follows(q.servers[0].Addr())
	for i := range q.members {
		q.heard(i, marks[i], soon, "-role-change", fmt.Sprintf("slave %s %s 6379 @ %s %s 6379 new reported role is master",
			q.servers[2].Addr(), q.Hosts()[2].Addr(), orders, q.Hosts()[0].Addr()))
		q.heard(i, marks[i], soon, "+role-change", fmt.Sprintf("slave %s %s 6379 @ %s %s 6379 new reported role is slave",
			q.servers[2].Addr(), q.Hosts()[2].Addr(), orders, q.Hosts()[0].Addr()))
	}
	q.awaitWhole()
}

// awaitAny waits for an event of any Sentinel.
func (q *quorum) awaitAny(marks []int, channel, payload string) {
	q.t.Helper()
	q.await(turnover, channel+" "+payload, func() bool {
		n := 0
		for i := range q.members {
			n += q.count(i, marks[i], channel, payload)
		}
		return n > 0
	})
}

// abdicated: a master that somebody made a replica is a master that is down, once that has lasted.
func abdicated(q *quorum) {
	f := q.fault("the master follows a replica")
	_, err := q.servers[0].Do(q.t.Context(), "REPLICAOF", q.Hosts()[1].Addr().String(), "6379")
	q.must(err)
	for i := range q.members {
		q.heard(i, f.marks[i], soon, "-role-change", fmt.Sprintf("master %s %s 6379 new reported role is slave", orders, q.Hosts()[0].Addr()))
	}
	f.new = q.awaitOther(f)
	q.follows(f.new)
	q.awaitWhole()
}

// busy: a master in an endless script is down, and one SCRIPT KILL ends that.
func busy(q *quorum) {
	q.all("SENTINEL", "SET", orders, "quorum", "9")
	_, err := q.servers[0].Do(q.t.Context(), "CONFIG", "SET", "busy-reply-threshold", "200")
	q.must(err)
	q.awaitWhole()
	marks := q.marked()
	conn, err := dialServer(q, 0)
	q.must(err)
	defer conn.Close()
	_, err = conn.Do(soon, "EVAL", "while true do end", "0")
	if err == nil || !strings.Contains(err.Error(), "killed by user") {
		q.t.Fatalf("the script ended with %v", err)
	}
	q.awaitAny(marks, "+sdown", "master "+orders)
	// Whoever was later than the first, which ended the script, may not have noticed.
	q.awaitWhole()
	for i := range q.members {
		if down, up := q.count(i, marks[i], "+sdown", "master"), q.count(i, marks[i], "-sdown", "master"); down != up || down > 1 {
			q.t.Errorf("sentinel %d found the master down %d times, and up %d times", i, down, up)
		}
	}
}

func debuggable(_ *quorum, _ int, c *stage.RedisConfig) {
	c.Extra = append(c.Extra, "enable-debug-command yes")
}

// loading: a master that restarts and loads its data for longer than it may is down, though it answers.
func loading(q *quorum) {
	q.all("SENTINEL", "SET", orders, "master-reboot-down-after-period", "1500")
	for _, args := range [][]string{
		{"DEBUG", "POPULATE", "3000"}, {"CONFIG", "SET", "key-load-delay", "3000", "loading-process-events-interval-bytes", "1024"},
		{"CONFIG", "REWRITE"}, {"SAVE"},
	} {
		_, err := q.servers[0].Do(q.t.Context(), args...)
		q.must(err)
	}
	f := q.fault("the master reboots")
	_, err := q.servers[0].Kill()
	q.must(err)
	started := make(chan error, 1)
	go func() { started <- q.servers[0].Start(q.t.Context()) }() // ends within the start's own limit
	for i := range q.members {
		q.heard(i, f.marks[i], soon, "+reboot", "master "+orders)
	}
	f.new = q.awaitOther(f)
	for i := range q.members {
		q.heard(i, f.marks[i], soon, "+switch-master", orders)
	}
	<-started
	q.must(q.PowerOff("h1")) // it would load for as long as the test
}

// dialServer connects a client to a server.
func dialServer(q *quorum, place int) (*wire.Conn, error) {
	return wire.Dial(q.t.Context(), q.Client().Dial, q.servers[place].Addr(), time.Second)
}
