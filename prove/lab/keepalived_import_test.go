package lab

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/observer"
	"redkeep/internal/stage/writer"
)

// recipeSite is a site that Debian's keepalived moves an address on, by a recipe's file and scripts that do what the recipe's do.
type recipeSite struct {
	name string
	// conf is the file of h1 (0) or h2 (1).
	conf func(t *testing.T, host int) string
	// scripts are by their names, for the host whose peer is at that address.
	scripts func(peer string) map[string]string
	// back is whether h1 is preferred.
	back bool
}

// recipeSites are those of two hosts. Recipe 000's backup script does not sleep here: with the page's fifteen seconds both servers
// are replicas of each other from the first start on, and there is no pair that could be taken over. Recipe 001's makes its own
// server a replica of the address when keepalived stops, of which nobody has it then.
var recipeSites = []recipeSite{
	{
		name: "recipe 000", back: true,
		conf: func(t *testing.T, host int) string {
			text := strings.ReplaceAll(printedRouter(t, "recipe_000", "keepalived.conf"), "192.168.133.188", stage.VIP.String())
			if host == 0 {
				return strings.Replace(text, "priority 101", "priority 150", 1)
			}
			return strings.NewReplacer("state MASTER", "state BACKUP", "priority 101", "priority 100").Replace(text)
		},
		scripts: func(peer string) map[string]string {
			return map[string]string{
				"redis_check.py":  "redis-cli ping >/dev/null\n",
				"redis_master.py": "redis-cli slaveof " + peer + " 6379\nsleep 2\nredis-cli slaveof no one\n",
				"redis_backup.py": "redis-cli slaveof " + peer + " 6379\n",
				"redis_fault.py":  "exit 0\n",
				"redis_stop.py":   "exit 0\n",
			}
		},
	},
	{
		name: "recipe 001",
		conf: func(t *testing.T, host int) string {
			text := printedRouter(t, "recipe_001", "keepalived.conf")
			return strings.NewReplacer("172.17.0.100", stage.VIP.String(), "HARedis", "VI_1", "priority  150", fmt.Sprint("priority ", 150-50*host)).Replace(text)
		},
		scripts: func(string) map[string]string {
			return map[string]string{
				"redis_check.sh":  "[ \"$(redis-cli -h 127.0.0.1 -p 6379 ping)\" = PONG ]\n",
				"redis_master.sh": "redis-cli -p 6379 slaveof no one >>/var/log/keepalived-redis.log 2>&1\n",
				"redis_backup.sh": "redis-cli -p 6379 slaveof " + stage.VIP.String() + " 6379 >>/var/log/keepalived-redis.log 2>&1\n",
			}
		},
	},
}

// keepalivedUnit is what matters of the distribution's unit.
const keepalivedUnit = `[Service]
ExecStart=/usr/sbin/keepalived --dont-fork --log-console
`

// TestKeepalivedImport follows docs/migrate-from-keepalived.md to its end on two hosts with Debian's keepalived, a recipe's file and its
// scripts, while an application writes to the address: from keepalived's pair to Redkeep's. What keepalived did before is said, and not
// judged; from the instant on from which the pair has a master no acknowledged write may be lost, and from its start on no two hosts may
// answer for the address.
func TestKeepalivedImport(t *testing.T) {
	needTyping(t)
	real := realProgram(t)
	for _, site := range recipeSites {
		t.Run(site.name, func(t *testing.T) {
			t.Parallel()
			importedPair(t, real, site)
		})
	}
}

// importedPair is one walk.
func importedPair(t *testing.T, real string, site recipeSite) {
	p, err := readPage(filepath.Join(tree, "docs", "migrate-from-keepalived.md"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), pageLimit)
	defer cancel()
	s := newReaders(t, tree, foundRouters)
	s.route(ctx, real, site)
	a := s.apply()
	for _, st := range p.steps {
		a.before(st)
		if err := s.follow(ctx, st); err != nil {
			t.Fatalf("%s:%d: %s%s: %v", p.path, st.line, st.command, st.direction, err)
		}
	}
	// What was killed is a replica again, and where it is preferred, the master.
	back := "h1"
	if site.back {
		back = "h2"
		s.must(s.repeat(ctx, step{where: "h2", command: "redkeep status | grep '^VI_1: h1 is master and writable'"}))
	}
	s.must(s.direct(ctx, []string{"await", back}))
	a.judge(ctx, map[bool]string{true: "h1", false: "h2"}[site.back])
}

// repairRouter takes out of a recipe's file what the web page has put there: the numbers of its lines.
const repairRouter = "cd /etc/keepalived && { redkeep keepalived -t -f keepalived.conf >/dev/null 2>&1 || " +
	"{ redkeep keepalived -t -f keepalived.conf --repair >repaired 2>/dev/null && mv repaired keepalived.conf; }; }"

