package acl

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"redkeep/internal/speak/resp"
	"redkeep/internal/stage/need"
	"redkeep/internal/syntax"
)

// duel asks a real redis-sentinel and the twin the same, and compares what they say.
type duel struct {
	t     *testing.T
	addr  string
	twin  *twin
	conns map[string]net.Conn
	read  map[string]*resp.Reader
	// died says that the real one has ended at an ACL LOAD, which 7.0.15 does now and then at files that are wrong.
	died bool
}

// startDuel starts a redis-sentinel on the loopback, whose configuration has these lines too; file is one of users, or "".
func startDuel(t *testing.T, file string, lines ...string) *duel {
	t.Helper()
	if _, err := exec.LookPath("redis-sentinel"); err != nil {
		need.Program(t, "redis-sentinel")
	}
	dir, port := t.TempDir(), freePort(t)
	addr := "127.0.0.1:" + port
	conf := filepath.Join(dir, "sentinel.conf")
	lines = append([]string{"port " + port, "bind 127.0.0.1", "dir " + dir}, lines...)
	if file != "" {
		lines = append(lines, "aclfile "+file)
	}
	if err := os.WriteFile(conf, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := serve(t, conf, addr); said != "" {
		t.Fatalf("redis-sentinel does not start: %s", said)
	}
	return &duel{t: t, addr: addr, twin: newTwin(t, file), conns: map[string]net.Conn{}, read: map[string]*resp.Reader{}}
}

// serve starts a redis-sentinel, which ends with the test, and waits until it answers; or until it has ended, and returns what it said.
func serve(t *testing.T, conf, addr string) (said string) {
	t.Helper()
	var out strings.Builder
	cmd := exec.Command("redis-sentinel", conf)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if answers(addr) {
			return ""
		}
		select {
		case <-ended:
			return out.String()
		case <-time.After(time.Millisecond):
		}
	}
	t.Fatal("redis-sentinel neither answers nor ends")
	return ""
}

// answers reports whether somebody answers there; it listens before it has read its users.
func answers(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = conn.Write([]byte("PING\r\n"))
	_, err = conn.Read(make([]byte, 1))
	return err == nil
}

// ask sends a request on a connection of that name, which is opened with its first.
func (d *duel) ask(conn string, request ...string) {
	d.t.Helper()
	if d.conns[conn] == nil {
		c, err := net.Dial("tcp", d.addr)
		if err != nil {
			d.t.Fatal(err)
		}
		d.t.Cleanup(func() { c.Close() })
		d.conns[conn], d.read[conn] = c, resp.NewReader(c, resp.Limits{})
	}
	gone := d.twin.seat(conn).gone
	var got string
	if !gone {
		v, err := resp.NewReader(strings.NewReader(string(d.twin.answer(conn, request))), resp.Limits{}).Read()
		if err != nil {
			d.t.Fatalf("%q: the twin says nonsense: %v", request, err)
		}
		got = shape(v, request)
	}
	_ = d.conns[conn].SetDeadline(time.Now().Add(5 * time.Second))
	_, _ = d.conns[conn].Write(resp.AppendCommand(nil, request...))
	v, err := d.read[conn].Read()
	if name := strings.ToLower(request[0]); err == nil && strings.HasSuffix(name, "subscribe") && v.Kind != resp.Error {
		for range request[2:] {
			_, err = d.read[conn].Read()
		}
	}
	switch {
	case err != nil && !gone && strings.EqualFold(strings.Join(request, " "), "acl load"):
		d.died = true
	case err != nil && !gone:
		d.t.Fatalf("%s: %q: %v, though the connection should live", conn, request, err)
	case err == nil && gone:
		d.t.Errorf("%s: %q: redis-sentinel says %s, though the connection should be closed", conn, request, shape(v, request))
	case !gone:
		if want := shape(v, request); got != want {
			d.t.Errorf("%s: %q:\n%s\nredis-sentinel:\n%s", conn, request, got, want)
		}
	}
}

// lines asks what a text has, a request to a line, on the connection "a" or, before a colon, another.
func (d *duel) lines(text string) {
	d.t.Helper()
	for line := range strings.Lines(text) {
		conn, rest, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			conn, rest = "a", conn
		}
		words, ok := syntax.Split(rest)
		if !ok {
			d.t.Fatalf("%s: unbalanced quotes", line)
		}
		if len(words) > 0 {
			d.ask(conn, words...)
		}
	}
}

