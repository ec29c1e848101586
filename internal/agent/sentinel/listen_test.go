package sentinel

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/agent/reception"
	"redkeep/internal/speak/acl"
	"redkeep/internal/speak/resp"
	"redkeep/internal/speak/sentinelconf"
)

// TestProtectedMode serves this host alone as long as the default user needs no password.
func TestProtectedMode(t *testing.T) {
	here, away := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.7")
	for _, c := range []struct {
		line string
		from netip.Addr
		is   bool
	}{
		{"protected-mode yes", away, true},
		{"protected-mode yes", here, false},
		{"protected-mode yes", netip.IPv6Loopback(), false},
		{"protected-mode no", away, false},
		{"", away, false}, // as in redis-sentinel
		{"protected-mode yes\nrequirepass x", away, false},
		{"protected-mode yes\nuser default on >x ~* &* +@all", away, false},
	} {
		_, o := configured(t, c.line)
		p := &process{options: o, conf: o.Conf, users: acl.New(o.Flavor.Rules(), true)}
		if err := p.admit(); err != nil {
			t.Fatal(err)
		}
		if got := p.refuses(c.from); (got != "") != c.is {
			t.Errorf("%q, from %v: %q", c.line, c.from, got)
		}
	}
}

// TestClientsAtAFile are served, and no strangers in protected mode; the file ends with the Sentinel.
func TestClientsAtAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s")
	r := runs(t, "port 0", "unixsocket "+file, "unixsocketperm 700", "protected-mode yes", "sentinel monitor orders 127.0.0.1 1 1")
	if i, err := os.Stat(file); err != nil || i.Mode() != os.ModeSocket|0o700 {
		t.Errorf("%v, %v", i, err)
	}
	conn, err := net.Dial("unix", file)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := &client{t, conn, resp.NewReader(conn, resp.Limits{})}
	c.want("PONG", "PING")
	if v := c.ask("CLIENT", "INFO"); !strings.Contains(v.Text, " addr="+file+":0 ") {
		t.Errorf("it is %q", v.Text)
	}
	r.stop()
	if err := r.end(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is left: %v", err)
	}
}

// TestWhatClientsFind is what the file says.
func TestWhatClientsFind(t *testing.T) {
	_, o := configured(t, "tcp-backlog 7", "timeout 5", "client-output-buffer-limit pubsub 1mb 0 0")
	p := &process{options: o, conf: o.Conf}
	got := p.visitors(nil)
	if want := (reception.Bound{Hard: 1 << 20}); got.Backlog != 7 || got.Idle != 5*time.Second || got.Listeners != want {
		t.Errorf("%+v", got)
	}
	p.conf.Listeners = sentinelconf.BufferLimit{} // which is none
	if l := p.listeners(); l.Hard != 1<<30 {
		t.Errorf("%+v", l)
	}
}

// authority signs certificates in a directory.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.key, a.cert = a.make(name, nil)
	return a
}

