package sentinel

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/speak/resp"
	"redkeep/internal/stage/need"
	"redkeep/internal/words"
)

// intended are the requests that are answered otherwise than redis-sentinel answers them, each with the reason.
var intended = map[string]string{
	"CLIENT PAUSE 100": "one client of this port must not hold up all others",
	"CLIENT HELP":      "the words are ours", "COMMAND HELP": "the words are ours", "ACL HELP": "the words are ours", "SENTINEL HELP": "the words are ours",
	"COMMAND DOCS": "the sentences are ours", "COMMAND DOCS sentinel|myid": "the sentence is ours",
	"ACL SETUSER u on": "there is one user", "ACL DELUSER nosuch": "there is one user",
	"ACL SAVE": "there is one user, and no file", "ACL LOAD": "there is one user, and no file",
	"SENTINEL MONITOR another 127.0.0.1 6379 1":                                                  "groups are those of redkeep.yaml",
	"SENTINEL SET orders parallel-syncs 1":                                                       "settings are those of redkeep.yaml",
	"SENTINEL SET orders quorum 1 nosuch 1":                                                      "the same error, but nothing before it has been applied",
	"SENTINEL CONFIG SET announce-ip 127.0.0.1":                                                  "settings are those of redkeep.yaml",
	"SENTINEL DEBUG info-period 9000":                                                            "there are no such periods",
	"SENTINEL REMOVE orders":                                                                     "groups are those of redkeep.yaml",
	"SENTINEL SIMULATE-FAILURE crash-after-election":                                             "who may ask here may not stop an agent",
	"SENTINEL IS-MASTER-DOWN-BY-ADDR 127.0.0.1 $PORT 5 0123456789012345678901234567890123456789": "no vote of a lease is given away here",
}

// questions are the requests whose replies must be the same, in this order. "$PORT" is the master's port. redkeep sentinel has to
// answer them, too (prove/replies).
var questions = strings.Split(strings.TrimSpace(questionsText), "\n")

//go:embed questions.txt
var questionsText string

// TestRepliesAreThoseOfSentinel holds every reply against that of a real redis-sentinel, 7.0.15.
func TestRepliesAreThoseOfSentinel(t *testing.T) {
	t.Parallel()
	for _, proto := range []string{"2", "3"} {
		t.Run("resp"+proto, func(t *testing.T) {
			// A process for each, since some requests change what the next is answered.
			real, port := startSentinel(t)
			n := orders()
			n.Groups[0].RedisPort = port
			n.Groups[0].Candidates = []picture.Candidate{{Node: "h2", Place: 1}}
			ours := stage(t, n, 0, func(words.Group) error { return nil })
			a, b := call(t, real), call(t, ours.addr)
			a.ask("HELLO " + proto)
			b.ask("HELLO " + proto)
			for _, line := range questions {
				reason, differs := intended[line]
				line := strings.ReplaceAll(line, "$PORT", itoa(port))
				want, got := shapeOf(t, a, line), shapeOf(t, b, line)
				switch {
				case want == got && differs && !strings.Contains(reason, "the same error"):
					t.Errorf("%s: no difference, though one is intended", line)
				case want != got && !differs:
					t.Errorf("%s:\n%s\nredis-sentinel:\n%s", line, got, want)
				}
			}
			compareNonsense(t, real, ours.addr)
			if proto == "2" {
				compareSubscribers(t, real, ours.addr)
			}
			compareInfo(t, fieldsOf(t, a), fieldsOf(t, b))
		})
	}
}

// compareNonsense sends bytes that are no request, each on a connection of its own, which must be told and closed.
func compareNonsense(t *testing.T, real, ours string) {
	t.Helper()
	for _, nonsense := range []string{
		"*1\r\n+PING\r\n", "\"open\r\n", "PING 'open\r\n", "*x\r\n", "*1\r\n$-1\r\n", "*1\r\n$x\r\n", "*1\r\n$99999999999\r\n", "*1\r\n\r\n",
		strings.Repeat("x", 70<<10), "*" + strings.Repeat("1", 70<<10), "*1\r\n$" + strings.Repeat("1", 70<<10),
	} {
		var told [2]string
		for i, addr := range []string{real, ours} {
			c := call(t, addr)
			_, _ = io.WriteString(c.conn, nonsense) // it may be closed before it has read all of it
			_ = c.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
			told[i], _ = c.ahead.ReadString('\n')
			c.closed()
		}
		// Who closes before all has been read may reset the connection, and what was told is lost on the way.
		lost := len(nonsense) > 1000 && (told[0] == "" || told[1] == "")
		if told[0] != told[1] && !lost {
			t.Errorf("%.20q: %q, redis-sentinel: %q", nonsense, told[1], told[0])
		}
	}
}

