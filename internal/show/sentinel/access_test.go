package sentinel

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"redkeep/internal/speak/acl"
	"redkeep/internal/speak/resp"
	"redkeep/internal/stage/need"
	"redkeep/internal/syntax"
)

// stageUsers starts a face whose users can be changed.
func stageUsers(t *testing.T, file UserFile) (addr string, users *acl.Users) {
	t.Helper()
	lease, _ := quiet(t)
	users = acl.New(Redis70.Rules(), false)
	return newTransport(t).serve(New(Config{Source: lease, Users: users, UserFile: file})), users
}

// startBare starts a redis-sentinel that watches nothing, with these lines in its configuration.
func startBare(t *testing.T, lines ...string) (addr string) {
	t.Helper()
	if _, err := exec.LookPath("redis-sentinel"); err != nil {
		need.Program(t, "redis-sentinel")
	}
	dir, port := t.TempDir(), freePort(t)
	conf := filepath.Join(dir, "sentinel.conf")
	lines = append(lines, "port "+port, "bind 127.0.0.1", "dir "+dir, "")
	if err := os.WriteFile(conf, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "redis-sentinel", conf)
	waitFor(t, "127.0.0.1:"+port)
	return "127.0.0.1:" + port
}

// TestAccessIsThatOfSentinel plays the conversations of speak/acl, and those that are about connections, with both.
func TestAccessIsThatOfSentinel(t *testing.T) {
	t.Parallel()
	talks, err := filepath.Glob("../../speak/acl/testdata/*.talk")
	if err != nil || len(talks) == 0 {
		t.Fatalf("there are no talks: %v", err)
	}
	t.Run("connections of users", func(t *testing.T) {
		ours, _ := stageUsers(t, nil)
		compareTalk(t, startBare(t), ours, accessTalk)
	})
	for _, talk := range talks {
		t.Run(strings.TrimSuffix(filepath.Base(talk), ".talk"), func(t *testing.T) {
			text, err := os.ReadFile(talk)
			if err != nil {
				t.Fatal(err)
			}
			ours, _ := stageUsers(t, nil)
			compareTalk(t, startBare(t), ours, string(text))
		})
	}
}

// compareTalk plays a conversation with both. A line is a request, of the connection that is named before a colon, or of "a".
func compareTalk(t *testing.T, real, ours, text string) {
	t.Helper()
	conns := map[string]*caller{}
	for line := range strings.Lines(text) {
		conn, request, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			conn, request = "a", conn
		}
		words, ok := syntax.Split(request)
		if !ok {
			t.Fatalf("quotes that don't close: %s", request)
		}
		if len(words) == 0 {
			continue
		}
		var said [2]string
		for i, addr := range []string{real, ours} {
			name := fmt.Sprint(i, conn)
			if conns[name] == nil {
				conns[name] = call(t, addr)
			}
			said[i] = conns[name].said(words)
		}
		if said[0] != said[1] {
			t.Errorf("%s: %s:\n%s\nredis-sentinel:\n%s", conn, request, said[1], said[0])
		}
	}
}

// said sends a request, and returns its replies, with what differs from process to process taken out.
func (c *caller) said(words []string) string {
	_ = c.conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := c.conn.Write(resp.AppendCommand(nil, words...)); err != nil {
		return "closed"
	}
	var all []string
	n := 1
	if strings.HasSuffix(strings.ToLower(words[0]), "subscribe") {
		n = len(words) - 1
	}
	for range n {
		v, err := c.reader.Read()
		var timeout interface{ Timeout() bool }
		switch {
		case errors.As(err, &timeout) && timeout.Timeout():
			return "nothing"
		case err != nil:
			return "closed"
		}
		if mask(&v); v.Kind == resp.Bulk && strings.EqualFold(words[min(1, len(words)-1)], "genpass") {
			v.Text = strings.Repeat("abc ", len(v.Text))
		}
		name := strings.ToLower(words[0])
		all = append(all, shape(v, name == "acl" && strings.EqualFold(words[1], "cat")))
		if v.Kind == resp.Error {
			break
		}
		if name == "info" || len(words) == 2 && strings.EqualFold(words[1], "masters") {
			return "allowed" // what it tells is not about users
		}
	}
	return strings.Join(all, "\n")
}

// mask puts single rules in an order, since Redis' is another in each process, and takes out ages.
func mask(v *resp.Value) {
	v.Text = inRuleOrder(v.Text)
	for i := range v.Elems {
		mask(&v.Elems[i])
		if v.Elems[i].Text == "age-seconds" {
			v.Elems[i+1].Text = "0"
		}
	}
}

