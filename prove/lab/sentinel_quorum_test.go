package lab

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/authority"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/sentinels"
)

// orders is the group that the Sentinels watch.
const orders = string(group)

// periods are what Sentinel lets nobody configure but at run time, for its own tests. With the ordinary second between two
// attempts to reconnect, each promotion, which kills all connections, would be a down master; and no replica is taken whose
// INFO, which is asked each second while the master is down, is older than five pings.
const periods = "PING-PERIOD 300 ASK-PERIOD 100 INFO-PERIOD 500 PUBLISH-PERIOD 250"

// The times of a quorum, where a plan says nothing else.
const (
	downAfter       = 700 * time.Millisecond
	failoverTimeout = 3 * time.Second
	// turnover bounds a failover: a vote that is split costs the failover's timeout, and the next attempt comes at twice that.
	turnover = 25 * time.Second
	// soon bounds what takes a few periods.
	soon = 10 * time.Second
)

// quorumPlan is what a quorum is made of. The zero value is three hosts with a server and a Sentinel each; h1 has the master.
type quorumPlan struct {
	// Hosts have a Sentinel each; default h1, h2, h3. The first Data of them have a server; default 3.
	Hosts []string
	Data  int
	// Need is the group's quorum; default 2.
	Need int
	// Server changes the i-th server's configuration, and Voter the i-th Sentinel's.
	Server func(q *quorum, i int, c *stage.RedisConfig)
	Voter  func(q *quorum, i int, c *sentinels.Config)
	// Periods are the arguments of SENTINEL DEBUG after each start; default periods, and "none" for Sentinel's own.
	Periods string
	// Six has servers and Sentinels know each other by IPv6.
	Six bool
	// Named says that hosts are told by their names.
	Named bool
	// Idle leaves the Sentinels unstarted.
	Idle bool
}

// quorum is servers and the Sentinels that watch them, on a stage of their own.
type quorum struct {
	*stage.Stage
	t       *testing.T
	plan    quorumPlan
	mix     mixture
	real    sentinels.Program
	servers []*stage.Redis
	members []*sentinels.Sentinel
	marks   []string
	root    *authority.Authority // where there is TLS
	watch   *clock.Watcher
}

// newQuorum makes the stage, the servers and the Sentinels, and waits until each of these knows everybody.
func newQuorum(t *testing.T, p quorumPlan, m mixture) *quorum {
	t.Helper()
	if len(p.Hosts) == 0 {
		p.Hosts = []string{"h1", "h2", "h3"}
	}
	if p.Data == 0 {
		p.Data = 3
	}
	if p.Need == 0 {
		p.Need = 2
	}
	if p.Periods == "" {
		p.Periods = periods
	}
	watch, err := clock.Watch()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { watch.Stop() })
	st, err := stage.New(context.Background(), stage.Options{Hosts: p.Hosts, Dir: memory()})
	if err != nil {
		t.Fatal(err)
	}
	q := &quorum{Stage: st, t: t, plan: p, mix: m, watch: watch}
	t.Cleanup(q.end)
	if q.real, err = sentinels.Real(st); err != nil {
		t.Fatal(err)
	}
	q.serve()
	q.enlist()
	if !p.Idle {
		for i := range q.members {
			q.up(i)
		}
		q.awaitWhole()
	}
	return q
}

// serve starts the servers, the others as replicas of the first.
func (q *quorum) serve() {
	q.t.Helper()
	for i := range q.plan.Data {
		c := stage.RedisConfig{}
		if i > 0 {
			c.ReplicaOf = q.at(0)
		}
		if q.plan.Server != nil {
			q.plan.Server(q, i, &c)
		}
		r, err := q.Hosts()[i].StartRedis(context.Background(), c)
		q.must(err)
		q.servers = append(q.servers, r)
	}
	q.flowing()
}

// flowing waits until the replicas have a write of now: after a full copy Redis holds back what is written, hellos among it, for up
// to a second, and a Sentinel that is long gone would be heard then. Servers that want a password, or TLS, are left alone.
func (q *quorum) flowing() {
	q.t.Helper()
	conn, err := dialServer(q, 0)
	q.must(err)
	defer conn.Close()
	if _, err := conn.Do(soon, "SET", "flowing", "1"); err != nil {
		return
	}
	_, err = conn.Do(soon, "WAIT", fmt.Sprint(q.plan.Data-1), fmt.Sprint((soon / 2).Milliseconds()))
	q.must(err)
}

// enlist writes the Sentinels' configurations.
func (q *quorum) enlist() {
	q.t.Helper()
	for i, h := range q.Hosts() {
		g := sentinels.At(orders, q.at(0), q.plan.Need)
		g.DownAfter, g.FailoverTimeout = downAfter, failoverTimeout
		c := sentinels.Config{Program: q.program(i), Groups: []sentinels.Group{g}}
		if q.plan.Voter != nil {
			q.plan.Voter(q, i, &c)
		}
		s, err := sentinels.Add(h, c)
		q.must(err)
		q.members = append(q.members, s)
	}
}