// compareSubscribers holds the conversation of a subscriber against that with the real one.
func compareSubscribers(t *testing.T, real, ours string) {
	t.Helper()
	a, b := call(t, real), call(t, ours)
	for _, step := range []struct {
		line   string
		values int
	}{
		{"SUBSCRIBE a", 1}, {"SUBSCRIBE a b", 2}, {"PSUBSCRIBE *x", 1}, {"PING", 1}, {"PING x", 1}, {"PING x y", 1}, {"CLIENT ID", 1}, {"CLIENT", 1},
		{"SENTINEL MASTERS", 1}, {"SENTINEL NOSUCH", 1}, {"NOSUCH", 1}, {"HELLO 3", 1}, {"PUBLISH a b", 1}, {"QUIT", 1}, {"RESET", 1},
		{"UNSUBSCRIBE a nosuch", 2}, {"UNSUBSCRIBE", 1}, {"UNSUBSCRIBE", 1}, {"PUNSUBSCRIBE", 1}, {"PUNSUBSCRIBE", 1}, {"CLIENT GETNAME", 1},
	} {
		a.send(step.line)
		b.send(step.line)
		if want, got := a.next(step.values), b.next(step.values); got != want {
			t.Errorf("subscriber's %s: %q, redis-sentinel: %q", step.line, got, want)
		}
	}
}

// fieldsOf returns the names of INFO's sections and fields, in their order.
func fieldsOf(t *testing.T, c *caller) (names []string) {
	c.t = t
	for _, line := range strings.Split(c.ask("INFO"), "\n") {
		if name, _, ok := strings.Cut(line, ":"); ok || strings.HasPrefix(line, "# ") {
			names = append(names, name)
		}
	}
	return names
}

// compareInfo holds INFO's fields against those of the real one: what this process does not count is left out, and nothing
// else is told, but for Redkeep's own version; the order is the same.
func compareInfo(t *testing.T, want, got []string) {
	t.Helper()
	at := -1
	for _, name := range got {
		switch i := slices.Index(want, name); {
		case name == "redkeep_version":
		case i <= at:
			t.Errorf("INFO has %q after %q (place %d of redis-sentinel's)", name, want[max(at, 0)], i)
		default:
			at = i
		}
	}
	for _, name := range want {
		if !slices.Contains(got, name) {
			t.Errorf("INFO lacks %q", name)
		}
	}
}

// shapeOf sends a request, and returns its reply with what differs from process to process taken out.
func shapeOf(t *testing.T, c *caller, line string) string {
	t.Helper()
	c.t = t
	c.send(line)
	_ = c.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	v, err := c.reader.Read()
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	c.raw.Reset()
	if f := strings.Fields(line); strings.EqualFold(f[0], "hello") && len(f) == 2 && f[1] == "2" {
		return "" // it would turn a RESP3 conversation into one of RESP2
	}
	if strings.HasPrefix(line, "SENTINEL SENTINELS") {
		for _, one := range v.Elems {
			for i := range one.Elems {
				// The others of the real one exist in its file only.
				one.Elems[i].Text = strings.TrimSuffix(one.Elems[i].Text, ",disconnected")
			}
		}
	}
	return shape(v, strings.HasPrefix(line, "COMMAND") || strings.HasPrefix(line, "ACL CAT"))
}

// variable is what a value may be: a number, an address, an ID, a line of CLIENT LIST.
var (
	hexID    = regexp.MustCompile(`\b[0-9a-f]{40}\b`)
	secret   = regexp.MustCompile(`^[0-9a-f]{2}$`)
	endpoint = regexp.MustCompile(`\b127\.0\.0\.\d(:\d+)?\b`)
	digits   = regexp.MustCompile(`-?\b\d+\b`)
	cmdName  = regexp.MustCompile(`(cmd=client)\S*`)
)