// make writes NAME.crt and NAME.key, signed by the authority, or by itself where that has no key yet.
func (a *authority) make(name string, by *x509.Certificate) (*ecdsa.PrivateKey, *x509.Certificate) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: by == nil, BasicConstraintsValid: true,
	}
	signer := a.key
	if by == nil {
		by, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{name + ".crt": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(a.file(file), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return key, parsed
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// lines are the directives of a certificate of this authority.
func (a *authority) lines(name string) string {
	return fmt.Sprintf("tls-ca-cert-file %s\ntls-cert-file %s\ntls-key-file %s", a.file("ca.crt"), a.file(name+".crt"), a.file(name+".key"))
}

// TestClientsWithTLS need a certificate of the authority, or may have one, or need none.
func TestClientsWithTLS(t *testing.T) {
	ours, others := newAuthority(t, "ca"), newAuthority(t, "ca")
	ours.make("h1", ours.cert)
	ours.make("app", ours.cert)
	others.make("app", others.cert)
	pair := func(a *authority) []tls.Certificate {
		c, err := tls.LoadX509KeyPair(a.file("app.crt"), a.file("app.key"))
		if err != nil {
			t.Fatal(err)
		}
		return []tls.Certificate{c}
	}
	for _, c := range []struct {
		clients              string
		none, good, stranger bool
	}{{"yes", false, true, false}, {"optional", true, true, false}, {"no", true, true, true}} {
		port := freePort(t)
		runs(t, ours.lines("h1"), fmt.Sprintf("tls-port %d", port), "tls-auth-clients "+c.clients, "sentinel monitor orders 127.0.0.1 1 1")
		for who, try := range map[string]struct {
			with []tls.Certificate
			want bool
		}{"nobody": {nil, c.none}, "ours": {pair(ours), c.good}, "a stranger": {pair(others), c.stranger}} {
			got := pings(port, try.with)
			if got != try.want {
				t.Errorf("tls-auth-clients %s, %s: served %v, want %v", c.clients, who, got, try.want)
			}
		}
	}
}

// pings reports whether a client with a certificate is answered.
func pings(port int, with []tls.Certificate) bool {
	conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port), &tls.Config{
		InsecureSkipVerify: true,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if len(with) == 0 {
				return &tls.Certificate{}, nil
			}
			return &with[0], nil
		},
	})
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Write(resp.AppendCommand(nil, "PING")); err != nil {
		return false
	}
	v, err := resp.NewReader(conn, resp.Limits{}).Read()
	return err == nil && v.Text == "PONG"
}

// TestChosenCiphers has a key with a pass phrase, one cipher and no sessions to take up again, and says what it can't do.
func TestChosenCiphers(t *testing.T) {
	a := newAuthority(t, "ca")
	key, _ := a.make("h1", a.cert)
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	shut, err := x509.EncryptPEMBlock(rand.Reader, "EC PRIVATE KEY", der, []byte("hunter2"), x509.PEMCipherAES256) //nolint:staticcheck // as old files have it
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.file("h1.key"), pem.EncodeToMemory(shut), 0o600); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	r := runs(t, a.lines("h1"), fmt.Sprintf("tls-port %d", port), "tls-auth-clients no", "tls-key-file-pass hunter2", `tls-protocols "TLSv1 TLSv1.1 TLSv1.2"`,
		"tls-ciphers ECDHE+AES256:!SHA1", "tls-ciphersuites TLS_AES_256_GCM_SHA384", "tls-session-caching no", "tls-session-cache-size 5", "tls-prefer-server-ciphers yes",
		"tls-replication yes", "tls-ca-cert-dir "+t.TempDir())
	as := &tls.Config{InsecureSkipVerify: true, ServerName: "h1", ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	for range 2 {
		conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port), as)
		if err != nil {
			t.Fatal(err)
		}
		if s := conn.ConnectionState(); s.CipherSuite != tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 || s.DidResume {
			t.Errorf("%s, resumed %v", tls.CipherSuiteName(s.CipherSuite), s.DidResume)
		}
		conn.Close()
	}
	const want = "Of no effect here, where Go's own TLS is used: tls-prefer-server-ciphers, tls-session-cache-size, tls-protocols TLSv1 TLSv1.1, tls-ciphersuites\n" +
		"WARNING: there is no certificate in tls-ca-cert-dir "
	if said := r.said(); strings.Count(said, want) != 1 || strings.Contains(said, "hunter2") {
		t.Errorf("it says\n%s", said)
	}
}

// TestServersWithTLS are believed by whose authority signed them, and not by the name in their certificate.
func TestServersWithTLS(t *testing.T) {
	ours, others := newAuthority(t, "ca"), newAuthority(t, "ca")
	ours.make("h1", ours.cert)
	others.make("h1", others.cert)
	_, o := configured(t, "tls-replication yes", ours.lines("h1"))
	roots, _, err := readAuthorities(o.Conf.TLS)
	if err != nil {
		t.Fatal(err)
	}
	secure, err := dialTLS(o.Conf, roots)
	if err != nil || secure == nil {
		t.Fatal(err)
	}
	for _, a := range []*authority{ours, others} {
		c, err := tls.LoadX509KeyPair(a.file("h1.crt"), a.file("h1.key"))
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(c.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		err = secure.VerifyConnection(tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}, ServerName: "somebody else"})
		if (err == nil) != (a == ours) {
			t.Errorf("ours %v: %v", a == ours, err)
		}
	}
	_, o = configured(t, ours.lines("h1"))
	if secure, err := dialTLS(o.Conf, roots); secure != nil || err != nil {
		t.Errorf("without tls-replication: %v, %v", secure, err)
	}
}

