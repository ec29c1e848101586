package lab

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage"
)

// Three recipes from the web put Redis behind keepalived with scripts. Their files are as they were printed, but for the device's name, which
// every reader changes; what a browser or the author's hand has spoiled is mended by our own repair. Their scripts do the same in words of
// our own. Ours runs under keepalived's name; the real one is played too, which keeps the tests honest about what happens with it.
var recipes = []routerCase{
	{name: "recipe 000/redkeep", play: func(t *testing.T) { recipeCopyBack(t, oursKind) }},
	{name: "recipe 000/keepalived", play: func(t *testing.T) { recipeCopyBack(t, realKind) }},
	{name: "recipe 001/redkeep", play: func(t *testing.T) { recipeFollow(t, oursKind) }},
	{name: "recipe 001/keepalived", play: func(t *testing.T) { recipeFollow(t, realKind) }, long: true},
	{name: "recipe 003/redkeep", play: func(t *testing.T) { recipeMutual(t, oursKind) }},
	{name: "recipe 003/keepalived", play: func(t *testing.T) { recipeMutual(t, realKind) }},
}

// paperRouters are a recipe's hosts, with keepalived, whoever that is.
type paperRouters struct {
	t     *testing.T
	st    *stage.Stage
	kind  routerKind
	hosts map[string]*printedHost
}

