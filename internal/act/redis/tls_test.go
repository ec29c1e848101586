package redis

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/stage/authority"
	"redkeep/internal/words"
)

// papers are an authority and what it has signed, in a directory.
type papers struct {
	t    *testing.T
	dir  string
	root *authority.Authority
	tls  TLS
}

func newPapers(t *testing.T) *papers {
	t.Helper()
	p := &papers{t: t, dir: t.TempDir(), root: newAuthority(t)}
	p.tls = TLS{CA: filepath.Join(p.dir, "ca.pem"), Names: []string{"h1", "10.77.0.11"}}
	p.trust(p.root)
	p.tls.Cert, p.tls.Key = p.issue(p.root, "agent", authority.Certificate{})
	p.issue(p.root, "server", authority.Certificate{Names: []string{"10.77.0.11"}})
	return p
}

func newAuthority(t *testing.T) *authority.Authority {
	t.Helper()
	a, err := authority.New("a test's")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (p *papers) trust(all ...*authority.Authority) {
	p.t.Helper()
	if err := authority.Bundle(p.tls.CA, all...); err != nil {
		p.t.Fatal(err)
	}
}

func (p *papers) issue(by *authority.Authority, name string, c authority.Certificate) (cert, key string) {
	p.t.Helper()
	cert, key, err := by.Issue(p.dir, name, c)
	if err != nil {
		p.t.Fatal(err)
	}
	return cert, key
}

// start starts a server that has TLS alone, and asks for a certificate.
func (p *papers) start(lines ...string) *server {
	p.t.Helper()
	s := &server{t: p.t, port: freePort(p.t), dir: p.t.TempDir()}
	own, err := tls.LoadX509KeyPair(p.tls.Cert, p.tls.Key)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := os.ReadFile(p.tls.CA)
	if err != nil {
		p.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	s.tls = &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}, ServerName: "10.77.0.11"}
	s.begin(append([]string{
		"port 0", fmt.Sprintf("tls-port %d", s.port), "tls-replication yes",
		"tls-ca-cert-file " + p.tls.CA,
		"tls-cert-file " + filepath.Join(p.dir, "server.pem"), "tls-key-file " + filepath.Join(p.dir, "server.key"),
	}, lines...)...)
	return s
}

func (p *papers) config(s *server) Config {
	return Config{Addr: s.addr(), TLS: &p.tls, TLSReplication: true, Mark: 0x52}
}

// TestEverythingOverTLS has servers without a plain port watched, ordered about, paused, fenced from birth and killed.
func TestEverythingOverTLS(t *testing.T) {
	p := newPapers(t)
	a, b := p.start(), p.start("requirepass \"\"")
	ha, da, sa := watchServer(t, p.config(a))
	hb, _, sb := watchServer(t, p.config(b))
	ctx := bounded(t)
	if _, err := hb.Seal(ctx, sb.RunID, 0); err == nil {
		t.Error("a master was sealed")
	}
	if _, err := hb.Demote(ctx, sb.RunID); err != nil {
		t.Fatal(err)
	}
	if _, err := hb.Follow(ctx, sb.RunID, "127.0.0.1", portOf(a)); err != nil {
		t.Fatal(err)
	}
	a.do("SET", "k", "v")
	inSync(t, ha, hb)
	paused, links, err := ha.Pause(ctx, sa.RunID, time.Second)
	if err != nil || len(links) != 1 {
		t.Fatalf("links %v, %v", links, err)
	}
	if listed := paused.Replicas; len(listed) != 1 || listed[0].Addr.Port() != portOf(b) {
		t.Errorf("the master lists %+v", listed)
	}
	if _, err := hb.AwaitOffset(ctx, paused.Offset); err != nil {
		t.Error(err)
	}
	if _, err := ha.KillClients(ctx, sa.RunID); err != nil {
		t.Error(err)
	}
	if _, err := ha.Unpause(ctx); err != nil {
		t.Error(err)
	}
	l, err := ha.Listeners(ctx)
	if err != nil || len(l.Ports) != 1 || l.TLSPort != portOf(a) {
		t.Errorf("%+v, %v", l, err)
	}
	await(t, "birth fenced", func() bool { s, err := hb.FenceBirth(ctx); return err == nil && s.BornFenced })
	da.mu.Lock()
	if len(da.remarks) > 0 {
		t.Errorf("remarks %q", da.remarks)
	}
	da.mu.Unlock()
	da.drain()
	began := time.Now()
	a.kill()
	wait(t, da, "loss", func(decide.Lost) bool { return true })
	t.Logf("loss known after %v", time.Since(began))
	if _, err := hb.Promote(ctx, sb.RunID); err != nil {
		t.Error(err)
	}
	b.kill()
	b.start()
	await(t, "server that was born fenced", func() bool { s, err := hb.Look(ctx); return err == nil && s.Fenced() })
}

