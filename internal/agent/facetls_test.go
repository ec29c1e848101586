package agent

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/speak/config"
	"redkeep/internal/stage/authority"
	"redkeep/internal/words"
)

// log keeps what was logged, for any goroutine.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// faceOf serves the face of an agent on the loopback, with no more of the agent than that, and returns what it logs.
func faceOf(t *testing.T, c *config.Config) *log {
	t.Helper()
	said := &log{}
	self := config.Node{Name: "h1", Addr: netip.MustParseAddr("127.0.0.1")}
	c.Nodes = []config.Node{self}
	a := &Agent{log: slog.New(slog.NewTextHandler(said, nil)), opt: Options{Self: self, Config: c}}
	a.picture.Store(&picture.Node{Node: "h1", ListenPort: c.TellPort()})
	ctx, cancel := context.WithCancel(t.Context())
	if err := a.openFace(ctx); err != nil {
		cancel()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- a.face.serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return said
}

// freePort returns one that nobody listens at.
func freePort(t *testing.T) uint16 {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return netip.MustParseAddrPort(ln.Addr().String()).Port()
}

// dial connects to the face, with TLS if that is not nil.
func dial(port uint16, secure *tls.Config) (net.Conn, error) {
	at := fmt.Sprintf("127.0.0.1:%d", port)
	if secure == nil {
		return net.DialTimeout("tcp", at, 5*time.Second)
	}
	return tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", at, secure)
}

// ask sends requests and wants these replies.
func ask(t *testing.T, c net.Conn, requests, want string) {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, requests); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Errorf("%q: %q, %v; want %q", requests, got[:n], err, want)
	}
}

// TestClientsOfTheFaceLogIn as with a redis-sentinel that has requirepass; nobody is told the password.
func TestClientsOfTheFaceLogIn(t *testing.T) {
	c := &config.Config{ListenPort: freePort(t), ListenPassword: words.NewSecret("hunter2-hunter2")}
	said := faceOf(t, c)
	conn, err := dial(c.ListenPort, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	const wrong = "-WRONGPASS invalid username-password pair or user is disabled.\r\n"
	ask(t, conn, "SENTINEL MASTERS\r\n", "-NOAUTH Authentication required.\r\n")
	ask(t, conn, "AUTH nonsense\r\n", wrong)
	ask(t, conn, "AUTH other hunter2-hunter2\r\n", wrong)
	ask(t, conn, "PING\r\n", "-NOAUTH Authentication required.\r\n")
	ask(t, conn, "AUTH hunter2-hunter2\r\n", "+OK\r\n")
	ask(t, conn, "PING\r\nACL WHOAMI\r\nSENTINEL MASTERS\r\n", "+PONG\r\n$7\r\ndefault\r\n*0\r\n")
	ask(t, conn, "ACL SETUSER default nopass\r\n", "-ERR users can't be changed here: this port has one user, default; its password is listen_password in redkeep.yaml, the same on every node\r\n")
	another, err := dial(c.ListenPort, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = another.Close() }()
	ask(t, another, "HELLO 2 AUTH default nonsense\r\n", wrong)
	ask(t, another, "HELLO 3 AUTH default hunter2-hunter2\r\n", "%6\r\n")
	if strings.Contains(said.String(), "hunter2") {
		t.Error(said)
	}
}

// signedBy is how a client connects that believes in an authority, with a certificate if that is named.
func signedBy(t *testing.T, a *authority.Authority, dir, name string) *tls.Config {
	t.Helper()
	bundle := filepath.Join(dir, "roots-of-client.pem")
	if err := authority.Bundle(bundle, a); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	secure := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	secure.RootCAs.AppendCertsFromPEM(text)
	if name == "" {
		return secure
	}
	cert, key, err := a.Issue(dir, name, authority.Certificate{})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	secure.Certificates = []tls.Certificate{pair}
	return secure
}

// pings reports whether a client gets an answer over a new connection, and what it was shown.
func pings(port uint16, secure *tls.Config) (shown *x509.Certificate, err error) {
	conn, err := dial(port, secure)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, "PING\r\n"); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(conn, make([]byte, len("+PONG\r\n"))); err != nil {
		return nil, err // with TLS 1.3 a client hears of a refusal when it reads
	}
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0], nil
}

