package sentinel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"redkeep/internal/act/sentinelfile"
	face "redkeep/internal/show/sentinel"
	"redkeep/internal/speak/logline"
	"redkeep/internal/speak/resp"
	"redkeep/internal/speak/sentinelconf"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const myID = "2123456789012345678901234567890123456789"

// running is a Sentinel in this process, on the loopback.
type running struct {
	t    testing.TB
	path string
	port int
	stop context.CancelFunc
	over chan error

	mu  sync.Mutex // guards log
	log strings.Builder
}

// machine is what reading a file needs.
type machine struct{ sentinelfile.Host }

// User looks at the rules of a user.
func (machine) User(_ string, rules []string) (int, error) { return CheckUser(face.Redis70, rules) }

// freePort is one that nobody uses now.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// configured is a Sentinel that does not run yet, with these lines in its file. It does not change the working directory of the test.
func configured(t testing.TB, lines ...string) (*running, Options) {
	t.Helper()
	r := &running{t: t, path: filepath.Join(t.TempDir(), "sentinel.conf"), port: freePort(t), over: make(chan error, 1)}
	text := fmt.Sprintf("port %d\nbind 127.0.0.1\nsentinel myid %s\n%s\n", r.port, myID, strings.Join(lines, "\n"))
	if err := os.WriteFile(r.path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	conf, err := sentinelconf.Load(sentinelconf.Source{File: []byte(text), Dir: filepath.Dir(r.path)}, machine{})
	if err != nil {
		t.Fatal(err)
	}
	return r, Options{Path: r.path, Conf: conf, Version: "test", SetLogLevel: func(logline.Level) {}, Log: func(_ logline.Level, text string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.log.WriteString(text[:min(len(text), 500)] + "\n")
	}}
}

// begin runs it, and waits until clients can connect.
func (r *running) begin(o Options) *running {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	ready := make(chan struct{})
	o.Ready = func() { close(ready) }
	go func() { r.over <- Run(ctx, o) }()
	r.t.Cleanup(func() {
		cancel()
		if err := r.end(); err != nil {
			r.t.Errorf("it ended with %v", err)
		}
	})
	select {
	case <-ready:
	case err := <-r.over:
		r.over <- err
		r.t.Fatalf("it does not start: %v", err)
	case <-time.After(20 * time.Second):
		r.t.Fatal("it is not ready")
	}
	return r
}

// runs is a Sentinel with these lines.
func runs(t testing.TB, lines ...string) *running {
	t.Helper()
	r, o := configured(t, lines...)
	return r.begin(o)
}

// end waits for the end, which is told to whoever asks again.
func (r *running) end() error {
	r.t.Helper()
	select {
	case err := <-r.over:
		r.over <- nil
		return err
	case <-time.After(20 * time.Second):
		r.t.Fatal("it does not end")
		return nil
	}
}

func (r *running) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

// file is what is on disk.
func (r *running) file() string {
	r.t.Helper()
	text, err := os.ReadFile(r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

// await asks until something is so.
func await(t testing.TB, what string, is func() bool) {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	limit := time.After(20 * time.Second)
	for !is() {
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("still not so: %s", what)
		}
	}
}

// client is a connection to it.
type client struct {
	t    testing.TB
	conn net.Conn
	from *resp.Reader
}

func (r *running) dial() *client {
	r.t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", r.port))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	return &client{r.t, conn, resp.NewReader(conn, resp.Limits{Bytes: 16 << 20, Elements: 1 << 16})}
}

// ask asks one thing; an error is a value, too.
func (c *client) ask(args ...string) resp.Value {
	c.t.Helper()
	_ = c.conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := c.conn.Write(resp.AppendCommand(nil, args...)); err != nil {
		c.t.Fatal(err)
	}
	v, err := c.from.Read()
	if refused := (*resp.ReplyError)(nil); err != nil && !errors.As(err, &refused) {
		c.t.Fatal(err)
	}
	return v
}

// want asks, and holds the text of the answer.
func (c *client) want(text string, args ...string) {
	c.t.Helper()
	if v := c.ask(args...); v.Text != text {
		c.t.Errorf("%q: %q, want %q", args, v.Text, text)
	}
}

// server is a fake Redis: it knows PING, INFO and the rest by an OK, and counts.
type server struct {
	addr  *net.TCPAddr
	pings atomic.Int64
}

const infoText = "role:master\r\nrun_id:1123456789012345678901234567890123456789\r\nmaster_repl_offset:1\r\n"

func serve(t testing.TB) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{addr: l.Addr().(*net.TCPAddr)}
	var work sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	work.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() { s.talk(conn) })
			work.Go(func() { <-ctx.Done(); conn.Close() })
		}
	})
	t.Cleanup(func() { l.Close(); cancel(); work.Wait() })
	return s
}

func (s *server) talk(conn net.Conn) {
	defer conn.Close()
	in := resp.NewReader(conn, resp.Limits{})
	for {
		v, err := in.Read()
		if err != nil || len(v.Elems) == 0 {
			return
		}
		answer := "+OK\r\n"
		switch strings.ToUpper(v.Elems[0].Text) {
		case "PING":
			s.pings.Add(1)
			answer = "+PONG\r\n"
		case "INFO":
			answer = fmt.Sprintf("$%d\r\n%s\r\n", len(infoText), infoText)
		case "PUBLISH":
			answer = ":1\r\n"
		case "SUBSCRIBE":
			answer = "*3\r\n$9\r\nsubscribe\r\n$18\r\n__sentinel__:hello\r\n:1\r\n"
		}
		if _, err := conn.Write([]byte(answer)); err != nil {
			return
		}
	}
}