// program is what the mixture has at a place.
func (q *quorum) program(i int) sentinels.Program {
	if q.mix.kinds[i%len(q.mix.kinds)] == 'o' {
		return sentinels.Ours(binary)
	}
	return q.real
}

// up starts a Sentinel and shortens its periods.
func (q *quorum) up(i int) {
	q.t.Helper()
	q.must(q.members[i].Start(q.t.Context()))
	q.hasten(i)
}

// hasten shortens a Sentinel's periods, which its process keeps until its end.
func (q *quorum) hasten(i int) {
	q.t.Helper()
	if q.plan.Periods == "none" {
		return
	}
	if _, err := q.members[i].Do(append([]string{"SENTINEL", "DEBUG"}, strings.Fields(q.plan.Periods)...)...); err != nil {
		q.t.Fatalf("%s: %v", q.members[i].Host().Name(), err)
	}
}

// end ends all and judges what was said by every Sentinel, whatever the test was.
func (q *quorum) end() {
	for _, s := range q.members {
		q.farewell(s)
	}
	for _, s := range q.members {
		q.judgeEvents(s)
		q.judgeSwitches(s)
	}
	if q.t.Failed() || *logs {
		q.tell()
	}
	if err := q.Close(); err != nil {
		q.t.Error(err)
	}
}

// farewell ends a Sentinel, in order if it can be, so that its log is whole.
func (q *quorum) farewell(s *sentinels.Sentinel) {
	if s.Running() && !stopped(s.Process()) {
		if code, err := s.Stop(); err != nil || code != 0 {
			q.t.Errorf("sentinel on %s (%s) ended with %d, %v", s.Host().Name(), s.Program().Name, code, err)
		}
	}
	if err := s.Close(); err != nil {
		q.t.Error(err)
	}
}

// tell prints what a test that failed needs to be understood.
func (q *quorum) tell() {
	for _, m := range q.marks {
		q.t.Log(m)
	}
	for i, s := range q.members {
		q.t.Logf("---- sentinel %d, %s, on %s\n%s", i, s.Program().Name, s.Host().Name(), terse(s.Tail(60000)))
	}
	for _, r := range q.servers {
		if p := r.Process(); p != nil {
			q.t.Logf("---- server on %s\n%s", r.Host().Name(), tail(p.Log(), 3000))
		}
	}
}

