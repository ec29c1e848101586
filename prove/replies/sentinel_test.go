package replies

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/speak/resp"
	"redkeep/internal/stage/need"
)

// binary is the program under test.
var binary string

func TestMain(m *testing.M) {
	code := 1
	defer func() { os.Exit(code) }()
	dir, err := os.MkdirTemp("", "redkeep-replies-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "redkeep")
	if out, err := exec.Command("go", "build", "-o", binary, "redkeep/cmd/redkeep").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build redkeep: %v: %s", err, out)
		return
	}
	code = m.Run()
}

// sentinel is a Sentinel of either kind that watches a master of its own with a replica, and a connection to it.
type sentinel struct {
	conn   net.Conn
	reader *resp.Reader
	master string // its port
}

// start starts one, and the servers that it watches, and waits until it has met them.
func start(t *testing.T, argv ...string) *sentinel {
	t.Helper()
	for _, name := range []string{"redis-server", "redis-sentinel"} {
		if _, err := exec.LookPath(name); err != nil {
			need.Program(t, name)
		}
	}
	dir := t.TempDir()
	server, listen := freePort(t), freePort(t)
	plain := []string{"--port", server, "--save", "", "--dir", dir, "--repl-diskless-sync-delay", "0"}
	run(t, "redis-server", append(plain, "--bind", "127.0.0.1")...)
	run(t, "redis-server", append(plain, "--bind", "127.0.0.2", "--replicaof", "127.0.0.1 "+server, "--replica-announce-ip", "127.0.0.2")...)
	until(t, "127.0.0.2:"+server, "INFO replication", "master_link_status:up")
	conf := filepath.Join(dir, "sentinel.conf")
	text := "port " + listen + "\nbind 127.0.0.1\ndir " + dir + "\nlogfile sentinel.log\nsentinel monitor orders 127.0.0.1 " + server + " 1\n"
	// The other Sentinels are not there; one that had been started earlier would say so sooner than the other program.
	text += "sentinel down-after-milliseconds orders 600000\n"
	for i := 2; i < 4; i++ {
		text += fmt.Sprintf("sentinel known-sentinel orders 127.0.0.%d 26379 %s\n", i, strings.Repeat(fmt.Sprint(i), 40))
	}
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, argv[0], append(argv[1:], conf)...)
	at := "127.0.0.1:" + listen
	until(t, at, "SENTINEL MASTER orders", "\nflags\nmaster\n")
	until(t, at, "SENTINEL REPLICAS orders", "\nmaster-link-status\nok\n")
	until(t, at, "SENTINEL REPLICAS orders", "\nflags\nslave\n")
	return dial(t, at, server)
}

// run starts a process that ends with the test, or with a test program that has no chance to end it.
func run(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(unix.SIGKILL)
		_ = cmd.Wait()
	})
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return port
}

func dial(t *testing.T, addr, master string) *sentinel {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &sentinel{conn: conn, reader: resp.NewReader(bufio.NewReader(conn), resp.Limits{}), master: master}
}

// until asks whoever is at an address, on a new connection each time, until a line of the answer is the text's.
func until(t *testing.T, addr, question, text string) {
	t.Helper()
	var last string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if last = once(addr, question); strings.Contains(last, text) {
			return
		}
		select {
		case <-t.Context().Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not answer %s with %q, but with %q", addr, question, text, last)
}

// once returns the strings of an answer, each in a line; "" where there is none.
func once(addr, question string) string {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return ""
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := fmt.Fprintf(conn, "%s\r\n", question); err != nil {
		return ""
	}
	v, err := resp.NewReader(conn, resp.Limits{}).Read()
	if err != nil {
		return ""
	}
	return "\n" + strings.Join(leaves(v), "\n") + "\n"
}

func leaves(v resp.Value) []string {
	if v.Elems == nil {
		return []string{v.Text}
	}
	var all []string
	for _, e := range v.Elems {
		all = append(all, leaves(e)...)
	}
	return all
}

// ask returns the answer, with what differs from process to process taken out; "closed" where there is none.
func (s *sentinel) ask(t *testing.T, question string) string {
	t.Helper()
	v, err := s.value(question)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		t.Fatalf("%s is not answered", question)
	case err != nil:
		t.Fatalf("%s: %v", question, err)
	}
	return shape(v, strings.HasPrefix(question, "COMMAND") || strings.HasPrefix(question, "ACL CAT"))
}

func (s *sentinel) value(question string) (resp.Value, error) {
	_ = s.conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := fmt.Fprintf(s.conn, "%s\r\n", strings.ReplaceAll(question, "$PORT", s.master)); err != nil {
		return resp.Value{}, err
	}
	return s.reader.Read()
}

// fields are the names of INFO's sections and fields.
func (s *sentinel) fields(t *testing.T) (names []string) {
	t.Helper()
	v, err := s.value("INFO")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(v.Text, "\r\n") {
		if name, _, ok := strings.Cut(line, ":"); ok || strings.HasPrefix(line, "# ") {
			names = append(names, name)
		}
	}
	return names
}

// variable is what a text may have from process to process.
var variable = []struct {
	pattern *regexp.Regexp
	word    string
}{
	{regexp.MustCompile(`\b[0-9a-f]{40}\b`), "ID"},
	{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "SECRET"},
	{regexp.MustCompile(`^[0-9a-f]{2}$`), "N"},
	{regexp.MustCompile(`\b127\.0\.0\.\d(:\d+)?\b`), "ADDR"},
	{regexp.MustCompile(`-?\b\d+\b`), "N"},
	{regexp.MustCompile(`(cmd=client)\S*`), "$1"},
	{regexp.MustCompile(`,disconnected$`), ""}, // the other Sentinels are in the file only
}

// shape prints a value. Names, errors and statuses are kept, numbers and addresses become what they are.
func shape(v resp.Value, unordered bool) string {
	kind := string(rune(v.Kind))
	switch {
	case v.Nil:
		return kind + "nil"
	case v.Kind == resp.Integer && v.Int < 0:
		return ":neg"
	case v.Kind == resp.Integer:
		return ":n"
	case v.Elems == nil && !slices.Contains([]resp.Kind{resp.Array, resp.Map, resp.Set, resp.Push}, v.Kind):
		text := v.Text
		for _, one := range variable {
			text = one.pattern.ReplaceAllString(text, one.word)
		}
		return kind + text
	}
	parts := make([]string, 0, len(v.Elems))
	for _, e := range v.Elems {
		parts = append(parts, shape(e, unordered))
	}
	if unordered && v.Kind != resp.Map {
		slices.Sort(parts)
	}
	return kind + "[" + strings.Join(parts, "\n ") + "]"
}
