package lab

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"redkeep/internal/stage"
	"redkeep/internal/stage/sentinels"
)

// names are how Sentinels are known to each other: addresses that they announce, names of hosts, passwords of their own.
var names = []behaviour{
	{name: "announced", check: announced, plan: quorumPlan{Idle: true, Voter: announcer}},
	{name: "hostnames", check: hostnames, plan: quorumPlan{Named: true, Server: namedServer, Voter: namedVoter}},
	{name: "resolved", check: resolved, plan: quorumPlan{Voter: resolvingVoter}},
	{name: "sentinel-pass", check: lockedUp, plan: quorumPlan{Voter: locked}},
	{name: "sentinel-user", check: lockedUp, plan: quorumPlan{Voter: lockedByUser}},
}

// second is another address of a Sentinel's host.
func second(q *quorum, i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 77, 0, byte(60 + i)}) }

func announcer(q *quorum, i int, c *sentinels.Config) {
	c.Before = append(c.Before, fmt.Sprintf("sentinel announce-ip %s", second(q, i)), "sentinel announce-port 26379")
}

// announced: Sentinels that are known by another address than the one from which they speak.
func announced(q *quorum) {
	for i, h := range q.Hosts() {
		q.must(h.AddAddress(netip.PrefixFrom(second(q, i), 24)))
	}
	for i := range q.members {
		q.up(i)
	}
	q.awaitWhole()
	for i := range q.members {
		others, err := q.members[i].Maps("SENTINEL", "SENTINELS", orders)
		q.must(err)
		for _, o := range others {
			known := false
			for _, other := range q.others(i) {
				known = known || o["ip"] == second(q, other).String() && o["port"] == "26379"
			}
			if !known {
				q.t.Errorf("sentinel %d knows one at %s %s", i, o["ip"], o["port"])
			}
		}
		if n := len(mustLines(q, q.members[i], "sentinel known-sentinel "+orders+" 10.77.0.6")); n != 2 {
			q.t.Errorf("sentinel %d wrote %d others by their announced addresses", i, n)
		}
		for option, value := range map[string]string{"announce-ip": second(q, i).String(), "announce-port": "26379"} {
			got := mustLines(q, q.members[i], "sentinel "+option+" ")
			if len(got) != 1 || strings.Trim(got[0][len("sentinel "+option+" "):], `"`) != value {
				q.t.Errorf("sentinel %d wrote %q for %s", i, got, option)
			}
		}
	}
	f := q.fault("failover")
	_, err := q.servers[0].Kill()
	q.must(err)
	f.turnedOver(-1)
	q.must(q.servers[0].Start(q.t.Context()))
	f.returned()
	for i := range q.members {
		q.ask(i, "SENTINEL", "CONFIG", "SET", "announce-ip", q.Hosts()[i].Addr().String())
	}
	for i := range q.members {
		for range q.others(i) {
			q.heard(i, f.marks[i], soon, "+sentinel-address-switch", "master "+orders)
		}
	}
	q.awaitWhole()
}

// called is an address as it is told: where names are announced, by the name of its host.
func (q *quorum) called(a netip.Addr) string {
	for _, h := range q.Hosts() {
		if q.plan.Named && h.Addr() == a {
			return h.Name() + domain
		}
	}
	return a.String()
}

// domain is that of the hosts, where they have names.
const domain = ".example.org"

// hosts is the file by which the names are found.
func hosts(q *quorum) string {
	var b strings.Builder
	b.WriteString("127.0.0.1 localhost\n")
	for _, h := range q.Hosts() {
		fmt.Fprintf(&b, "%s %s%s\n", h.Addr(), h.Name(), domain)
	}
	return b.String()
}