// shape prints a reply with what differs between two processes taken out: the order of single commands, ages, connections.
func shape(v resp.Value, request []string) string {
	name := strings.ToLower(strings.Join(request[:min(2, len(request))], " "))
	switch {
	case v.Kind == resp.Error || strings.HasPrefix(name, "acl ") || strings.HasPrefix(name, "auth"):
	default:
		return "allowed" // the reply itself is not about users
	}
	if name == "acl genpass" {
		return string(rune(v.Kind)) + fmt.Sprint(len(v.Text))
	}
	if name == "acl cat" {
		slices.SortFunc(v.Elems, func(a, b resp.Value) int { return strings.Compare(a.Text, b.Text) })
	}
	return printed(v)
}

func printed(v resp.Value) string {
	switch {
	case v.Nil:
		return string(rune(v.Kind)) + "nil"
	case v.Kind == resp.Integer:
		return fmt.Sprint(":", v.Int)
	case v.Kind == resp.Double:
		return "age"
	case v.Kind != resp.Array && v.Kind != resp.Map && v.Kind != resp.Set:
		return string(rune(v.Kind)) + ordered(v.Text)
	}
	var parts []string
	masked := ""
	for _, e := range v.Elems {
		part := printed(e)
		if masked != "" && e.Kind == resp.Bulk {
			part, masked = masked, ""
		}
		switch e.Text {
		case "age-seconds", "client-info":
			masked = e.Text
		}
		parts = append(parts, part)
	}
	return string(rune(v.Kind)) + "[" + strings.Join(parts, "\n ") + "]"
}

// ordered sorts the rules about single commands, whose order is another in each process of Redis: those after +@all or -@all and
// the categories that follow it, up to the next selector.
func ordered(text string) string {
	words := strings.Split(text, " ")
	for from := 0; from < len(words); from++ {
		if words[from] != "+@all" && words[from] != "-@all" {
			continue
		}
		for from++; from < len(words) && len(words[from]) > 1 && words[from][1] == '@'; {
			from++
		}
		to := from
		for to < len(words) && !strings.HasPrefix(words[to], "(") {
			words[to] = strings.TrimSuffix(words[to], ")")
			to++
		}
		slices.Sort(words[from:to])
		from = to - 1
	}
	return strings.Join(words, " ")
}

// TestCommandsAreThoseOfSentinel holds the table of the tests against the real one.
func TestCommandsAreThoseOfSentinel(t *testing.T) {
	d := startDuel(t, "")
	for _, c := range categories {
		d.ask("a", "ACL", "CAT", c)
	}
	d.ask("a", "ACL", "CAT")
}

// TestTalkIsThatOfSentinel plays conversations.
func TestTalkIsThatOfSentinel(t *testing.T) {
	talks, err := filepath.Glob("testdata/*.talk")
	if err != nil || len(talks) == 0 {
		t.Fatalf("there are no talks: %v", err)
	}
	for _, talk := range talks {
		t.Run(strings.TrimSuffix(filepath.Base(talk), ".talk"), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(talk)
			if err != nil {
				t.Fatal(err)
			}
			startDuel(t, "").lines(string(b))
		})
	}
}

// TestRandomTalkIsThatOfSentinel plays what nobody would think of, with some sense in it.
func TestRandomTalkIsThatOfSentinel(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			t.Parallel()
			g := generator{rand.New(rand.NewPCG(seed, 4))}
			d := startDuel(t, "")
			d.ask("b", "HELLO", "3")
			for range 1500 {
				d.ask(g.one("a", "a", "b"), g.request()...)
				if d.t.Failed() {
					d.ask("a", "ACL", "LIST")
					return
				}
			}
		})
	}
}

