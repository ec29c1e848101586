package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"redkeep/internal/act/process"
	"redkeep/internal/decide"
	"redkeep/internal/words"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests.
const patience = 10 * time.Second

// server is a real redis-server of the test's own, on the loopback.
type server struct {
	t    testing.TB
	port int
	dir  string
	args []string
	cmd  *exec.Cmd
	// tls is how clients speak to it; nil for without.
	tls *tls.Config
}

// startServer starts redis-server with a file of its own and waits until it answers.
func startServer(t testing.TB, lines ...string) *server {
	t.Helper()
	s := &server{t: t, port: freePort(t), dir: t.TempDir()}
	s.begin(append([]string{fmt.Sprintf("port %d", s.port)}, lines...)...)
	return s
}

// begin writes the file and starts the server for the test's time.
func (s *server) begin(lines ...string) {
	s.t.Helper()
	text := fmt.Sprintf("# a test's\nbind 127.0.0.1\nsave \"\"\ndir %s\nrepl-diskless-sync-delay 0\nenable-debug-command yes\n", s.dir)
	for _, l := range lines {
		text += l + "\n"
	}
	if err := os.WriteFile(s.file(), []byte(text), 0o640); err != nil {
		s.t.Fatal(err)
	}
	s.start()
	s.t.Cleanup(s.kill)
}

func (s *server) file() string { return filepath.Join(s.dir, "redis.conf") }

func (s *server) start() {
	s.t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		s.t.Fatal("redis-server is not in PATH; install the package redis-server (Debian: apt-get install redis-server)")
	}
	s.cmd = exec.Command(program, s.file())
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.await("an answer", func() bool {
		conn, err := net.Dial("tcp", s.addr().String())
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
}

// kill ends the process as a crash does.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

func (s *server) signal(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) addr() netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(s.port))
}

// client returns an independent client.
func (s *server) client() *goredis.Client {
	c := goredis.NewClient(&goredis.Options{Addr: s.addr().String(), MaxRetries: -1, Protocol: 2, ReadTimeout: patience, TLSConfig: s.tls})
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// do runs one command of an independent client.
func (s *server) do(args ...any) string {
	s.t.Helper()
	c := s.client()
	v, err := c.Do(context.Background(), args...).Result()
	if err != nil {
		s.t.Fatalf("%v: %v", args, err)
	}
	return fmt.Sprint(v)
}

func (s *server) await(what string, is func() bool) {
	s.t.Helper()
	await(s.t, what, is)
}

// await polls a condition, bounded by patience.
func await(t testing.TB, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if is() {
			return
		}
	}
	t.Fatalf("no %s within %v", what, patience)
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// diary keeps the events of a hand.
type diary struct {
	mu      sync.Mutex
	events  []decide.Event
	remarks []string
	news    chan decide.Event
}

func (d *diary) report(ev decide.Event) {
	d.mu.Lock()
	d.events = append(d.events, ev)
	d.mu.Unlock()
	select {
	case d.news <- ev:
	default:
	}
}

func (d *diary) remark(text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.remarks = append(d.remarks, text)
}

func (d *diary) drain() {
	for {
		select {
		case <-d.news:
		default:
			return
		}
	}
}

// wait returns the first new event that fits.
func wait[E decide.Event](t *testing.T, d *diary, what string, fits func(E) bool) E {
	t.Helper()
	end := time.NewTimer(patience)
	defer end.Stop()
	for {
		select {
		case ev := <-d.news:
			if e, ok := ev.(E); ok && fits(e) {
				return e
			}
		case <-end.C:
			d.mu.Lock()
			defer d.mu.Unlock()
			t.Fatalf("no %s within %v; the last events: %+v; remarks: %q", what, patience, d.events[max(0, len(d.events)-5):], d.remarks)
		}
	}
}

// watchServer runs a hand for the test's time, and waits until it has seen the server.
func watchServer(t *testing.T, cfg Config) (*Hand, *diary, words.Server) {
	t.Helper()
	d := &diary{news: make(chan decide.Event, 4096)}
	cfg.Report, cfg.Remark = d.report, d.remark
	if cfg.Prove == nil {
		cfg.Prove = prove
	}
	h := New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("run: %v", err)
			}
		case <-time.After(patience):
			t.Error("Run does not end")
		}
	})
	seen := wait(t, d, "first look", func(decide.Seen) bool { return true })
	return h, d, seen.Server
}

func prove(pid int, uptime time.Duration) (Process, error) {
	p, err := process.Prove(pid, uptime)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

var stop, resume = unix.SIGSTOP, unix.SIGCONT

func portOf(s *server) uint16 { return uint16(s.port) }

// connections counts the established connections to a port, as the server's end sees them; a stopped server has not
// accepted them yet.
func connections(t *testing.T, port int) int {
	t.Helper()
	text, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		// sl local remote state: 01 is established.
		if len(f) > 3 && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) && f[3] == "01" {
			n++
		}
	}
	return n
}

// contextFor returns a context that the test ends itself, and at its end at the latest.
func contextFor(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return ctx, cancel
}