// stageTLS is a face with TLS in the place of the plain port; ca says whether its clients need certificates.
func stageTLS(t *testing.T, ca bool) (dir string, a *authority.Authority, c *config.Config, said *log) {
	t.Helper()
	dir = t.TempDir()
	a, err := authority.New("clients and agents")
	if err != nil {
		t.Fatal(err)
	}
	c = &config.Config{ListenTLS: config.ListenTLS{Port: freePort(t)}}
	c.ListenTLS.Cert, c.ListenTLS.Key, err = a.Issue(dir, "face", authority.Certificate{Names: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	if ca {
		c.ListenTLS.CA = filepath.Join(dir, "ca.pem")
		if err := authority.Bundle(c.ListenTLS.CA, a); err != nil {
			t.Fatal(err)
		}
	}
	return dir, a, c, faceOf(t, c)
}

// TestClientsOfTheFaceWithTLS: a certificate is what they are shown, and what they need where the file says so.
func TestClientsOfTheFaceWithTLS(t *testing.T) {
	stranger, err := authority.New("somebody else")
	if err != nil {
		t.Fatal(err)
	}
	for _, mutual := range []bool{false, true} {
		t.Run(fmt.Sprint("mutual ", mutual), func(t *testing.T) {
			dir, a, c, _ := stageTLS(t, mutual)
			foreign := signedBy(t, stranger, dir, "foreign")
			foreign.RootCAs = signedBy(t, a, dir, "").RootCAs
			for name, client := range map[string]struct {
				secure *tls.Config
				served bool
			}{
				"with a certificate":                  {signedBy(t, a, dir, "client"), true},
				"without one":                         {signedBy(t, a, dir, ""), !mutual},
				"with another authority's":            {foreign, !mutual},
				"who believes in another authority":   {signedBy(t, stranger, dir, ""), false},
				"with a version that is too old":      {&tls.Config{MaxVersion: tls.VersionTLS11, InsecureSkipVerify: true}, false},
				"who looks for a name that isn't its": {&tls.Config{RootCAs: foreign.RootCAs, ServerName: "other"}, false},
			} {
				if _, err := pings(c.ListenTLS.Port, client.secure); (err == nil) != client.served {
					t.Errorf("%s: %v", name, err)
				}
			}
			plain, err := dial(c.ListenTLS.Port, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = plain.Close() }()
			_ = plain.SetDeadline(time.Now().Add(10 * time.Second))
			_, _ = io.WriteString(plain, "PING\r\n")
			if text, _ := io.ReadAll(plain); bytes.Contains(text, []byte("PONG")) {
				t.Errorf("who speaks no TLS: %q", text)
			}
		})
	}
}

// TestCertificatesOfTheFaceAreReplaced without a restart; what is of no use is told of once, and changes nothing.
func TestCertificatesOfTheFaceAreReplaced(t *testing.T) {
	dir, a, c, said := stageTLS(t, true)
	client := signedBy(t, a, dir, "client")
	shown := func() *x509.Certificate {
		t.Helper()
		cert, err := pings(c.ListenTLS.Port, client)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	first := shown()
	if _, _, err := a.Issue(dir, "face", authority.Certificate{Names: []string{"127.0.0.1"}}); err != nil {
		t.Fatal(err)
	}
	second := shown()
	if second.Equal(first) {
		t.Error("the new certificate is not shown")
	}
	if err := os.Remove(c.ListenTLS.Key); err != nil {
		t.Fatal(err)
	}
	if !shown().Equal(second) || !shown().Equal(second) {
		t.Error("the last good certificate is not shown")
	}
	if n := strings.Count(said.String(), "files of listen_tls are of no use"); n != 1 {
		t.Errorf("told %d times: %s", n, said)
	}
	next, err := authority.New("the next one")
	if err != nil {
		t.Fatal(err)
	}
	if err := authority.Bundle(c.ListenTLS.CA, next); err != nil {
		t.Fatal(err)
	}
	if _, err := pings(c.ListenTLS.Port, client); err == nil {
		t.Error("a client of the authority before is served")
	}
}

// TestAFaceWithoutItsFilesIsNone: an agent says so when it starts.
func TestAFaceWithoutItsFilesIsNone(t *testing.T) {
	_, err := serveTLS(config.ListenTLS{Port: 1, Cert: "/nowhere/face.pem", Key: "/nowhere/face.key"}, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "/nowhere/face.pem") {
		t.Error(err)
	}
}