// TestStoppedServerOverTLS finds a server that takes connections in the kernel and shakes no hand: silent and stopped, as
// without TLS, and without a heap of connections for when it is back.
func TestStoppedServerOverTLS(t *testing.T) {
	p := newPapers(t)
	s := p.start()
	s.signal(stop)
	t.Cleanup(func() { s.signal(resume) })
	d := &diary{news: make(chan decide.Event, 4096)}
	cfg := p.config(s)
	cfg.Report, cfg.Poll = d.report, 20*time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = New(cfg).Run(ctx) }()
	defer func() { cancel(); <-done }()
	wait(t, d, "long silence", func(e decide.Silent) bool { return e.For > 1200*time.Millisecond })
	if n := connections(t, s.port); n > 2 {
		t.Errorf("%d connections wait for the server", n)
	}
	s.signal(resume)
	wait(t, d, "server", func(decide.Seen) bool { return true })
}

// TestTLSRefusals shows what is said when the two don't agree. None is a death, or a silence.
func TestTLSRefusals(t *testing.T) {
	p := newPapers(t)
	s := p.start()
	p.issue(p.root, "server", authority.Certificate{Names: []string{"10.77.0.11"}, NotAfter: time.Now().Add(-time.Minute)})
	expired := p.start()
	p.issue(p.root, "server", authority.Certificate{})
	nameless := p.start()
	strangers := filepath.Join(t.TempDir(), "ca.pem")
	if err := authority.Bundle(strangers, newAuthority(t)); err != nil {
		t.Fatal(err)
	}
	with := func(change func(*TLS)) TLS {
		c := p.tls
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		s    *server
		tls  TLS
		want string
	}{
		"no certificate of the agent's": {s, with(func(c *TLS) { c.Cert, c.Key = "", "" }), "the server refuses TLS with the agent (certificate required)"},
		"a stranger's signature":        {s, with(func(c *TLS) { c.CA = strangers }), "signed by unknown authority"},
		"another name":                  {s, with(func(c *TLS) { c.Names = []string{"h2"} }), "is for 10.77.0.11 and not for h2"},
		"no name":                       {nameless, p.tls, "is for no name at all and not for h1 or 10.77.0.11"},
		"no authority's file":           {s, with(func(c *TLS) { c.CA = "/nowhere/ca.pem" }), "/nowhere/ca.pem: no such file"},
		"expired":                       {expired, p.tls, "has expired"},
		"expired, any name":             {expired, with(func(c *TLS) { c.Names = nil }), "has expired"},
	} {
		t.Run(name, func(t *testing.T) {
			d := &diary{news: make(chan decide.Event, 4096)}
			h := New(Config{Addr: c.s.addr(), TLS: &c.tls, Report: d.report})
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan struct{})
			go func() { defer close(done); _ = h.Run(ctx) }()
			defer func() { cancel(); <-done }()
			e := wait(t, d, "complaint", func(decide.Complained) bool { return true })
			if e.Kind != decide.ComplaintAuth || !contains(e.Text, c.want, "redkeep.yaml") {
				t.Errorf("complaint %+v", e)
			}
			if _, err := h.Look(bounded(t)); err == nil || !contains(err.Error(), c.want) {
				t.Errorf("an order: %v", err)
			}
		})
	}
	any := with(func(c *TLS) { c.Names = nil })
	if _, err := New(Config{Addr: nameless.addr(), TLS: &any}).Look(bounded(t)); err != nil {
		t.Errorf("any name: %v", err)
	}
}

