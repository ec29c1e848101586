package lab

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage"
)

// The recipes are two that people found in the web and followed: their hosts have the addresses, paths and files of the page.
// What a browser had done to them (line breaks, quotes) is put right, and their scripts do the same in words of our own. The
// files say how long the page wants a master to be silent, 15 and 30 s: tests tell the Sentinels to be quicker when they run.

// eachSentinel runs a test with either program where the recipe has redis-sentinel: the file and what is asked are the same.
func eachSentinel(t *testing.T, test func(t *testing.T, program string)) {
	t.Helper()
	t.Parallel()
	t.Run("redis-sentinel", func(t *testing.T) { test(t, server(t)) })
	t.Run("redkeep sentinel", func(t *testing.T) { test(t, binary) })
}

// printedSite is a recipe's hosts.
type printedSite struct {
	t     *testing.T
	hosts map[string]*printedHost
	// sentinels and servers are the hosts that have one.
	sentinels, servers []*printedHost
	// group is what the Sentinels call the master, and secret what redis-cli needs at a server.
	group, secret string
	// log is where a Sentinel writes.
	log string
}

// at is the host of an address.
func (s *printedSite) at(address string) *printedHost {
	s.t.Helper()
	for _, h := range s.hosts {
		if h.address == address {
			return h
		}
	}
	s.t.Fatalf("no host has the address %s", address)
	return nil
}

// onPaper makes the hosts with their addresses, and a client host with another.
func onPaper(t *testing.T, client string, addresses map[string]string) *printedSite {
	t.Helper()
	t.Parallel()
	names := make([]string, 0, len(addresses))
	for name := range addresses {
		names = append(names, name)
	}
	slices.Sort(names)
	st, err := stage.New(context.Background(), stage.Options{Hosts: names})
	if err != nil {
		t.Fatal(err)
	}
	s := &printedSite{t: t}
	t.Cleanup(func() {
		if t.Failed() || *logs {
			for _, h := range s.sentinels {
				t.Logf("---- %s\n%s", h.Name(), tail(h.at(s.log), 5000))
			}
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	addresses[stage.ClientName] = client
	s.hosts = printedNetwork(t, st, addresses)
	return s
}

// hasten tells the running Sentinels not to wait as long as the page has them. With -lab.long they do.
func (s *printedSite) hasten() {
	s.t.Helper()
	if *long {
		return
	}
	for _, h := range s.sentinels {
		h.awaits(5*time.Second, "redis-cli -p 26379 PING", "PONG")
		h.says("redis-cli -p 26379 SENTINEL SET " + s.group + " down-after-milliseconds 2000")
		h.says("redis-cli -p 26379 SENTINEL SET " + s.group + " failover-timeout 10000")
		h.says("redis-cli -p 26379 SENTINEL DEBUG " + periods)
	}
}

// printedPatience is how long a change of the master may take, and what follows it.
func printedPatience() time.Duration { return pick(20*time.Second, 90*time.Second) }

// awaitOK wants every Sentinel to say of the group what the page shows.
func (s *printedSite) awaitOK(master, replicas string) {
	s.t.Helper()
	for _, h := range s.sentinels {
		h.awaits(printedPatience(), "redis-cli -p 26379 INFO sentinel", "name="+s.group+",status=ok,address="+master+":6379,slaves="+replicas+",sentinels=3")
	}
}

// awaitReplica wants a server to follow the master.
func (s *printedSite) awaitReplica(h *printedHost, master string) {
	s.t.Helper()
	h.awaits(printedPatience(), s.cli("127.0.0.1", "INFO replication"), "role:slave", "master_host:"+master, "master_link_status:up")
}

// cli is a command line that says something to a server.
func (s *printedSite) cli(at, words string) string {
	line := "redis-cli -h " + at + " -p 6379 "
	if s.secret != "" {
		line += "--no-auth-warning -a " + s.secret + " "
	}
	return line + words
}

// events wants a Sentinel's log to have these lines, in this order.
func (s *printedSite) events(h *printedHost, want ...string) {
	s.t.Helper()
	log := h.text(s.log)
	for _, line := range want {
		_, rest, found := strings.Cut(log, line)
		if !found {
			s.t.Errorf("the log of %s has no %q where it belongs", h.Name(), line)
			return
		}
		log = rest
	}
}

// server is Redis' own binary.
func server(t *testing.T) string {
	t.Helper()
	path, err := stage.FindRedis()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