// namedServer is one that finds the others by their names, and is known by its own. Its program is started with a file of names of
// its own, in a mount namespace.
func namedServer(q *quorum, i int, c *stage.RedisConfig) {
	server, err := stage.FindRedis()
	q.must(err)
	file, program := filepath.Join(q.Dir(), "hosts"), filepath.Join(q.Dir(), "named", "redis-server")
	q.must(os.WriteFile(file, []byte(hosts(q)), 0o644), os.MkdirAll(filepath.Dir(program), 0o700))
	link := filepath.Join(q.Dir(), "redis-server")
	if i == 0 {
		q.must(os.Symlink(server, link))
	}
	text := fmt.Sprintf("#!/bin/sh\nexec unshare --mount sh -c 'mount --bind %s /etc/hosts && exec %s \"$@\"' sh \"$@\"\n", file, link)
	q.must(os.WriteFile(program, []byte(text), 0o700))
	c.Program, c.ReplicaOf = program, netip.AddrPort{}
	c.Extra = append(c.Extra, "replica-announce-ip "+q.Hosts()[i].Name()+domain)
	if i > 0 {
		c.Extra = append(c.Extra, "replicaof "+q.Hosts()[0].Name()+domain+" 6379")
	}
}

func namedVoter(q *quorum, i int, c *sentinels.Config) {
	resolvingVoter(q, i, c)
	c.Before = append(c.Before, "sentinel announce-hostnames yes")
}

func resolvingVoter(q *quorum, i int, c *sentinels.Config) {
	c.Before = append(c.Before, "sentinel resolve-hostnames yes")
	c.Groups[0].Host = "h1.example.org"
	c.Hosts = hosts(q)
}

// resolved: names in the file, addresses everywhere else.
func resolved(q *quorum) {
	for i := range q.members {
		if got := q.value(i, "MASTER", "ip", orders); got != q.Hosts()[0].Addr().String() {
			q.t.Errorf("sentinel %d calls the master %s", i, got)
		}
		want := fmt.Sprintf("sentinel monitor %s %s 6379 2", orders, q.Hosts()[0].Addr())
		if got := mustLines(q, q.members[i], "sentinel monitor "); len(got) != 1 || got[0] != want {
			q.t.Errorf("sentinel %d wrote %q", i, got)
		}
	}
	f := q.fault("failover")
	_, err := q.servers[0].Kill()
	q.must(err)
	f.turnedOver(-1)
	q.must(q.servers[0].Start(q.t.Context()))
	f.returned()
}

// hostnames: names in all that is told and written.
func hostnames(q *quorum) {
	for i := range q.members {
		answer, err := q.members[i].Do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", orders)
		q.must(err)
		if got := strings.Join(answer.Strings(), " "); got != "h1.example.org 6379" {
			q.t.Errorf("sentinel %d calls the master %s", i, got)
		}
		q.writes(i, "monitor "+orders+" h1.example.org 6379 2", "known-replica "+orders+" h2.example.org 6379",
			"known-replica "+orders+" h3.example.org 6379")
	}
	f := q.fault("failover by names")
	_, err := q.servers[0].Kill()
	q.must(err)
	f.turnedOver(-1)
	q.must(q.servers[0].Start(q.t.Context()))
	f.returned()
	for i, s := range q.members {
		q.must(s.Kill())
		q.up(i)
	}
	q.awaitWhole()
}

const quorumPassword = "a-password-of-sentinels"

func locked(_ *quorum, _ int, c *sentinels.Config) {
	c.Before = append(c.Before, "requirepass "+quorumPassword)
	c.Password = quorumPassword
}

func lockedByUser(_ *quorum, _ int, c *sentinels.Config) {
	c.Before = append(c.Before, "user default off", "user voter on >"+quorumPassword+" allchannels +@all",
		"sentinel sentinel-user voter", "sentinel sentinel-pass "+quorumPassword)
	c.User, c.Password = "voter", quorumPassword
}

// lockedUp: Sentinels that want a password from each other, and from clients.
func lockedUp(q *quorum) {
	for i, s := range q.members {
		bare, err := s.DialBare(q.t.Context())
		q.must(err)
		if _, err := bare.Do(soon, "PING"); err == nil || !strings.HasPrefix(err.Error(), "NOAUTH") {
			q.t.Errorf("sentinel %d answers %v to who has not authenticated", i, err)
		}
		bare.Close()
	}
	f := q.fault("failover")
	_, err := q.servers[0].Kill()
	q.must(err)
	f.turnedOver(-1)
	q.must(q.servers[0].Start(q.t.Context()))
	f.returned()
	for i, s := range q.members {
		q.must(s.Kill())
		q.up(i)
	}
	q.awaitWhole()
}