// TestContradictionIsNotFollowed keeps the link that stands where the one asked for could not come up.
func TestContradictionIsNotFollowed(t *testing.T) {
	p := newPapers(t)
	s := p.start("tls-replication no")
	d := &diary{news: make(chan decide.Event, 64)}
	cfg := p.config(s)
	cfg.Remark = d.remark
	h := New(cfg)
	if _, err := h.Follow(bounded(t), "", "127.0.0.1", 7); err == nil || !contains(err.Error(), "the server's tls-replication is no") {
		t.Errorf("follow: %v", err)
	}
	if now, err := h.Look(bounded(t)); err != nil || now.Role != words.RoleMaster {
		t.Errorf("%+v, %v", now, err)
	}
	if _, err := h.Listeners(bounded(t)); err != nil || len(d.remarks) != 1 {
		t.Errorf("remarks %q, %v", d.remarks, err)
	}
	s.do("CONFIG", "SET", "tls-replication", "yes")
	if _, err := h.Follow(bounded(t), "", "127.0.0.1", 7); err != nil {
		t.Error(err)
	}
	cfg.TLSReplication = false
	if _, err := New(cfg).Follow(bounded(t), "", "127.0.0.1", 7); err == nil || !contains(err.Error(), "replication: yes") {
		t.Errorf("follow: %v", err)
	}
}

// TestCertificatesAreReadAgain replaces the files under way: good ones count for the next connection, others don't, and
// that is said once.
func TestCertificatesAreReadAgain(t *testing.T) {
	p := newPapers(t)
	var kept certificates
	var remarks []string
	h := New(Config{Remark: func(text string) { remarks = append(remarks, text) }})
	own := func() *x509.Certificate {
		t.Helper()
		c, err := kept.config(p.tls, h.remark)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := c.GetClientCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return cert.Leaf
	}
	said := func(want string) {
		t.Helper()
		if len(remarks) != 1 || !strings.Contains(remarks[0], want) || !strings.Contains(remarks[0], "last good") {
			t.Errorf("remarks %q, want %q", remarks, want)
		}
		remarks = nil
	}
	first := own()
	p.issue(p.root, "agent", authority.Certificate{})
	second := own()
	if second.Equal(first) {
		t.Error("the new certificate is not used")
	}
	for want, spoil := range map[string]func(){
		"it is valid from": func() { p.issue(p.root, "agent", authority.Certificate{NotAfter: time.Now().Add(-time.Minute)}) },
		"mode 0644":        func() { p.issue(p.root, "agent", authority.Certificate{}); _ = os.Chmod(p.tls.Key, 0o644) },
		"find any PEM":     func() { _ = os.Remove(p.tls.Key); _ = os.WriteFile(p.tls.Key, nil, 0o600) },
		"no such file":     func() { _ = os.Remove(p.tls.Cert) },
	} {
		spoil()
		if !own().Equal(second) || !own().Equal(second) {
			t.Errorf("%s: the last good one is not used", want)
		}
		said(want)
		p.issue(p.root, "agent", authority.Certificate{})
		second = own()
	}
	_ = os.WriteFile(p.tls.CA, []byte("nothing"), 0o600)
	own()
	said("no certificate is in it")
	next := newAuthority(t)
	p.trust(next)
	c, err := kept.config(p.tls, h.remark)
	if err != nil {
		t.Fatal(err)
	}
	state := tls.ConnectionState{PeerCertificates: []*x509.Certificate{second}}
	if unknown := (x509.UnknownAuthorityError{}); !errors.As(c.VerifyConnection(state), &unknown) {
		t.Errorf("the old authority is still believed: %v", c.VerifyConnection(state))
	}
	if _, err := new(certificates).config(TLS{CA: "/nowhere/ca.pem"}, h.remark); err == nil {
		t.Error("a missing file at first is no error")
	}
}
