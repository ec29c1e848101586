package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"redkeep/internal/show/api"
	"redkeep/internal/stage"
	"redkeep/internal/stage/authority"
	"redkeep/internal/stage/need"
	"redkeep/internal/words"
)

// asked is what a client of Sentinel prints that asks from the client's host.
func (s *agentSite) asked(args ...string) string {
	s.t.Helper()
	path, err := exec.LookPath("redis-cli")
	if err != nil {
		need.Program(s.t, err)
	}
	var o output
	p, err := s.Host("client").Start(stage.Command{Name: "redis-cli", Path: path, Args: append([]string{"--no-auth-warning"}, args...), Output: &o})
	if err != nil {
		s.t.Fatal(err)
	}
	select {
	case <-p.Done():
	case <-time.After(30 * time.Second):
		s.t.Fatalf("%v does not end", args)
	}
	_, _ = p.End() // what it printed says how it went
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.TrimSpace(o.text.String())
}

// papers makes what agents and clients show each other, and returns the keys of the file and the options of a client.
func (s *agentSite) papers(password string) (keys string, options []string) {
	s.t.Helper()
	dir := s.Dir()
	signer, err := authority.New("sentinels and their clients")
	if err != nil {
		s.t.Fatal(err)
	}
	ca := filepath.Join(dir, "ca.pem")
	if err := authority.Bundle(ca, signer); err != nil {
		s.t.Fatal(err)
	}
	cert, key, err := signer.Issue(dir, "face", authority.Certificate{Names: []string{"10.77.0.11", "10.77.0.12", "10.77.0.13"}})
	if err != nil {
		s.t.Fatal(err)
	}
	own, ownKey, err := signer.Issue(dir, "client", authority.Certificate{})
	if err != nil {
		s.t.Fatal(err)
	}
	file := filepath.Join(dir, "sentinel.password")
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return "listen_password_file: " + file + "\nlisten_tls: {port: 26381, cert: " + cert + ", key: " + key + ", ca: " + ca + "}\n",
		[]string{"-p", "26381", "--tls", "--cacert", ca, "--cert", own, "--key", ownKey}
}

// TestClientsLogInAndUseTLS gives a running site a password for Sentinel's clients and TLS, one agent after the other.
func TestClientsLogInAndUseTLS(t *testing.T) {
	const password = "hunter2-hunter2"
	s := newAgentSite(t)
	whole := func(g api.GroupStatus) bool { return g.Writable && g.CanFailOver && g.Master == "h1" }
	s.status("h1", "a whole group", whole)
	text, err := os.ReadFile(s.file)
	if err != nil {
		t.Fatal(err)
	}
	keys, secure := s.papers(password)
	for _, h := range []string{"h3", "h2", "h1"} {
		s.restartWith(h, keys+string(text))
		if h == "h3" {
			s.status("h1", "what differs", func(g api.GroupStatus) bool {
				return len(g.Members) == 3 && len(g.Members[2].Differences) > 0
			})
			s.want(exitDone, "h1", "status", "- listen_tls: none here, 26381, for clients with a certificate there", "- listen_password: none here, given there")
		}
	}
	g := s.status("h2", "a whole group again, of files that are the same", func(g api.GroupStatus) bool {
		same := g.Writable && g.CanFailOver
		for _, m := range g.Members {
			same = same && !m.OtherSettings
		}
		return same
	})
	plain := []string{"-h", "10.77.0.12", "-p", "26379"}
	secure = append([]string{"-h", "10.77.0.12"}, secure...)
	addr := map[words.Node]string{"h1": "10.77.0.11\n6379", "h2": "10.77.0.12\n6379", "h3": "10.77.0.13\n6379"}
	where := []string{"SENTINEL", "get-master-addr-by-name", "orders"}
	for _, c := range []struct {
		options []string
		want    string
	}{
		{plain, "NOAUTH Authentication required."},
		{append(plain[:4:4], "-a", password), addr[g.Master]},
		{append(plain[:4:4], "-3", "--user", "default", "--pass", password), addr[g.Master]},
		{append(secure[:len(secure):len(secure)], "-a", password), addr[g.Master]},
		{append(secure[:7:7], "-a", password), "rror"}, // without a certificate of its own
	} {
		if said := s.asked(append(c.options[:len(c.options):len(c.options)], where...)...); !strings.Contains(said, c.want) {
			t.Errorf("%q: %q, want %q", c.options, said, c.want)
		}
	}
	login := append(secure[:len(secure):len(secure)], "-a", password)
	if said := s.asked(append(login, "SENTINEL", "FAILOVER", "orders")...); said != "OK" {
		t.Errorf("SENTINEL FAILOVER: %q", said)
	}
	s.status("h3", "the next master", func(now api.GroupStatus) bool { return now.Writable && now.Master != g.Master })
	if said := s.asked("-h", "10.77.0.13", "-p", "26379", "-a", password, "ACL", "WHOAMI"); said != "default" {
		t.Errorf("ACL WHOAMI: %q", said)
	}
	for h, p := range s.agents {
		log, err := os.ReadFile(p.Log())
		if err != nil || !strings.Contains(string(log), "level=INFO") {
			t.Errorf("%s has logged %q, %v", h, log, err)
		}
		if strings.Contains(string(log), "hunter2") {
			t.Errorf("the password is in the log of %s", h)
		}
	}
	if _, all := s.typed("h1", "status", "-o", "json"); strings.Contains(all, "hunter2") {
		t.Error("the password is in the status")
	}
}
