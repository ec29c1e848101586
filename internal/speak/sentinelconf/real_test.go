package sentinelconf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"redkeep/internal/stage/need"
)

// version is that of the redis-sentinel which the texts are of.
const version = "7.0.15"

// needSentinel skips a test where there is no redis-sentinel, or another one.
func needSentinel(t *testing.T) {
	t.Helper()
	out, err := exec.Command("redis-sentinel", "--version").Output()
	if err != nil || !strings.Contains(string(out), "v="+version) {
		need.Program(t, "redis-sentinel "+version)
	}
}

// here is the host as reading needs it. Rules of users are not looked at.
type here struct{ dir string }

func (h *here) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(h.dir, p)
}

func (h *here) Read(path string) ([]byte, error) {
	if !strings.ContainsAny(path, "*?[") {
		return os.ReadFile(h.path(path))
	}
	names, err := filepath.Glob(h.path(path))
	if err != nil {
		return nil, err
	}
	var all []byte
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, text...)
	}
	return all, nil
}

// asC is an error as the C library tells it.
func asC(err error) error {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err
	}
	text := errno.Error()
	return errors.New(strings.ToUpper(text[:1]) + text[1:])
}

func (h *here) Enter(dir string) (string, error) {
	if dir == "" {
		return "", asC(syscall.ENOENT)
	}
	dir = h.path(dir)
	info, err := os.Stat(dir)
	if err != nil {
		return "", asC(err)
	}
	if !info.IsDir() {
		return "", asC(syscall.ENOTDIR)
	}
	h.dir = filepath.Clean(dir)
	return h.dir, nil
}

func (h *here) Log(path string) error {
	f, err := os.OpenFile(h.path(path), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return asC(err)
	}
	return f.Close()
}

func (h *here) Executable(path string) bool {
	return path != "" && syscall.Access(h.path(path), 1) == nil
}

func (h *here) User(string, []string) (int, error) { return 0, nil }

// otherwise are the lines that are answered otherwise on purpose: a password is not shown, and a replica may be there twice.
var otherwise = map[string]bool{
	"sentinel auth-pass q x": true,
	"sentinel known-replica m 1.2.3.4 5\nsentinel known-replica m 1.2.3.4 5": true,
	"sentinel known-slave m 1.2.3.4 5\nsentinel known-replica m 1.2.3.4 5":   true,
}

// TestRefusesAsRedisSentinel holds what is refused, and with which words, against redis-sentinel: each line of a list, some of
// which are good, stands after a good monitor line and before one that is bad in any case; and so do several of them, in any order.
func TestRefusesAsRedisSentinel(t *testing.T) {
	needSentinel(t)
	list, err := os.ReadFile("testdata/lines.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(list), "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(line, `\n`, "\n")
	}
	dir := t.TempDir()
	for _, line := range lines {
		refusedAlike(t, dir, line)
	}
	const mixtures, most = 60, 8
	r := rand.New(rand.NewPCG(3, 4))
	for range mixtures {
		var several []string
		for range 1 + r.IntN(most) {
			if line := lines[r.IntN(len(lines))]; !otherwise[line] {
				several = append(several, line)
			}
		}
		refusedAlike(t, dir, strings.Join(several, "\n"))
	}
}

// refusedAlike compares the refusals of a file with those lines.
func refusedAlike(t *testing.T, dir, lines string) {
	t.Helper()
	conf := filepath.Join(dir, "sentinel.conf")
	text := "port 0\nsentinel monitor m 127.0.0.1 6379 2\n" + lines + "\nsentinel zzz\n"
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	want := banner(t, dir, conf)
	_, err := Load(Source{File: []byte(text), Dir: dir}, &here{dir})
	var refused *Refusal
	if !errors.As(err, &refused) {
		t.Errorf("%q: %v", lines, err)
		return
	}
	if got := refused.Banner(version); (got != want) != otherwise[lines] {
		t.Errorf("%q: got %q, want %q", lines, got, want)
	}
}

// banner returns what redis-sentinel prints to standard error when it refuses a file.
func banner(t *testing.T, dir string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "redis-sentinel", args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("redis-sentinel %q: %v", args, err)
	}
	// It warns of some values before it says what it refuses.
	text := stderr.String()
	if at := strings.Index(text, "\n*** FATAL"); at >= 0 {
		text = text[at:]
	}
	return text
}

// real is a redis-sentinel that runs.
type real struct {
	t    *testing.T
	conf string
	// old is the file that it started with, and args are what followed that.
	old  []byte
	args []string
	conn net.Conn
}

// start runs redis-sentinel on a file until the test ends. Each master in it may be missing.
func start(t *testing.T, text string, args ...string) *real {
	t.Helper()
	dir := t.TempDir()
	r := &real{t: t, conf: filepath.Join(dir, "sentinel.conf")}
	port := freePort(t)
	text = strings.NewReplacer("$PORT", port, "$DIR", dir).Replace(text)
	r.old, r.args = []byte(text), args
	if err := os.WriteFile(r.conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("redis-sentinel", append([]string{r.conf}, args...)...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if r.conn != nil {
			_ = r.conn.Close()
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(out.String())
		}
	})
	deadline := time.Now().Add(10 * time.Second)
	for r.conn == nil && time.Now().Before(deadline) {
		if conn, err := net.DialTimeout("tcp", "127.0.0.1:"+port, time.Second); err == nil {
			r.conn = conn
		}
	}
	if r.conn == nil {
		t.Fatal("redis-sentinel does not listen")
	}
	r.ask("PING")
	return r
}

// ask sends an inline command and returns the first line of the answer.
func (r *real) ask(command string) string {
	r.t.Helper()
	_ = r.conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := fmt.Fprintf(r.conn, "%s\r\n", command); err != nil {
		r.t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := r.conn.Read(buf)
	if err != nil {
		r.t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(buf[:n]), "\r\n")
	return line
}

// read returns its file.
func (r *real) read() []byte {
	r.t.Helper()
	text, err := os.ReadFile(r.conf)
	if err != nil {
		r.t.Fatal(err)
	}
	return text
}

// freePort returns a port that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