// inRuleOrder sorts what follows +@all or -@all and the categories behind it, up to the next selector.
func inRuleOrder(text string) string {
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

// TestStrangersAreShort sends what is too much from somebody who has not said who it is.
func TestStrangersAreShort(t *testing.T) {
	t.Parallel()
	real := startBare(t)
	ours, _ := stageUsers(t, nil)
	for _, addr := range []string{real, ours} {
		call(t, addr).ask("ACL SETUSER default >pw")
	}
	for _, text := range []string{
		"*11\r\n", "*11", "\r\n*11\r\n", "*2\r\n$16385\r\n", "*2\r\n$4\r\nPING\r\n$16385\r\n", "*2\r\n$-1\r\n", "*x\r\n", "PING\r\n*11\r\n", "PING 1 2 3 4 5 6 7 8 9 10 11 12\r\n",
		"*2\r\n$4\r\nPING\r\n$16384\r\n" + strings.Repeat("x", 16384) + "\r\n",
		"*3\r\n$4\r\nAUTH\r\n$7\r\ndefault\r\n$2\r\npw\r\n*12\r\n" + strings.Repeat("$4\r\nPING\r\n", 12),
	} {
		var told [2]string
		for i, addr := range []string{real, ours} {
			c := call(t, addr)
			_, _ = io.WriteString(c.conn, text)
			_ = c.conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
			b, _ := io.ReadAll(c.ahead)
			told[i] = string(b)
		}
		if told[0] != told[1] {
			t.Errorf("%.40q: %q, redis-sentinel: %q", text, told[1], told[0])
		}
	}
}

// shelf is a file of users that a test holds.
type shelf struct {
	name string
	text UserText
	full bool
	late func(func())
}

func (s *shelf) Name() string               { return s.name }
func (s *shelf) Read(answer func(UserText)) { s.late(func() { answer(s.text) }) }
func (s *shelf) Write(text string, answer func(error)) {
	s.late(func() {
		if s.full {
			answer(syscall.ENOSPC)
			return
		}
		s.text = UserText{Text: text}
		answer(nil)
	})
}

// TestUserFile saves users and loads them, with a file that answers at once, and one that does so later.
func TestUserFile(t *testing.T) {
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprint("late=", late), func(t *testing.T) {
			lease, _ := quiet(t)
			tr := newTransport(t)
			file := &shelf{name: "/etc/users.acl", late: func(f func()) { f() }}
			if late {
				file.late = func(f func()) { go tr.post(f) }
			}
			addr := tr.serve(New(Config{Source: lease, Users: acl.New(Redis70.Rules(), false), UserFile: file}))
			a, b := call(t, addr), call(t, addr)
			for _, step := range []struct{ line, want string }{
				{"ACL SETUSER u on nopass +@all", "+OK\n"},
				{"ACL SAVE", "+OK\n"},
				{"ACL SETUSER v on", "+OK\n"},
				{"ACL LOAD", "+OK\n"},
				{"ACL USERS", "*2\n$7\ndefault\n$1\nu\n"},
			} {
				if got := a.ask(step.line); got != step.want {
					t.Errorf("%s: %q", step.line, got)
				}
			}
			if b.ask("AUTH u x") != "+OK\n" || b.ask("ACL LOAD") != "+OK\n" {
				t.Error("u can't load")
			}
			b.closed()
			tr.within(func() {
				file.full = true
				file.text = UserText{Err: &fs.PathError{Op: "open", Path: file.name, Err: syscall.ENOENT}}
			})
			if got := a.ask("ACL SAVE"); got != "-"+acl.NotSaved.Error()+"\n" {
				t.Errorf("%q", got)
			}
			if got := a.ask("ACL LOAD"); got != "-ERR Error loading ACLs, opening file '/etc/users.acl': No such file or directory\n" {
				t.Errorf("%q", got)
			}
			tr.within(func() { file.text = UserText{Text: "user x foo"} })
			if got := a.ask("ACL LOAD"); !strings.HasPrefix(got, "-ERR /etc/users.acl:1: Syntax error. WARNING: ") {
				t.Errorf("%q", got)
			}
		})
	}
}

// TestNarrowedByItself changes a subscriber's own user, at which redis-sentinel 7.0.15 ends: it gets the reply, and is closed.
func TestNarrowedByItself(t *testing.T) {
	addr, _ := stageUsers(t, nil)
	a := call(t, addr)
	a.ask("ACL SETUSER u on nopass +@all &*")
	a.ask("HELLO 3 AUTH u x")
	a.ask("SUBSCRIBE x")
	if got := a.ask("ACL SETUSER u resetchannels"); got != "+OK\n" {
		t.Errorf("%q", got)
	}
	a.closed()
}
