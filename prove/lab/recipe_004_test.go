package lab

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage/need"
)

const (
	recipeVIP    = "172.16.2.250"
	recipeMaster = "172.16.2.4"
)

// TestRecipeAsk is the first scheme of recipe 004: three hosts with a server and a Sentinel each, whose applications ask a
// Sentinel for the master each time.
func TestRecipeAsk(t *testing.T) {
	eachSentinel(t, func(t *testing.T, program string) {
		s := threeHosts(t, program, "004/sentinel.conf")
		first := s.at(recipeMaster)
		first.says(s.cli("127.0.0.1", "SET key1 value1"))
		first.says(s.cli("127.0.0.1", "WAIT 2 1000"))
		s.at("172.16.2.15").sh(s.cli(recipeMaster, "SHUTDOWN"))
		master := s.awaitChange(recipeMaster)
		s.awaitOK(master, "2")
		s.at(master).awaits(10*time.Second, s.cli(master, "INFO replication"), "role:master", "connected_slaves:1")
		if text := s.hosts["client"].says(s.cli(master, "GET key1")); strings.TrimSpace(text) != "value1" {
			t.Errorf("the new master has %q of what the old one had", text)
		}
		if text := s.hosts["client"].says(s.cli(master, "SET key2 value2")); strings.TrimSpace(text) != "OK" {
			t.Errorf("the new master does not take writes: %s", text)
		}
		s.startServer(first)
		s.awaitReplica(first, master)
	})
}

// TestRecipeAddress is its second scheme: a script of each Sentinel takes a virtual address to the new master, and from all
// others. Its applications know that address alone.
func TestRecipeAddress(t *testing.T) {
	eachSentinel(t, func(t *testing.T, program string) {
		requireArping(t)
		s := threeHosts(t, program, "004/sentinel-vip.conf")
		// The first time a person adds it.
		s.at(recipeMaster).says("sudo /sbin/ip addr add 172.16.2.250/24 dev eth0")
		s.at(recipeMaster).says("sudo /sbin/arping -q -c 3 -A 172.16.2.250 -I eth0")
		s.addressAt(recipeMaster)
		s.at("172.16.2.15").sh(s.cli(recipeMaster, "SHUTDOWN"))
		master := s.awaitChange(recipeMaster)
		s.addressAt(master)
		s.startServer(s.at(recipeMaster))
		s.awaitReplica(s.at(recipeMaster), master)
		s.awaitOK(master, "2")
		s.awaitSeen()
		s.failingScript(master)
	})
}

// awaitSeen waits until each Sentinel has seen both replicas follow: one that has not takes a server that is promoted meanwhile
// for the master that came back, and makes it a replica again.
func (s *printedSite) awaitSeen() {
	s.t.Helper()
	for _, h := range s.sentinels {
		h.awaits(printedPatience(), "redis-cli -p 26379 SENTINEL REPLICAS "+s.group+
			" | grep -A1 -xE 'role-reported|master-link-status' | grep -cxE 'slave|ok'", "4")
	}
}

// failingScript changes the master while the scripts of those that may become it end with 1: they are called again until
// they do their work.
func (s *printedSite) failingScript(master string) {
	s.t.Helper()
	var others []*printedHost
	for _, h := range s.sentinels {
		if h.address != master {
			others = append(others, h)
			h.write("/opt/notify_mymaster.sh", "#!/bin/bash\nexit 1\n", 0o777)
		}
		h.says("redis-cli -p 26379 SENTINEL DEBUG SCRIPT-RETRY-DELAY 500")
	}
	s.at(master).says("redis-cli -p 26379 SENTINEL FAILOVER mymaster")
	next := s.awaitChange(master)
	for _, h := range others {
		h.awaits(10*time.Second, "redis-cli -p 26379 SENTINEL PENDING-SCRIPTS", "argv\n/opt/notify_mymaster.sh\nmymaster\n",
			fmt.Sprintf("\nstart\n%s\n6379\n%s\n6379\nflags\nscheduled\npid\n0\nrun-delay\n", master, next), "retry-num\n")
	}
	if has, err := s.at(next).HasAddress(s.vip()); err != nil || has {
		s.t.Errorf("%s has the address already, and its script only failed: %v", next, err)
	}
	for _, h := range others {
		s.script(h)
	}
	s.addressAt(next)
	for _, h := range others {
		h.awaits(10*time.Second, "redis-cli -p 26379 SENTINEL PENDING-SCRIPTS | grep -q . || echo none", "none")
	}
}