// TestFilesAreThoseOfSentinel loads files of users, most of them wrong, and compares what is said and what is saved.
func TestFilesAreThoseOfSentinel(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.acl")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("")
	d := startDuel(t, file)
	g := generator{rand.New(rand.NewPCG(7, 7))}
	for range 300 {
		text := g.file()
		write(text)
		if d.ask("a", "ACL", "LOAD"); d.died {
			t.Logf("redis-sentinel has ended at %q", text)
			write("")
			d = startDuel(t, file)
			continue
		}
		d.ask("a", "ACL", "LIST")
	}
	// What one saves, the other loads.
	d.lines("ACL SETUSER s on >pw ~k %R~r &c -@all +@admin -shutdown (+ping ~x)\nACL SAVE")
	d.twin.file = ""
	d.twin.users = New(d.twin.users.table, false)
	if _, err := d.twin.users.Load(file, must(os.ReadFile(file))); err != nil {
		t.Error(err)
	}
	d.ask("a", "ACL", "LIST")
}

// TestConfigurationsAreThoseOfSentinel starts it with users in its configuration, and compares what they become, or the reason why not.
func TestConfigurationsAreThoseOfSentinel(t *testing.T) {
	if _, err := exec.LookPath("redis-sentinel"); err != nil {
		need.Program(t, "redis-sentinel")
	}
	g := generator{rand.New(rand.NewPCG(11, 11))}
	for range 80 {
		dir, port := t.TempDir(), freePort(t)
		conf := filepath.Join(dir, "sentinel.conf")
		lines := []string{"port " + port, "bind 127.0.0.1", "dir " + dir}
		users := New(sentinelTable(t), false)
		var problem error
		for range 1 + g.IntN(3) {
			line := "user " + g.user()
			for _, rule := range g.rules(g.rule) {
				line += " " + syntax.Word(rule)
			}
			lines = append(lines, line)
			words, _ := syntax.Split(line)
			if _, open := merge(words[2:]); open >= 0 {
				line = "user y on" // what 7.0.15 says of it depends on what has gone wrong before
				lines[len(lines)-1], words = line, strings.Fields(line)
			}
			if problem == nil {
				problem = users.Declare(words)
			}
		}
		if problem == nil {
			_, problem = users.Adopt()
		}
		if err := os.WriteFile(conf, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		said := serve(t, conf, "127.0.0.1:"+port)
		if hidden := "…'"; problem != nil && strings.Contains(problem.Error(), hidden) {
			_, after, _ := strings.Cut(problem.Error(), hidden)
			problem = errors.New(after)
		}
		switch {
		case (said == "") != (problem == nil), problem != nil && !strings.Contains(said, problem.Error()):
			t.Errorf("%q: %v\nredis-sentinel: %s", lines[3:], problem, said)
		case problem == nil:
			d := &duel{t: t, addr: "127.0.0.1:" + port, twin: newTwin(t, ""), conns: map[string]net.Conn{}, read: map[string]*resp.Reader{}}
			d.twin.users = users
			d.lines("ACL LIST\nSENTINEL FLUSHCONFIG")
			compareLines(t, conf, users)
		}
	}
}

// compareLines holds the users of a configuration that redis-sentinel has written against ours.
func compareLines(t *testing.T, conf string, users *Users) {
	t.Helper()
	var written []string
	for line := range strings.Lines(must(os.ReadFile(conf))) {
		if strings.HasPrefix(line, "user ") {
			written = append(written, ordered(strings.TrimSuffix(line, "\n")))
		}
	}
	// Not Lines: those that redis-sentinel could not read again have quotes.
	ours := users.List()
	for i := range ours {
		ours[i] = ordered(ours[i])
	}
	slices.Sort(written)
	slices.Sort(ours)
	if !slices.Equal(written, ours) {
		t.Errorf("it writes\n%q\nand we\n%q", written, ours)
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

func must(b []byte, err error) string {
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// TestLoadHitsConnections compares which connections ACL LOAD closes.
func TestLoadHitsConnections(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.acl")
	text := "user u on nopass +@all &*\nuser v on >pw +@all\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d := startDuel(t, file)
	if _, err := d.twin.users.Load(file, text); err != nil {
		t.Fatal(err)
	}
	d.lines(`
u1: AUTH u x
u2: AUTH u x
u2: SUBSCRIBE c
v1: AUTH v pw
b: PING
ACL LOAD
u1: PING
u2: PING
v1: PING
b: PING
u3: AUTH u x
u3: ACL LOAD
u3: PING
ACL LIST`)
}
