package lab

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/authority"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/sentinels"
)

// states are what a Sentinel shows of itself while things happen, and ways to reach it.
var states = []behaviour{
	{name: "promoting", check: promoting},
	{name: "reconfiguring", check: reconfiguring},
	{name: "healthy", check: healthy},
	{name: "periods", check: periodsChanged, plan: quorumPlan{Periods: "none", Voter: func(_ *quorum, _ int, c *sentinels.Config) {
		c.Groups[0].DownAfter = 5 * time.Second
	}}},
	{name: "tls", check: overTLS, plan: quorumPlan{Server: tlsServer, Voter: tlsVoter}},
}

// promoting: what is shown while a chosen replica does not obey.
func promoting(q *quorum) {
	forbid(q, 1, "-slaveof")
	forbid(q, 2, "-slaveof")
	for _, i := range q.oneEach() {
		s := q.members[i]
		f := q.fault("nobody obeys sentinel %d", i)
		q.ask(i, "SENTINEL", "FAILOVER", orders)
		q.heard(i, f.marks[i], soon, "+failover-state-wait-promotion", "slave")
		master, err := s.Map("SENTINEL", "MASTER", orders)
		q.must(err)
		if master["flags"] != "master,failover_in_progress,force_failover" || master["failover-state"] != "wait_promotion" {
			q.t.Errorf("sentinel %d (%s) shows %s in state %q", i, s.Program().Name, master["flags"], master["failover-state"])
		}
		replicas, err := s.Maps("SENTINEL", "REPLICAS", orders)
		q.must(err)
		promoted := 0
		for _, r := range replicas {
			// Its connections were not killed, since it refused the transaction.
			if r["flags"] == "slave,promoted" {
				promoted++
			}
		}
		if promoted != 1 {
			q.t.Errorf("sentinel %d (%s) shows %d promoted replicas: %v", i, s.Program().Name, promoted, replicas)
		}
		if at, err := s.Master(orders); err != nil || at != f.old {
			q.t.Errorf("sentinel %d names %s the master before one is promoted", i, at)
		}
		q.heard(i, f.marks[i], soon, "-failover-abort-slave-timeout", "master "+orders)
		if flags := q.value(i, "MASTER", "flags", orders); flags != "master" {
			q.t.Errorf("sentinel %d (%s) shows %s after an abort", i, s.Program().Name, flags)
		}
	}
}

// reconfiguring: from the promotion on the new master is named and written, and a crash comes back to it.
func reconfiguring(q *quorum) {
	for _, i := range q.oneEach() {
		s := q.members[i]
		q.all("SENTINEL", "SET", orders, "failover-timeout", "8000")
		f := q.fault("failover by sentinel %d, with a replica that does not obey", i)
		for place := range q.servers {
			forbid(q, place, "+slaveof")
		}
		stuck := 2
		if q.place(f.old) == 2 {
			stuck = 1
		}
		for place, r := range q.servers {
			priority := 100
			if place == stuck {
				priority = 1000
			}
			_, err := r.Do(q.t.Context(), "CONFIG", "SET", "replica-priority", fmt.Sprint(priority))
			q.must(err)
		}
		forbid(q, stuck, "-slaveof")
		q.awaitField("slave-priority", func(place int, value string) bool { return (value == "1000") == (place == stuck) || value == "" })
		q.ask(i, "SENTINEL", "FAILOVER", orders)
		sent := q.heard(i, f.marks[i], soon, "+slave-reconf-sent", "slave")
		if !strings.Contains(sent.Payload, q.servers[stuck].Addr().String()) {
			q.t.Errorf("sentinel %d told %s", i, sent)
		}
		if state := q.value(i, "MASTER", "failover-state", orders); state != "reconf_slaves" {
			q.t.Errorf("sentinel %d (%s) is in state %s", i, s.Program().Name, state)
		}
		at, err := s.Master(orders)
		q.must(err)
		if at == f.old || q.value(i, "MASTER", "ip", orders) != f.old.Addr().String() {
			q.t.Errorf("sentinel %d (%s) names %s the master, and was at %s", i, s.Program().Name, at, f.old)
		}
		for line, want := range map[string]netip.AddrPort{"monitor": at, "known-replica": f.old} {
			written := q.within(soon/5, func() bool {
				return slices.ContainsFunc(mustLines(q, s, "sentinel "+line+" "+orders+" "), func(l string) bool {
					return strings.Contains(l, fmt.Sprintf(" %s %d", want.Addr(), want.Port()))
				})
			})
			if !written {
				q.t.Errorf("sentinel %d (%s) wrote no %s %s", i, s.Program().Name, line, want)
			}
		}
		q.must(s.Kill())
		q.up(i)
		forbid(q, stuck, "+slaveof")
		for n := range q.members {
			q.await(soon, "the new master after a crash", func() bool {
				now, err := q.members[n].Master(orders)
				return err == nil && now == at
			})
		}
		q.all("SENTINEL", "SET", orders, "failover-timeout", "1000") // strays are repaired after that
		q.follows(at)
	}
}