// terse leaves out of a log what the tests' own questions leave there.
func terse(log string) string {
	var b strings.Builder
	for line := range strings.Lines(log) {
		if !strings.Contains(line, " - Accepted ") && !strings.Contains(line, " - Client closed ") && !strings.Contains(line, " . Rewritten ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// mark notes what the test did.
func (q *quorum) mark(format string, args ...any) {
	q.marks = append(q.marks, time.Now().UTC().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// must ends the test with the first error.
func (q *quorum) must(errs ...error) {
	q.t.Helper()
	for _, err := range errs {
		if err != nil {
			q.t.Fatal(err)
		}
	}
}

// await polls a condition of the real world, which nothing announces.
func (q *quorum) await(limit time.Duration, what string, ok func() bool) {
	q.t.Helper()
	if !q.within(limit, ok) {
		q.t.Fatalf("no %s within %v", what, limit)
	}
}

// within reports whether a condition came to hold in time.
func (q *quorum) within(limit time.Duration, ok func() bool) bool {
	late := time.NewTimer(limit)
	defer late.Stop()
	again := time.NewTicker(40 * time.Millisecond)
	defer again.Stop()
	for !ok() {
		select {
		case <-again.C:
		case <-late.C:
			return false
		}
	}
	return true
}

// stays fails the test as soon as a condition does not hold, and returns after the time given.
func (q *quorum) stays(for_ time.Duration, what string, ok func() bool) {
	q.t.Helper()
	limit := time.NewTimer(for_)
	defer limit.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		if !ok() {
			q.t.Fatalf("%s: no longer", what)
		}
		select {
		case <-again.C:
		case <-limit.C:
			return
		}
	}
}

// oneEach are the places of one Sentinel of each program.
func (q *quorum) oneEach() []int {
	var places []int
	seen := map[string]bool{}
	for i, s := range q.members {
		if name := s.Program().Name; !seen[name] {
			seen[name] = true
			places = append(places, i)
		}
	}
	return places
}

// leaders are the places of those under which a behaviour is played: one of each program, or with -lab.long all.
func (q *quorum) leaders() []int {
	if !*long {
		return q.oneEach()
	}
	var all []int
	for i := range q.members {
		all = append(all, i)
	}
	return all
}

// running are the places of the Sentinels that run.
func (q *quorum) running() []int {
	var found []int
	for i, s := range q.members {
		if s.Running() {
			found = append(found, i)
		}
	}
	return found
}

// awaitWhole waits until every running Sentinel knows all others and all replicas, and calls nobody down.
func (q *quorum) awaitWhole() {
	q.t.Helper()
	for _, i := range q.running() {
		q.await(soon, fmt.Sprintf("sentinel %d that knows all, and nobody down", i), func() bool { return q.whole(i) })
	}
}

// whole reports whether a Sentinel knows everybody, connected and up, and every replica follows the master.
func (q *quorum) whole(i int) bool {
	s := q.members[i]
	master, err := s.Map("SENTINEL", "MASTER", orders)
	if err != nil || master["flags"] != "master" {
		return false
	}
	replicas, err := s.Maps("SENTINEL", "REPLICAS", orders)
	if err != nil || len(replicas) != q.plan.Data-1 {
		return false
	}
	for _, r := range replicas {
		if r["flags"] != "slave" || r["master-link-status"] != "ok" || r["master-host"] != master["ip"] || r["role-reported"] != "slave" {
			return false
		}
	}
	others, err := s.Maps("SENTINEL", "SENTINELS", orders)
	if err != nil || len(others) != len(q.members)-1 {
		return false
	}
	return !slices.ContainsFunc(others, func(o map[string]string) bool { return o["flags"] != "sentinel" && q.mayBeAsked(o["runid"]) })
}

// mayBeAsked reports whether the Sentinel of that ID runs, so that the others must find it up.
func (q *quorum) mayBeAsked(id string) bool {
	for _, i := range q.running() {
		if mine, err := q.members[i].ID(); err == nil && mine == id {
			return true
		}
	}
	return false
}

// agreed returns the master that all running Sentinels name, and the epoch of its configuration.
func (q *quorum) agreed() (master netip.AddrPort, epoch string, ok bool) {
	for n, i := range q.running() {
		at, err := q.members[i].Master(orders)
		m, err2 := q.members[i].Map("SENTINEL", "MASTER", orders)
		if err != nil || err2 != nil {
			return master, epoch, false
		}
		if n > 0 && (at != master || m["config-epoch"] != epoch) {
			return master, epoch, false
		}
		master, epoch = at, m["config-epoch"]
	}
	return master, epoch, true
}

// masterAt returns the place of the server that all running Sentinels call the master.
func (q *quorum) masterAt() int {
	q.t.Helper()
	var at netip.AddrPort
	q.await(soon, "agreement on the master", func() (ok bool) {
		at, _, ok = q.agreed()
		return ok
	})
	return q.place(at)
}

// at is where the server of a place is reached.
func (q *quorum) at(place int) netip.AddrPort { return q.reached(q.servers[place]) }

// reached is where a server is: by IPv6, where the plan says so.
func (q *quorum) reached(r *stage.Redis) netip.AddrPort {
	if q.plan.Six {
		return netip.AddrPortFrom(r.Host().Addr6(), r.Addr().Port())
	}
	return r.Addr()
}

// place is that of the server at an address.
func (q *quorum) place(at netip.AddrPort) int {
	q.t.Helper()
	i := slices.IndexFunc(q.servers, func(r *stage.Redis) bool { return q.reached(r) == at })
	if i < 0 {
		q.t.Fatalf("no server at %s", at)
	}
	return i
}

// ask asks a Sentinel, and ends the test if it refuses.
func (q *quorum) ask(i int, args ...string) string {
	q.t.Helper()
	answer, err := q.members[i].Do(args...)
	if err != nil {
		q.t.Fatalf("sentinel %d: %s: %v", i, strings.Join(args, " "), err)
	}
	return answer.Text
}

// all asks all running Sentinels.
func (q *quorum) all(args ...string) {
	q.t.Helper()
	for _, i := range q.running() {
		q.ask(i, args...)
	}
}

// refused asks a Sentinel, and wants an error that begins so.
func (q *quorum) refused(i int, want string, args ...string) {
	q.t.Helper()
	answer, err := q.members[i].Do(args...)
	if err == nil {
		q.t.Errorf("sentinel %d: %s: %v, and not %s", i, strings.Join(args, " "), answer, want)
	} else if !strings.HasPrefix(err.Error(), want) {
		q.t.Errorf("sentinel %d: %s: %v, and not %s", i, strings.Join(args, " "), err, want)
	}
}

// value is a field of an answer about the group, or about what is named.
func (q *quorum) value(i int, of, field string, args ...string) string {
	q.t.Helper()
	m, err := q.members[i].Map(append([]string{"SENTINEL", of}, args...)...)
	if err != nil {
		q.t.Fatalf("sentinel %d: %v", i, err)
	}
	return m[field]
}

// marked are the numbers of events heard so far.
func (q *quorum) marked() []int {
	var all []int
	for _, s := range q.members {
		all = append(all, s.Mark())
	}
	return all
}

// heard waits for an event.
func (q *quorum) heard(i, mark int, within time.Duration, channel, payload string) sentinels.Event {
	q.t.Helper()
	e, err := q.members[i].Await(mark, within, channel, payload)
	if err != nil {
		q.t.Fatal(err)
	}
	return e
}

// count counts the events of a channel from a mark on whose payload begins so.
func (q *quorum) count(i, mark int, channel, payload string) int {
	n := 0
	for _, e := range q.members[i].Since(mark) {
		if e.Channel == channel && strings.HasPrefix(e.Payload, payload) {
			n++
		}
	}
	return n
}