// route has Debian's keepalived run on both hosts, as its unit does, and waits for a master and its replica.
func (s *readers) route(ctx context.Context, real string, site recipeSite) {
	s.t.Helper()
	s.must(os.Symlink(real, filepath.Join(s.Dir(), "bin", "keepalived")))
	for i, h := range s.alike {
		house, peer := s.houses[h], s.Host(s.alike[1-i]).Addr().String()
		s.must(house.write("/etc/keepalived/keepalived.conf", site.conf(s.t, i), 0o644))
		for name, text := range site.scripts(peer) {
			s.must(house.write("/etc/keepalived/scripts/"+name, "#!/bin/sh\n"+text, 0o755))
		}
		s.must(s.once(ctx, house, step{where: h, command: repairRouter}))
		u := readUnit("keepalived", house, keepalivedUnit)
		s.units[h]["keepalived"] = u
		s.must(u.Start(ctx))
		s.must(s.repeat(ctx, step{where: "h1", command: "ip -br address show eth0 | grep -q " + stage.VIP.String()}))
		s.must(s.repeat(ctx, step{where: "h1", command: "redis-cli INFO replication | tr -d '\\r' | grep -qx role:master"}))
	}
	s.must(s.repeat(ctx, step{where: "h1", command: "redis-cli INFO replication | grep -q slave0:ip=10.77.0.12,.*state=online"}))
}

// routed is what uses the address: an application that writes to it, and an onlooker that asks for it.
type routed struct {
	s       *readers
	writer  *writer.Writer
	watch   *clock.Watcher
	observe *observer.Observer
	// begun is when keepalived's pair was ready; left when its last one was told to stop, started when the agents were, killed when
	// the master's server was.
	begun, left, started, killed clock.Instant
}

// apply starts the application and the onlooker.
func (s *readers) apply() *routed {
	s.t.Helper()
	a := &routed{s: s, begun: clock.Now()}
	var err error
	a.watch, err = clock.Watch()
	s.must(err)
	s.t.Cleanup(func() { a.watch.Stop() })
	a.observe, err = observer.Watch(observer.Options{
		Stage: s.Stage, Host: s.Host(onlooker), Addresses: []netip.Addr{stage.VIP}, Port: stage.DefaultPort,
	})
	s.must(err)
	s.t.Cleanup(func() { _, _ = a.observe.Stop() }) // judge has said what was wrong with it
	a.writer, err = s.Write(context.Background(), writer.Options{
		Finder: writer.Fixed(netip.AddrPortFrom(stage.VIP, stage.DefaultPort)), Interval: time.Millisecond, DialTimeout: 20 * time.Millisecond,
	})
	s.must(err)
	s.t.Cleanup(func() { a.writer.Stop() })
	return a
}

// before notes when the page does what matters.
func (a *routed) before(st step) {
	at := clock.Now()
	switch {
	case st.where == "h1" && st.command == "systemctl disable --now keepalived":
		a.left = at
	case st.command == "systemctl enable --now redkeep":
		a.started = at
	case strings.HasPrefix(st.command, "systemctl kill -s KILL redis-server"):
		a.killed = at
	}
}

// judge ends the application, and reads back from the master what it was promised.
func (a *routed) judge(ctx context.Context, master string) {
	t := a.s.t
	t.Helper()
	if a.left == 0 || a.started == 0 || a.killed == 0 {
		t.Fatal("the page does not stop keepalived on h1, start the agents and kill the server")
	}
	end := clock.Now()
	writes := a.writer.Stop()
	over := writer.Longest(writes, a.left, a.killed)
	died := writer.Longest(writes, a.killed, end)
	if over.Open || died.Open && died.Length() > time.Second { // a shorter one may be the machine's, at the end
		t.Fatalf("the application is not served any more: %v, %v", over, died)
	}
	t.Logf("keepalived's stop to the pair's first write: %v, of it %v until the agents were told to start", over.Length(), a.started.Sub(over.From))
	t.Logf("master's Redis killed: write gap %v, worst stall of the machine %v", died.Length(), a.watch.Worst(a.killed, died.To))
	bounds := &Site{t: t, watch: a.watch}
	bounds.bound("keepalived's stop and the pair's start", over.Length(), 3100*time.Millisecond)
	bounds.bound("the pair's failover", died.Length(), 25*time.Millisecond)
	report, err := a.writer.Audit(ctx, a.s.Host(master).Port(stage.DefaultPort))
	a.s.must(err)
	kept := 0
	for _, w := range slices.Concat(report.Missing, report.Wrong) {
		if w.Acked >= over.To {
			kept++
		}
	}
	t.Logf("%v; %d of the lost ones were keepalived's", report, report.Lost()-kept)
	if kept > 1 { // the one that a killed server may have answered before it wrote to its replica
		t.Errorf("%d acknowledged writes of the pair's are lost", kept)
	}
	if _, err := a.observe.Stop(); err != nil {
		t.Errorf("the onlooker: %v", err)
	}
	named := a.observe.TwoAnswer(stage.VIP, a.left, observer.Named...) + a.observe.TwoAnswer(stage.VIP, a.left, observer.Served...)
	t.Logf("two hosts answered for the address at once: for %v, and with keepalived for %v before", named, a.observe.TwoAnswer(stage.VIP, a.begun, observer.Named...)-named)
	if named > 0 {
		t.Errorf("two hosts answered for the address: %v", a.observe.Stretches(stage.VIP, a.left, observer.Named...))
	}
}