// TestDirectoryOfAuthorities has what such directories have: links that lead nowhere, directories, other files.
func TestDirectoryOfAuthorities(t *testing.T) {
	ours, others := newAuthority(t, "ca"), newAuthority(t, "ca")
	dir := t.TempDir()
	if err := errors.Join(
		os.Symlink(ours.file("ca.crt"), filepath.Join(dir, "1a2b3c4d.0")), os.Symlink("gone", filepath.Join(dir, "gone.0")), os.Mkdir(filepath.Join(dir, "old"), 0o755),
		unix.Mkfifo(filepath.Join(dir, "pipe"), 0o600), os.WriteFile(filepath.Join(dir, "README"), []byte("none\n"), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	roots, lacks, err := readAuthorities(sentinelconf.TLS{CACertDir: dir})
	if err != nil || lacks != "" {
		t.Fatalf("%q, %v", lacks, err)
	}
	for _, a := range []*authority{ours, others} {
		if _, err := a.cert.Verify(x509.VerifyOptions{Roots: roots}); (err == nil) != (a == ours) {
			t.Errorf("ours %v: %v", a == ours, err)
		}
	}
}

// TestAuthoritiesThatLack are told of: their connections would be refused, and nobody knew why.
func TestAuthoritiesThatLack(t *testing.T) {
	a := newAuthority(t, "ca")
	empty, shut := t.TempDir(), t.TempDir()
	for i := range mostNames + 2 { // nobody can read from its beginning, root included
		if err := os.Symlink("/proc/self/mem", filepath.Join(shut, fmt.Sprintf("%02d.pem", i))); err != nil {
			t.Fatal(err)
		}
	}
	gone := filepath.Join(empty, "gone")
	for _, c := range []struct {
		file, dir, lacks string
		refused          bool
	}{
		{"", empty, "there is no certificate in tls-ca-cert-dir " + empty, false},
		{"", shut, "or remove them: 00.pem, 01.pem, 02.pem, 03.pem, 04.pem, 05.pem, 06.pem, 07.pem, 08.pem, 09.pem, and 2 more", false},
		{a.file("ca.crt"), shut, "files that can't be read", false},
		{a.file("ca.crt"), gone, "read tls-ca-cert-dir", false},
		{"", gone, "", true},
	} {
		roots, lacks, err := readAuthorities(sentinelconf.TLS{CACertFile: c.file, CACertDir: c.dir})
		if (err != nil) != c.refused || !strings.Contains(lacks, c.lacks) || c.refused && lacks != "" {
			t.Errorf("%+v: %q, %v", c, lacks, err)
		}
		if c.file != "" {
			if _, err := a.cert.Verify(x509.VerifyOptions{Roots: roots}); err != nil {
				t.Errorf("%+v: that of the file is missing: %v", c, err)
			}
		}
	}
}

func TestVersionsOfTLS(t *testing.T) {
	for _, c := range []struct {
		names       []string
		least, most uint16
	}{
		{[]string{"TLSv1.2"}, tls.VersionTLS12, tls.VersionTLS12},
		{[]string{"TLSv1.3", "TLSv1.2"}, tls.VersionTLS12, tls.VersionTLS13},
		{[]string{"TLSv1", "TLSv1.1", "tlsv1.3"}, tls.VersionTLS13, tls.VersionTLS13},
	} {
		if least, most := versions(c.names); least != c.least || most != c.most {
			t.Errorf("%q: %x to %x", c.names, least, most)
		}
	}
}