// monitor is the line with which a fake server is watched.
func (s *server) monitor(name string) string {
	return fmt.Sprintf("sentinel monitor %s 127.0.0.1 %d 1\nsentinel down-after-milliseconds %[1]s 1000", name, s.addr.Port)
}

func TestRunAndShutdown(t *testing.T) {
	s := serve(t)
	r := runs(t, s.monitor("orders"))
	c := r.dial()
	c.want("PONG", "PING")
	if v := c.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "orders"); len(v.Elems) != 2 || v.Elems[0].Text != "127.0.0.1" {
		t.Errorf("%+v", v)
	}
	await(t, "the server is pinged", func() bool { return s.pings.Load() > 2 })
	if _, err := c.conn.Write(resp.AppendCommand(nil, "SHUTDOWN")); err != nil {
		t.Fatal(err)
	}
	if err := r.end(); err != nil {
		t.Errorf("it ends with %v", err)
	}
	_ = c.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if v, err := c.from.Read(); err == nil {
		t.Errorf("SHUTDOWN is answered: %+v", v)
	}
}

// TestFreshFile: a Sentinel without an ID makes one, and has it in its file at once.
func TestFreshFile(t *testing.T) {
	r, o := configured(t, "sentinel monitor orders 127.0.0.1 1 1")
	o.Conf.MyID = ""
	r.begin(o)
	id := r.dial().ask("SENTINEL", "MYID").Text
	if len(id) != 40 || id == myID {
		t.Fatalf("its ID is %q", id)
	}
	await(t, "the ID is in the file", func() bool { return strings.Contains(r.file(), "sentinel myid "+id) })
}

// TestObserverListensNowhere starts with what redkeep sentinel --observe puts behind the file: a port is what it must not have, and
// the file stays as it is.
func TestObserverListensNowhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s") // of the one that is watched, which has the same lines
	watched, err := net.Listen("unix", file)
	if err != nil {
		t.Fatal(err)
	}
	defer watched.Close()
	r, o := configured(t, "sentinel monitor orders 127.0.0.1 1 1", "port 0", "tls-port 0", "unixsocket "+file)
	o.Observe = true
	before := r.file()
	r.begin(o)
	if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", r.port)); err == nil {
		c.Close()
		t.Error("it listens")
	}
	r.stop()
	if err := r.end(); err != nil || r.file() != before || !strings.Contains(r.said(), "Observing: ") {
		t.Errorf("%v\n%s\n%s", err, r.file(), r.said())
	}
}

// TestSpareAddress may be missing on this host.
func TestSpareAddress(t *testing.T) {
	r := runs(t, "bind 127.0.0.1 -192.0.2.1", "bind-source-addr 127.0.0.1")
	r.dial().want("PONG", "PING")
	if !strings.Contains(r.said(), "192.0.2.1") {
		t.Errorf("the log does not say so:\n%s", r.said())
	}
}

func TestWhatKeepsItFromStarting(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.acl")
	if err := os.WriteFile(broken, []byte("user x +@nothing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		lines []string
		want  string
	}{
		"a port that is taken":           {[]string{fmt.Sprintf("port %d", taken.Addr().(*net.TCPAddr).Port)}, "stop what uses the port, or change bind or port"},
		"a taken port of a spare one":    {[]string{fmt.Sprintf("port %d", taken.Addr().(*net.TCPAddr).Port), "bind 127.0.0.2 -127.0.0.1"}, "stop what uses the port, or change bind or port"},
		"a spare one that is none":       {[]string{"bind 127.0.0.1 -nowhere"}, "change bind"},
		"a bad address to come from":     {[]string{"bind-source-addr 10.0.0.300"}, "change bind-source-addr"},
		"an address of another host":     {[]string{"bind 192.0.2.1"}, "change bind"},
		"no port at all":                 {[]string{"port 0"}, "set one of them"},
		"no address at all":              {[]string{"bind -192.0.2.1"}, "no address of bind is on this host"},
		"no file of users":               {[]string{"aclfile " + filepath.Join(dir, "none.acl")}, "make the file, or leave aclfile out"},
		"a bad file of users":            {[]string{"aclfile " + broken}, "broken.acl"},
		"a file that is no socket":       {[]string{"unixsocket " + broken}, "change unixsocket"},
		"users in both":                  {[]string{"aclfile " + broken, "user x on nopass"}, "have them in one of the two"},
		"TLS without a certificate":      {[]string{"tls-port 1"}, "set tls-cert-file and tls-key-file"},
		"TLS with one that is not there": {[]string{"tls-port 1", "tls-cert-file /nonexistent/a.crt", "tls-key-file /nonexistent/a.key"}, "check tls-cert-file and tls-key-file"},
		"ciphers that there are not":     {[]string{"tls-replication yes", "tls-ciphers DHE-RSA-AES128-SHA"}, "name some such as"},
		"those of 1.3 that are not":      {[]string{"tls-port 1", "tls-ciphersuites TLS_AES_128_CCM_SHA256"}, "name some of TLS_AES_128"},
		"versions that there are not":    {[]string{"tls-replication yes", "tls-protocols TLSv1.1"}, "name TLSv1.2, TLSv1.3 or both"},
		"TLS with no authority":          {[]string{"tls-replication yes", "tls-ca-cert-file /nonexistent/ca.crt"}, "check tls-ca-cert-file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, o := configured(t, c.lines...)
			o.Ready = func() { t.Error("it is ready") }
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if err := Run(ctx, o); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want what ends with %q", err, c.want)
			}
		})
	}
}
