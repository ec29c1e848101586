package lab

import (
	"context"
	"testing"
	"time"

	"redkeep/internal/client"
	"redkeep/internal/words"
)

// TestAdoption installs the agents on a running group under load: nobody is refused, on the master or on a replica.
func TestAdoption(t *testing.T) {
	s := bareSite(t, Plan{})
	s.startServers()
	for _, h := range s.plan.Data {
		if _, err := s.redis[h].Do(t.Context(), "PING"); err != nil {
			t.Fatal(err)
		}
	}
	s.await(10*time.Second, "replication", func() bool { return s.linkUp("h2") && s.linkUp("h3") })
	writers := s.crowd("h1", 4, "INCR", "visits")
	readers := []*crowd{s.crowd("h2", 2, "GET", "visits"), s.crowd("h3", 2, "GET", "visits")}
	for _, h := range s.plan.Hosts {
		s.startAgent(h)
		time.Sleep(200 * time.Millisecond)
	}
	if m := s.awaitReady(20 * time.Second); m != "h1" {
		t.Errorf("%s was made the master, not the one that was", m)
	}
	time.Sleep(time.Second)
	for i, c := range append(readers, writers) {
		served, failed := c.stop()
		t.Logf("crowd %d: %d served, %d not", i, served, len(failed))
		for _, f := range failed[:min(len(failed), 3)] {
			t.Errorf("crowd %d: %s", i, f)
		}
	}
}

// linkUp reports whether a replica says that its link to its master is up.
func (s *Site) linkUp(h string) bool {
	v, err := s.redis[h].Do(s.t.Context(), "ROLE")
	return err == nil && len(v.Elems) == 5 && v.Elems[3].Text == "connected"
}

// TestSeveralEmpty starts a group of servers that were never used: one becomes the master.
func TestSeveralEmpty(t *testing.T) {
	s := newSite(t, Plan{Fresh: true})
	t.Logf("%s is the master", s.awaitReady(10*time.Second))
}

// TestSeveralMasters starts agents beside masters with different data: nothing is touched until a person chooses.
func TestSeveralMasters(t *testing.T) {
	s := bareSite(t, Plan{Fresh: true})
	s.startServers()
	for i, h := range []string{"h1", "h2"} {
		for range i + 2 {
			s.command(h, "LPUSH", "of-"+h, h)
			s.command(h, "INCR", "count-"+h)
		}
	}
	s.command("h2", "SET", "only-here", "h2")
	crowd := s.crowd("h1", 2, "PING")
	s.startAgents()
	var why words.Reason
	s.await(10*time.Second, "word of masters that differ", func() (ok bool) {
		why, ok = s.waitsFor("h3", words.ServersDiffer)
		return ok
	})
	t.Logf("status says: %s", why)
	time.Sleep(time.Second)
	for _, h := range s.plan.Data {
		if role := s.command(h, "ROLE"); role != "master" {
			t.Errorf("%s was made a %s", h, role)
		}
	}
	if served, failed := crowd.stop(); len(failed) > 0 {
		t.Errorf("%d served, %d not: %s", served, len(failed), failed[0])
	}
	s.request("h3", func(ctx context.Context, c *client.Client) error {
		return c.Bootstrap(ctx, group, "h2", false, func(string) {})
	})
	if m := s.awaitReady(10 * time.Second); m != "h2" {
		t.Errorf("%s was made the master; h2 was chosen", m)
	}
	if got := s.command("h1", "GET", "only-here"); got != "h2" {
		t.Errorf("h1 has %q of the chosen master's data", got)
	}
}

// TestReplicaOfLostMaster starts agents beside new, empty servers and the last replica of a master that is gone for good: it
// is not emptied, and a person can choose it.
func TestReplicaOfLostMaster(t *testing.T) {
	s := bareSite(t, Plan{Fresh: true})
	s.startServers()
	s.command("h3", "SET", "only-here", "h3")
	s.command("h3", "REPLICAOF", "203.0.113.1", "6379")
	s.startAgents()
	s.await(10*time.Second, "word of servers that differ", func() bool {
		_, ok := s.waitsFor("h1", words.ServersDiffer)
		return ok
	})
	time.Sleep(time.Second)
	if got := s.command("h3", "GET", "only-here"); got != "h3" {
		t.Fatalf("h3 has %q of the lost master's data", got)
	}
	s.request("h1", func(ctx context.Context, c *client.Client) error {
		return c.Bootstrap(ctx, group, "h3", false, func(string) {})
	})
	if m := s.awaitReady(10 * time.Second); m != "h3" {
		t.Errorf("%s was made the master; h3 was chosen", m)
	}
	if got := s.command("h1", "GET", "only-here"); got != "h3" {
		t.Errorf("h1 has %q of the chosen master's data", got)
	}
}

// command says one thing to a host's server from its own host, and returns the answer's text, or that of its first part.
func (s *Site) command(h string, args ...string) string {
	s.t.Helper()
	v, err := s.redis[h].Do(s.t.Context(), args...)
	if err != nil {
		s.t.Fatal(err)
	}
	if len(v.Elems) > 0 {
		return v.Elems[0].Text
	}
	return v.Text
}

// request asks a node's agent for a change, and fails the test where it is refused.
func (s *Site) request(h string, f func(context.Context, *client.Client) error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	if err := s.ask(ctx, h, func(c *client.Client) error { return f(ctx, c) }); err != nil {
		s.t.Fatal(err)
	}
}