// threeHosts makes the recipe's hosts and starts everything as the page does.
func threeHosts(t *testing.T, program, file string) *printedSite {
	t.Helper()
	s := onPaper(t, "172.16.2.1", map[string]string{"redis-2": "172.16.2.2", "redis-4": recipeMaster, "redis-15": "172.16.2.15"})
	s.group, s.log = "mymaster", "/var/log/sentinel.log"
	s.servers = []*printedHost{s.hosts["redis-4"], s.hosts["redis-2"], s.hosts["redis-15"]}
	s.sentinels = s.servers
	for _, h := range s.servers {
		h.install("/usr-sbin/redis-server", server(t))
		h.install("/usr-sbin/redis-sentinel", program)
		conf := "004/slave.conf"
		if h.address == recipeMaster {
			conf = "004/master.conf"
		}
		h.put("/etc/redis.conf", conf, 0o644)
		h.put("/etc/sentinel.conf", file, 0o644)
		s.script(h)
		h.write("/var/log/sentinel.log", "", 0o644)
		s.startServer(h)
	}
	for _, h := range s.servers[1:] {
		s.awaitReplica(h, recipeMaster)
	}
	for _, h := range s.sentinels {
		h.start("sentinel", "cd /etc && exec redis-sentinel sentinel.conf >/var/log/sentinel.log 2>&1", nil)
	}
	s.hasten()
	s.awaitOK(recipeMaster, "2")
	return s
}

// startServer starts a host's server as the page does. It need not wait 5 s for a second replica before it copies to the first.
func (s *printedSite) startServer(h *printedHost) {
	s.t.Helper()
	h.says("redis-server /etc/redis.conf")
	h.awaits(5*time.Second, s.cli("127.0.0.1", "CONFIG SET repl-diskless-sync-delay 0"), "OK")
}

// script puts the script of the second scheme on a host, which has its own address in it.
func (s *printedSite) script(h *printedHost) {
	s.t.Helper()
	text, err := os.ReadFile("testdata/recipes/004/notify_mymaster.sh")
	h.must(err)
	h.write("/opt/notify_mymaster.sh", strings.Replace(string(text), "LOCAL_IP='172.16.2.2'", "LOCAL_IP='"+h.address+"'", 1), 0o777)
}

// awaitChange waits until all Sentinels name another master than that, and returns it.
func (s *printedSite) awaitChange(from string) string {
	s.t.Helper()
	var master string
	(&Site{t: s.t}).await(printedPatience(), "other master than "+from, func() bool {
		var all []string
		for _, h := range s.sentinels {
			text := h.says("redis-cli -p 26379 SENTINEL get-master-addr-by-name mymaster")
			all = append(all, strings.Fields(text)[0])
		}
		master = all[0]
		return master != from && all[1] == master && all[2] == master
	})
	return master
}

// addressAt wants the virtual address at one host alone, and there a Sentinel and a master that takes writes.
func (s *printedSite) addressAt(master string) {
	s.t.Helper()
	(&Site{t: s.t}).await(10*time.Second, recipeVIP+" at "+master+" alone", func() bool {
		for _, h := range s.servers {
			if has, err := h.HasAddress(s.vip()); err != nil || has != (h.address == master) {
				return false
			}
		}
		return true
	})
	client := s.hosts["client"]
	client.awaits(5*time.Second, s.cli(recipeVIP, "INFO replication"), "role:master")
	client.awaits(5*time.Second, s.cli(recipeVIP, "SET by-address "+master), "OK")
	client.awaits(5*time.Second, "redis-cli -h "+recipeVIP+" -p 26379 INFO sentinel", "address="+master+":6379")
	if text := s.at(master).says(s.cli("127.0.0.1", "GET by-address")); strings.TrimSpace(text) != master {
		s.t.Errorf("what was written to the address is not on %s: %s", master, text)
	}
}

func (s *printedSite) vip() netip.Addr { return netip.MustParseAddr(recipeVIP) }

// requireArping wants the arping whose options the script has; another program of the same name has others.
func requireArping(t *testing.T) {
	t.Helper()
	out, err := exec.Command("arping", "-V").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "iputils") {
		need.Program(t, "iputils-arping")
	}
}
