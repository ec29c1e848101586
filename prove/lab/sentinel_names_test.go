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
	{name: "ipv6", check: ipv6, plan: quorumPlan{Six: true}},
	{name: "users-live", check: usersLive, plan: quorumPlan{Voter: withVoter}},
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
		if !q.within(soon/5, func() bool {
			return len(mustLines(q, q.members[i], "sentinel known-sentinel "+orders+" 10.77.0.6")) == 2
		}) {
			q.t.Errorf("sentinel %d does not write two others by their announced addresses", i)
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
		q.writes(i, fmt.Sprintf("monitor %s %s 6379 2", orders, q.Hosts()[0].Addr()))
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

// ipv6: all know each other by IPv6 addresses, and tell of them in brackets where a port follows.
func ipv6(q *quorum) {
	if !q.Hosts()[0].Addr6().IsValid() {
		q.t.Skip("this machine has no IPv6")
	}
	for i, s := range q.members {
		replicas, err := s.Maps("SENTINEL", "REPLICAS", orders)
		q.must(err)
		for _, r := range replicas {
			if r["name"] != fmt.Sprintf("[%s]:6379", r["ip"]) {
				q.t.Errorf("sentinel %d (%s) shows %s at %s", i, s.Program().Name, r["name"], r["ip"])
			}
		}
		q.writes(i, fmt.Sprintf("monitor %s %s 6379 2", orders, q.at(0).Addr()), fmt.Sprintf("known-replica %s %s 6379", orders, q.at(1).Addr()))
		if !q.within(soon/5, func() bool { return len(mustLines(q, s, "sentinel known-sentinel "+orders+" fd00:77::")) == 2 }) {
			q.t.Errorf("sentinel %d (%s) does not write two others by IPv6", i, s.Program().Name)
		}
	}
	for _, leader := range q.leaders() {
		q.onlyLeader(leader)
		f := q.fault("kill the master")
		place := q.place(f.old)
		_, err := q.servers[place].Kill()
		q.must(err)
		f.turnedOver(leader)
		q.must(q.servers[place].Start(q.t.Context()))
		f.returned()
	}
}

func withVoter(_ *quorum, _ int, c *sentinels.Config) {
	c.Before = append(c.Before, "user voter on >"+quorumPassword+" allchannels +@all")
	c.User, c.Password = "voter", quorumPassword
}

// usersLive: a quorum without passwords gets them while it works, loses each other by a wrong one, and finds each other by the right
// one again.
func usersLive(q *quorum) {
	// Who may do it all is told before the default user goes.
	q.all("SENTINEL", "CONFIG", "SET", "sentinel-user", "voter")
	q.all("SENTINEL", "CONFIG", "SET", "sentinel-pass", quorumPassword)
	q.all("ACL", "SETUSER", "default", "off")
	q.all("CLIENT", "KILL", "USER", "default")
	q.lasts(2 * downAfter)
	q.awaitWhole()
	for i := range q.members {
		if answer := q.ask(i, "SENTINEL", "CKQUORUM", orders); !strings.HasPrefix(answer, "OK 3 usable Sentinels.") {
			q.t.Errorf("sentinel %d: %s", i, answer)
		}
	}
	marks := q.marked()
	q.all("SENTINEL", "CONFIG", "SET", "sentinel-pass", "wrong")
	for i := range q.members {
		q.await(soon, "two that are down", func() bool { return q.count(i, marks[i], "+sdown", "sentinel ") == 2 })
		q.refused(i, "NOQUORUM 1 usable Sentinels.", "SENTINEL", "CKQUORUM", orders)
	}
	q.all("SENTINEL", "CONFIG", "SET", "sentinel-pass", quorumPassword)
	q.awaitWhole()
	q.all("SENTINEL", "FLUSHCONFIG")
	for i, s := range q.members {
		if got := mustLines(q, s, "user "); len(got) != 2 {
			q.t.Errorf("sentinel %d (%s) wrote %q", i, s.Program().Name, got)
		}
		q.must(s.Kill())
		q.up(i)
	}
	q.awaitWhole()
	f := q.fault("failover")
	_, err := q.servers[0].Kill()
	q.must(err)
	f.turnedOver(-1)
}