// onRouterPaper makes the hosts, and installs Redis and the program under its name.
func onRouterPaper(t *testing.T, kind routerKind, addresses map[string]string) *paperRouters {
	t.Helper()
	var names []string
	for name := range addresses {
		names = append(names, name)
	}
	st, err := stage.New(context.Background(), stage.Options{Hosts: names})
	if err != nil {
		t.Fatal(err)
	}
	s := &paperRouters{t: t, st: st, kind: kind, hosts: printedNetwork(t, st, addresses)}
	t.Cleanup(func() {
		if t.Failed() || *logs {
			for name := range addresses {
				t.Logf("---- %s\n%s", name, tail(filepath.Join(st.Host(name).Dir(), "keepalived.log"), 5000))
			}
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	program := binary
	if kind == realKind {
		program = realProgram(t)
	}
	for _, h := range s.hosts {
		h.install("/usr-sbin/keepalived", program)
		h.install("/opt/redkeep", binary)
		h.install("/data/service/redis/bin/redis-server", server(t))
		h.must(os.MkdirAll(h.at("/etc/redis"), 0o755), os.MkdirAll(h.at("/var/log"), 0o755))
	}
	return s
}

// redis starts a server of a host.
func (h *printedHost) redis(port int) {
	h.t.Helper()
	h.must(os.MkdirAll(h.at(fmt.Sprintf("/data/%d", port)), 0o755))
	h.says(fmt.Sprintf("redis-server --port %[1]d --daemonize yes --protected-mode no --dir /data/%[1]d --save '' --appendonly yes --repl-diskless-sync-delay 0", port))
}

// printed is a part of what the checks of keepalived.conf are tested with: the recipe's file.
func (s *paperRouters) printed(recipe, part string) string {
	s.t.Helper()
	return printedRouter(s.t, recipe, part)
}

func printedRouter(t *testing.T, recipe, part string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../internal/speak/keepalivedconf/testdata", recipe+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "-- "+part+" --\n")
	if !found {
		t.Fatalf("%s has no %s", recipe, part)
	}
	rest, _, _ = strings.Cut(rest, "\n-- ")
	return strings.NewReplacer("interface ens33", "interface eth0", "interface wlan0", "interface eth0").Replace(rest) + "\n"
}

// configure gives a host its file, as repaired as it must be, and wants the program to take it.
func (s *paperRouters) configure(h *printedHost, text string) {
	s.t.Helper()
	const path = "/etc/keepalived/keepalived.conf"
	h.write(path, text, 0o644)
	if _, code := h.sh("/opt/redkeep keepalived -t -f " + path); code != 0 {
		h.says("/opt/redkeep keepalived -t -f " + path + " --repair >/tmp/repaired 2>/tmp/left && cp /tmp/repaired " + path)
	}
	h.says("/opt/redkeep keepalived -t -f " + path)
}

// start starts keepalived on a host, as its unit does.
func (s *paperRouters) start(h *printedHost) *stage.Process {
	s.t.Helper()
	return h.start("keepalived", "exec keepalived -n -l -D -P -p /run/keepalived.pid", nil)
}

// script writes one of the recipe's programs.
func (h *printedHost) script(name, text string) {
	h.t.Helper()
	h.write("/etc/keepalived/scripts/"+name, "#!/bin/sh\n"+text, 0o755)
}

// holds reports whether a host has an address.
func (s *paperRouters) holds(h *printedHost, address string) bool {
	s.t.Helper()
	has, err := h.HasAddress(netip.MustParseAddr(address))
	h.must(err)
	return has
}

func (s *paperRouters) await(within time.Duration, what string, ok func() bool) {
	s.t.Helper()
	(&Site{t: s.t}).await(within, what, ok)
}

// role is what a host's server says that it is.
func (h *printedHost) role(port int) string {
	text, _ := h.sh(fmt.Sprintf("redis-cli -p %d ROLE", port))
	return strings.Join(strings.Fields(text), " ")
}

// recipeCopyBack is recipe 000: the preferred host copies from the other one for some seconds, and is the master again. Its two scripts run side
// by side with keepalived, and that of the older state has the last word: from the first start on both servers are replicas of each other.
// Here they run one at a time.
func recipeCopyBack(t *testing.T, kind routerKind) {
	const one, two, vip = "192.168.133.130", "192.168.133.131", "192.168.133.188"
	s := onRouterPaper(t, kind, map[string]string{"master": one, "slave": two})
	copying, waiting := pick(2, 10), pick(6, 15) // the page's are 10 and 15 s
	master, slave := s.hosts["master"], s.hosts["slave"]
	for h, peer := range map[*printedHost]string{master: two, slave: one} {
		h.script("redis_check.py", "redis-cli ping >/dev/null\n")
		h.script("redis_master.py", fmt.Sprintf("redis-cli slaveof %s 6379\nsleep %d\nredis-cli slaveof no one\n", peer, copying))
		h.script("redis_backup.py", fmt.Sprintf("sleep %d\nredis-cli slaveof %s 6379\n", waiting, peer))
		h.script("redis_fault.py", "exit 0\n")
		h.script("redis_stop.py", "exit 0\n")
		h.redis(6379)
	}
	text := s.printed("recipe_000", "keepalived.conf")
	s.configure(master, text)
	s.configure(slave, strings.NewReplacer("state MASTER", "state BACKUP", "priority 101", "priority 100").Replace(text))
	s.start(master)
	time.Sleep(time.Second) // or both are master for a moment, their priorities being one apart
	s.start(slave)
	s.await(duelLimit, "the address", func() bool { return s.holds(master, vip) })
	if kind == realKind {
		time.Sleep(time.Duration(waiting+copying) * time.Second) // all scripts have ended
		if a, b := master.role(6379), slave.role(6379); !strings.HasPrefix(a, "slave "+two) || !strings.HasPrefix(b, "slave "+one) {
			t.Errorf("the servers are %q and %q", a, b)
		}
		t.Log("with keepalived both servers are replicas of each other from the first start on, and nobody is told")
		return
	}
	settled := func() bool {
		return strings.HasPrefix(master.role(6379), "master") && strings.HasPrefix(slave.role(6379), "slave "+one+" 6379 connected")
	}
	s.await(40*time.Second, "one master and one replica", settled)
	master.says("redis-cli SET before 1")
	master.says("redis-cli WAIT 1 1000")
	master.sh("redis-cli SHUTDOWN")
	s.await(40*time.Second, "the other one as the master", func() bool { return s.holds(slave, vip) && strings.HasPrefix(slave.role(6379), "master") })
	slave.says("redis-cli SET meanwhile 2")
	master.redis(6379)
	s.await(60*time.Second, "the preferred one as the master", func() bool { return s.holds(master, vip) && settled() })
	for key, want := range map[string]string{"before": "1", "meanwhile": "2"} {
		if got := strings.TrimSpace(master.says("redis-cli GET " + key)); got != want {
			t.Errorf("of %s the master has %q", key, got)
		}
	}
}

// recipeFollow is recipe 001: three hosts, nobody preempts, and the replicas follow the address.
func recipeFollow(t *testing.T, kind routerKind) {
	const vip = "172.17.0.100"
	s := onRouterPaper(t, kind, map[string]string{"a": "172.17.0.11", "b": "172.17.0.12", "c": "172.17.0.13"})
	text := s.printed("recipe_001", "keepalived.conf")
	a, b, c := s.hosts["a"], s.hosts["b"], s.hosts["c"]
	for i, h := range []*printedHost{a, b, c} {
		h.script("redis_check.sh", "[ \"$(redis-cli -h 127.0.0.1 -p 6379 ping)\" = PONG ]\n")
		h.script("redis_master.sh", "redis-cli -p 6379 slaveof no one >>/var/log/keepalived-redis.log 2>&1\n")
		h.script("redis_backup.sh", "redis-cli -p 6379 slaveof "+vip+" 6379 >>/var/log/keepalived-redis.log 2>&1\n")
		h.redis(6379)
		s.configure(h, strings.Replace(text, "150", fmt.Sprint(150-50*i), 1))
		s.start(h)
		s.await(duelLimit, "the first one's address", func() bool { return s.holds(a, vip) })
	}
	follows := func(h *printedHost) bool { return strings.HasPrefix(h.role(6379), "slave "+vip+" 6379 connected") }
	s.await(duelLimit, "two replicas of the address", func() bool { return follows(b) && follows(c) })
	a.says("redis-cli SET key value")
	a.says("redis-cli WAIT 2 1000")
	a.sh("redis-cli SHUTDOWN")
	s.await(20*time.Second, "b as the master, with c as its replica", func() bool {
		return s.holds(b, vip) && !s.holds(a, vip) && strings.HasPrefix(b.role(6379), "master") && follows(c)
	})
	a.redis(6379)
	s.await(20*time.Second, "a as a replica", func() bool { return follows(a) })
	if !s.holds(b, vip) || s.holds(a, vip) {
		t.Error("nopreempt was not kept")
	}
	if got := strings.TrimSpace(b.says("redis-cli GET key")); got != "value" {
		t.Errorf("the new master has %q", got)
	}
}

// recipeMutual is recipe 003: two servers on each of two hosts, with a brace glued to the device's name, and a password that differs. With
// keepalived each host is the master of everything; ours holds back, and says whose password is another one.
func recipeMutual(t *testing.T, kind routerKind) {
	const one, two = "192.168.1.125", "192.168.1.126"
	vips := []string{"192.168.1.144", "192.168.1.145"}
	s := onRouterPaper(t, kind, map[string]string{"a": one, "b": two})
	a, b := s.hosts["a"], s.hosts["b"]
	parts := map[*printedHost]string{a: s.printed("recipe_003", "keepalived.conf"), b: s.printed("recipe_003_backup", "keepalived.conf")}
	for _, h := range []*printedHost{a, b} {
		text := parts[h]
		h.script("redis_check.sh", "[ \"$(redis-cli -h $1 -p $2 ping)\" = PONG ]\n")
		h.script("redis_master_slave.sh", "redis-cli -h $1 -p $3 slaveof no one\n")
		h.script("redis_backup_slave.sh", "redis-cli -h $1 -p $3 slaveof $2 $3\n")
		h.script("redis_fault.sh", "exit 0\n")
		h.script("redis_stop.sh", "exit 0\n")
		h.redis(7001)
		h.redis(7002)
		if h == b { // The page has this host follow itself.
			text = strings.ReplaceAll(text, two, one)
		}
		s.configure(h, text)
	}
	s.start(a)
	s.await(duelLimit, "both addresses", func() bool { return s.holds(a, vips[0]) && s.holds(a, vips[1]) })
	other := s.start(b)
	both := func(h *printedHost) bool { return s.holds(h, vips[0]) && s.holds(h, vips[1]) }
	if kind == realKind {
		s.await(duelLimit, "two masters", func() bool { return both(a) && both(b) })
		t.Log("with keepalived each host is the master of both, by the unequal passwords of the page")
		return
	}
	s.await(duelLimit, "the reason", func() bool {
		text, err := os.ReadFile(other.Log())
		return err == nil && strings.Contains(string(text), "password of "+one)
	})
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if !both(a) || s.holds(b, vips[0]) || s.holds(b, vips[1]) {
			t.Fatal("there are two masters")
		}
	}
	// With one password the pair does what the page wants of it.
	s.configure(b, strings.ReplaceAll(b.text("/etc/keepalived/keepalived.conf"), "auth_pass test", "auth_pass lulu"))
	b.says("kill -HUP $(cat /run/keepalived.pid)")
	s.await(duelLimit, "b as a replica", func() bool {
		return strings.HasPrefix(b.role(7001), "slave "+one+" 7001 connected") && strings.HasPrefix(b.role(7002), "slave "+one+" 7002 connected")
	})
	a.must(s.st.PowerOff("a"))
	s.await(duelLimit, "b as the master of both", func() bool {
		return both(b) && strings.HasPrefix(b.role(7001), "master") && strings.HasPrefix(b.role(7002), "master")
	})
}
