package lab

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/authority"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/wire"
	"redkeep/internal/stage/writer"
	"redkeep/internal/words"
)

// office issues the certificates of a site. Each host has its own, and so has the application.
type office struct {
	*Site
	ca string
}

// newOffice makes a site whose servers have TLS, and starts nothing.
func newOffice(t testing.TB, p Plan, root *authority.Authority) *office {
	p.Quiet = true // the site's own probers speak no TLS
	o := &office{Site: bareSite(t, p)}
	o.ca = filepath.Join(o.Dir(), "ca.pem")
	o.trust(root)
	o.sign(root)
	return o
}

func newAuthority(t testing.TB, name string) *authority.Authority {
	t.Helper()
	a, err := authority.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (o *office) trust(all ...*authority.Authority) {
	o.t.Helper()
	o.must(authority.Bundle(o.ca, all...))
}

// sign gives everybody a new certificate. The file of the agents is the same on every node, and so is what it names.
func (o *office) sign(by *authority.Authority) {
	o.t.Helper()
	for _, h := range o.plan.Hosts {
		_, _, err := by.Issue(o.Host(h).Dir(), "server", authority.Certificate{Names: []string{o.Host(h).Addr().String()}})
		o.must(err)
	}
	for _, name := range []string{"agent", "application"} {
		_, _, err := by.Issue(o.Dir(), name, authority.Certificate{})
		o.must(err)
	}
}

// server is the TLS of a host's server.
func (o *office) server(h string, port uint16, only bool) *stage.RedisTLS {
	file := func(name string) string { return filepath.Join(o.Host(h).Dir(), name) }
	return &stage.RedisTLS{Port: port, Only: only, Replication: only, CA: o.ca, Cert: file("server.pem"), Key: file("server.key")}
}

// start starts the servers, h1 as the master of the others, and the agents with a file that has the given redis.
func (o *office) start(redis string, tls func(h string) *stage.RedisTLS) {
	o.t.Helper()
	text, err := os.ReadFile(o.file)
	o.must(err)
	o.configure(strings.Replace(string(text), "redis: 6379", "redis: "+redis, 1))
	for i, h := range o.plan.Data {
		c := stage.RedisConfig{TLS: tls(h)}
		if i > 0 {
			c.ReplicaOf = o.redisAt(o.plan.Data[0])
		}
		r, err := o.Host(h).StartRedis(context.Background(), c)
		o.must(err)
		o.redis[h] = r
	}
	o.startAgents()
	o.awaitMaster(20 * time.Second)
}

// client is how the application speaks TLS, by its files as they are now.
func (o *office) client() (*tls.Config, error) {
	return stage.ClientTLS(o.ca, filepath.Join(o.Dir(), "application.pem"), filepath.Join(o.Dir(), "application.key"))
}

// write starts the application, and a prober at each server.
func (o *office) write() *writer.Writer {
	o.t.Helper()
	finder := o.FindBySentinel(string(group))
	o.finders = append(o.finders, finder)
	options := []writer.Options{{Finder: finder, Interval: time.Millisecond}}
	for _, h := range o.plan.Data {
		options = append(options, writer.Options{
			Finder: writer.Fixed(o.redisAt(h)), Name: "probe-" + h, Keys: 1, Stay: true, Interval: probeEvery,
		})
	}
	for _, option := range options {
		option.TLS = o.client
		w, err := o.Write(context.Background(), option)
		o.must(err)
		o.clients = append(o.clients, w)
	}
	return o.clients[len(o.clients)-len(options)]
}

// awaitHard waits until the fence is hard on every node.
func (s *Site) awaitHard() {
	s.t.Helper()
	for _, h := range s.plan.Data {
		why := ""
		s.await(15*time.Second, "hard fence on "+h, func() bool {
			g, err := s.status(h)
			if now := fmt.Sprint(g.Fence, " ", g.FenceWhy); now != why {
				why = now
				s.mark("%s: %s", h, why)
			}
			return err == nil && g.Fence == words.FenceHard
		})
	}
}

// TestTLSAlone runs a group whose servers speak nothing but TLS, ask everybody for a certificate, and replicate over it. All
// certificates are replaced under way, by those of another authority.
func TestTLSAlone(t *testing.T) {
	before, after := newAuthority(t, "before"), newAuthority(t, "after")
	o := newOffice(t, Plan{}, before)
	o.start("{tls: {port: 6379, ca: ca.pem, cert: agent.pem, key: agent.key}}", func(h string) *stage.RedisTLS {
		return o.server(h, stage.DefaultPort, true)
	})
	w := o.write()
	o.awaitReady(15 * time.Second)
	time.Sleep(o.plan.Lease + time.Second)
	o.awaitHard()
	gaps := numbers{name: "master's Redis SIGKILLed, TLS alone, write gap"}
	failover := func() {
		t.Helper()
		m := o.awaitReady(15 * time.Second)
		time.Sleep(freshCopy)
		at, err := o.redis[m].Kill()
		o.must(err)
		o.mark("killed %s", m)
		o.awaitWrites(w, 5*time.Second)
		o.bound("the gap", o.measure(w, at, &gaps).Length(), 25*time.Millisecond)
		o.startServer(m)
		o.await(10*time.Second, m+" as a replica", func() bool { return o.linkUp(m) })
	}
	for range runs(1, 20) {
		failover()
	}
	reload := func() {
		t.Helper()
		for _, h := range o.plan.Data {
			o.must(o.redis[h].ReloadTLS(t.Context()))
		}
	}
	o.trust(before, after)
	reload()
	o.sign(after)
	reload()
	o.trust(after)
	reload()
	o.mark("replaced all certificates")
	for range runs(1, 20) {
		failover()
	}
	o.awaitHard()
	t.Log(&gaps)
	o.lossless(w)
}

// TestTLSBeside runs a group with a port for TLS beside the plain one, by which it replicates: a switchover and a failover go as
// without, and the gate is in front of both.
func TestTLSBeside(t *testing.T) {
	const port = 6390
	o := newOffice(t, Plan{}, newAuthority(t, "the"))
	o.start(fmt.Sprintf("{port: 6379, tls: {port: %d, ca: ca.pem, cert: agent.pem, key: agent.key}}", port), func(h string) *stage.RedisTLS {
		return o.server(h, port, false)
	})
	w := o.Site.write()
	m := o.awaitReady(15 * time.Second)
	time.Sleep(o.plan.Lease + time.Second)
	o.awaitHard()
	if !o.answers(m, port) {
		t.Errorf("the master's port for TLS does not answer")
	}
	_, err := o.agents[m].Kill()
	o.must(err)
	o.mark("killed the agent of %s", m)
	at := clock.Now()
	o.await(10*time.Second, "acknowledgement of another node", func() bool { return o.lastAcker(w) != m })
	t.Logf("another node took over %v after the agent's end", clock.Now().Sub(at))
	for _, p := range []uint16{stage.DefaultPort, port} {
		if o.answers(m, p) {
			t.Errorf("port %d of %s, which has no agent and no lease, is open", p, m)
		}
	}
	o.startAgent(m)
	o.await(10*time.Second, "replica of the old master's server", func() bool { return o.follows(m) })
	o.await(5*time.Second, "open port for TLS", func() bool { return o.answers(m, port) })
	o.lossless(w)
}

// TestTLSTurnedOn moves the replication of a running group from the plain port to the one for TLS: the servers are told, then
// each agent's file. Writes go on, and a failover works afterwards.
func TestTLSTurnedOn(t *testing.T) {
	const port = 6390
	o := newOffice(t, Plan{}, newAuthority(t, "the"))
	o.start("6379", func(h string) *stage.RedisTLS { return o.server(h, port, false) })
	w := o.Site.write()
	m := o.awaitReady(15 * time.Second)
	time.Sleep(o.plan.Lease + time.Second)
	begun := clock.Now()
	for _, h := range o.plan.Data {
		_, err := o.redis[h].Do(t.Context(), "CONFIG", "SET", "tls-replication", "yes")
		o.must(err)
	}
	text, err := os.ReadFile(o.file)
	o.must(err)
	with := fmt.Sprintf("redis: {port: 6379, tls: {port: %d, replication: yes}}", port)
	o.configure(strings.Replace(string(text), "redis: 6379", with, 1))
	ends := numbers{name: "an agent's end"}
	for _, h := range append(o.others(m), m) {
		o.restartAgents(&ends, h)
		o.mark("restarted the agent of %s", h)
		o.await(10*time.Second, "replicas that follow over TLS", func() bool {
			g, err := o.status(h)
			self := o.self(g)
			return err == nil && (h == m && g.Writable || self.Server.LinkUp && self.Server.MasterPort == port)
		})
	}
	if now := o.awaitReady(10 * time.Second); now != m {
		t.Errorf("%s was master, now it is %s", m, now)
	}
	gaps := numbers{name: "TLS turned on, longest write gap"}
	o.bound("a write", o.measure(w, begun, &gaps).Length(), 50*time.Millisecond)
	t.Log(&gaps)
	o.awaitHard()
	time.Sleep(freshCopy)
	_, err = o.redis[m].Kill()
	o.must(err)
	o.mark("killed %s", m)
	o.awaitWrites(w, 5*time.Second)
	finder := o.FindBySentinel(string(group))
	defer finder.Close()
	if found, err := finder.Find(t.Context()); err != nil || found.Port() != port {
		t.Errorf("clients of Sentinel are sent to %v, %v", found, err)
	}
	last := o.others(m)
	o.await(10*time.Second, "replica of the new master over TLS", func() bool {
		for _, h := range last {
			if g, err := o.status(h); err == nil && o.self(g).Server.LinkUp && o.self(g).Server.MasterPort == port {
				return true
			}
		}
		return false
	})
	o.lossless(w)
}

// answers reports whether a client is served at the host's plain port, or at one for TLS.
func (o *office) answers(h string, port uint16) bool {
	dial := wire.Dialer(o.Client().Dial)
	if port != stage.DefaultPort {
		dial = wire.OverTLS(dial, o.client)
	}
	conn, err := wire.Dial(context.Background(), dial, o.Host(h).Port(port), time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_, err = conn.Do(time.Second, "PING")
	return err == nil
}