// shape prints a value. Names, errors and statuses are kept, numbers and addresses within texts become what they are.
func shape(v resp.Value, unordered bool) string {
	switch {
	case v.Nil:
		return string(rune(v.Kind)) + "nil"
	case v.Kind == resp.Integer:
		if v.Int < 0 {
			return ":neg"
		}
		return ":n"
	case v.Kind == resp.Error || v.Kind == resp.Simple:
		return string(rune(v.Kind)) + digits.ReplaceAllString(v.Text, "N")
	case v.Elems == nil && v.Kind != resp.Array && v.Kind != resp.Map && v.Kind != resp.Set && v.Kind != resp.Push:
		text := hexID.ReplaceAllString(v.Text, "ID")
		text = endpoint.ReplaceAllString(text, "ADDR")
		text = secret.ReplaceAllString(text, "N")
		return string(rune(v.Kind)) + cmdName.ReplaceAllString(digits.ReplaceAllString(text, "N"), "$1")
	}
	var parts []string
	for _, e := range v.Elems {
		parts = append(parts, shape(e, unordered))
	}
	if unordered && v.Kind != resp.Map {
		slices.Sort(parts)
	}
	return string(rune(v.Kind)) + "[" + strings.Join(parts, "\n ") + "]"
}

// startSentinel starts a redis-server and a redis-sentinel that watches it, on the loopback.
func startSentinel(t *testing.T) (addr string, master uint16) {
	t.Helper()
	for _, name := range []string{"redis-server", "redis-sentinel"} {
		if _, err := exec.LookPath(name); err != nil {
			need.Program(t, name)
		}
	}
	dir := t.TempDir()
	server, listen := freePort(t), freePort(t)
	run(t, "redis-server", "--port", server, "--bind", "127.0.0.1", "--save", "", "--dir", dir, "--repl-diskless-sync-delay", "0")
	waitFor(t, "127.0.0.1:"+server)
	run(t, "redis-server", "--port", server, "--bind", "127.0.0.2", "--save", "", "--dir", dir, "--replicaof", "127.0.0.1 "+server,
		"--replica-announce-ip", "127.0.0.2")
	waitFor(t, "127.0.0.2:"+server)
	until(t, "127.0.0.2:"+server, "INFO replication", "master_link_status:up")
	conf := filepath.Join(dir, "sentinel.conf")
	lines := []string{
		"port " + listen, "bind 127.0.0.1", "dir " + dir, "sentinel monitor orders 127.0.0.1 " + server + " 1",
		"sentinel known-sentinel orders 127.0.0.2 26379 " + strings.Repeat("2", 40),
		"sentinel known-sentinel orders 127.0.0.3 26379 " + strings.Repeat("3", 40), "",
	}
	if err := os.WriteFile(conf, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "redis-sentinel", conf)
	waitFor(t, "127.0.0.1:"+listen)
	n, err := strconv.ParseUint(server, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	// Until it has asked the servers who they are, its fields are not those of every day.
	until(t, "127.0.0.1:"+listen, "SENTINEL MASTER orders", "\nflags\n$6\nmaster\n")
	until(t, "127.0.0.1:"+listen, "SENTINEL REPLICAS orders", "\nflags\n$5\nslave\n")
	until(t, "127.0.0.1:"+listen, "SENTINEL REPLICAS orders", "\nmaster-link-status\n$2\nok\n")
	return "127.0.0.1:" + listen, uint16(n)
}

// until asks the same until the answer has the text.
func until(t *testing.T, addr, question, text string) {
	t.Helper()
	c := call(t, addr)
	defer c.conn.Close()
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(c.ask(question), text); {
		if time.Now().After(deadline) {
			t.Fatalf("%s does not answer %s with %q", addr, question, text)
		}
		select {
		case <-t.Context().Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// run starts a process, which ends with the test.
func run(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// waitFor waits until somebody answers.
func waitFor(t *testing.T, addr string) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			continue
		}
		defer conn.Close()
		_ = conn.SetDeadline(deadline)
		fmt.Fprint(conn, "PING\r\n")
		if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || line != "+PONG\r\n" && !strings.HasPrefix(line, "-NOAUTH ") {
			t.Fatalf("%s: %q, %v", addr, line, err)
		}
		return
	}
	t.Fatalf("nobody answers at %s", addr)
}