// healthy: the fields of instances that are well, and what they say when one is not.
func healthy(q *quorum) {
	for _, i := range q.oneEach() {
		s := q.members[i]
		numbers := func(m map[string]string, most int64, fields ...string) {
			q.t.Helper()
			for _, f := range fields {
				n, err := strconv.ParseInt(m[f], 10, 64)
				if err != nil || n < 0 || n > most {
					q.t.Errorf("sentinel %d (%s) shows %s %q", i, s.Program().Name, f, m[f])
				}
			}
		}
		master, err := s.Map("SENTINEL", "MASTER", orders)
		q.must(err)
		numbers(master, 3000, "last-ping-sent", "last-ok-ping-reply", "last-ping-reply", "info-refresh")
		replicas, err := s.Maps("SENTINEL", "REPLICAS", orders)
		q.must(err)
		for _, r := range replicas {
			numbers(r, 3000, "last-ping-sent", "last-ok-ping-reply", "last-ping-reply", "info-refresh", "master-link-down-time")
			if len(r["runid"]) != 40 || r["slave-priority"] != "100" || r["replica-announced"] != "1" || r["master-port"] != "6379" {
				q.t.Errorf("sentinel %d (%s) shows %v", i, s.Program().Name, r)
			}
		}
		others, err := s.Maps("SENTINEL", "SENTINELS", orders)
		q.must(err)
		for _, o := range others {
			numbers(o, 3000, "last-ping-sent", "last-ok-ping-reply", "last-ping-reply", "last-hello-message", "voted-leader-epoch")
			if o["name"] != o["runid"] || o["voted-leader"] != "?" || o["link-refcount"] != "1" {
				q.t.Errorf("sentinel %d (%s) shows %v", i, s.Program().Name, o)
			}
		}
		cache, err := s.Do("SENTINEL", "INFO-CACHE", orders)
		q.must(err)
		if len(cache.Elems) != 2 || len(cache.Elems[1].Elems) != 3 || !strings.Contains(cache.Elems[1].Elems[0].Elems[1].Text, "role:master") {
			q.t.Errorf("sentinel %d (%s) has the cache %v", i, s.Program().Name, cache)
		}
		q.must(q.servers[1].Process().Freeze())
		mark := s.Mark()
		q.heard(i, mark, soon, "+sdown", "slave "+q.servers[1].Addr().String())
		q.lasts(300 * time.Millisecond)
		replicas, err = s.Maps("SENTINEL", "REPLICAS", orders)
		q.must(err)
		for _, r := range replicas {
			if r["name"] != q.servers[1].Addr().String() {
				continue
			}
			if r["flags"] != "s_down,slave" {
				q.t.Errorf("sentinel %d (%s) shows a frozen replica as %s", i, s.Program().Name, r["flags"])
			}
			numbers(r, 5000, "s-down-time", "last-ping-sent")
		}
		q.must(q.servers[1].Process().Thaw())
		q.heard(i, mark, soon, "-sdown", "slave "+q.servers[1].Addr().String())
		q.awaitWhole()
	}
}

// periodsChanged: a period that is changed holds at once, also for what was waiting for the end of the old one.
func periodsChanged(q *quorum) {
	oldest := func(i int, of, field string) (most int64) {
		q.t.Helper()
		all, err := q.members[i].Maps("SENTINEL", of, orders)
		q.must(err)
		for _, m := range all {
			n, err := strconv.ParseInt(m[field], 10, 64)
			q.must(err)
			most = max(most, n)
		}
		return most
	}
	for _, i := range q.oneEach() {
		name := q.members[i].Program().Name
		q.ask(i, "SENTINEL", "DEBUG", "PING-PERIOD", "100", "INFO-PERIOD", "200")
		q.all("SENTINEL", "DEBUG", "PUBLISH-PERIOD", "100")
		q.lasts(400 * time.Millisecond) // the last of the old period may just have gone
		for of, fields := range map[string][]string{"REPLICAS": {"last-ok-ping-reply", "info-refresh"}, "SENTINELS": {"last-ok-ping-reply", "last-hello-message"}} {
			for _, field := range fields {
				most, begun := int64(0), clock.Now()
				q.stays(700*time.Millisecond, "", func() bool { most = max(most, oldest(i, of, field)); return true })
				if most > (600*time.Millisecond + excused(q.watch, begun)).Milliseconds() {
					q.t.Errorf("sentinel %d (%s) shows %s of up to %d ms of %s", i, name, field, most, of)
				}
			}
		}
		q.ask(i, "SENTINEL", "DEBUG", "PING-PERIOD", "1000", "INFO-PERIOD", "10000")
		q.await(soon, "longer periods", func() bool {
			return oldest(i, "REPLICAS", "info-refresh") > 1500 && oldest(i, "REPLICAS", "last-ok-ping-reply") < 1500
		})
	}
}

// issue makes the authority of a stage, once, and a host's certificate.
func issue(q *quorum, i int) (ca, cert, key string) {
	q.t.Helper()
	ca = filepath.Join(q.Dir(), "ca.pem")
	if q.root == nil {
		root, err := authority.New("sentinels")
		q.must(err)
		q.root = root
		q.must(authority.Bundle(ca, root))
	}
	h := q.Hosts()[i]
	cert, key, err := q.root.Issue(h.Dir(), "both", authority.Certificate{Names: []string{h.Addr().String(), "127.0.0.1"}})
	q.must(err)
	return ca, cert, key
}

func tlsServer(q *quorum, i int, c *stage.RedisConfig) {
	ca, cert, key := issue(q, i)
	c.TLS = &stage.RedisTLS{Port: stage.DefaultPort, Only: true, Replication: true, CA: ca, Cert: cert, Key: key}
}

func tlsVoter(q *quorum, i int, c *sentinels.Config) {
	ca, cert, key := issue(q, i)
	c.Port = stage.FacePort
	c.After = append(c.After, "port 0", fmt.Sprintf("tls-port %d", stage.FacePort), "tls-replication yes",
		"tls-ca-cert-file "+ca, "tls-cert-file "+cert, "tls-key-file "+key)
	c.TLS = func() (*tls.Config, error) { return stage.ClientTLS(ca, cert, key) }
}

// overTLS: everything is said over TLS, with certificates on both sides.
func overTLS(q *quorum) {
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
