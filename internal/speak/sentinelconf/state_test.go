package sentinelconf

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"redkeep/internal/syntax"
	"redkeep/internal/words"
)

// randomWord is a word that may need quotes.
func randomWord(r *rand.Rand) string {
	const letters = "abc019-_.#/%:\\ \"'\t\n\x01\xc3\xa9"
	word := make([]byte, 1+r.IntN(8))
	for i := range word {
		word[i] = letters[r.IntN(len(letters))]
	}
	return string(word)
}

// randomState is one that a Sentinel could have.
func randomState(r *rand.Rand) *State {
	maybe := func(text string) string {
		if r.IntN(2) == 0 {
			return ""
		}
		return text
	}
	address := func(n int) Address { return Address{fmt.Sprintf("127.0.%d.%d", r.IntN(9), n), 1 + r.IntN(65535)} }
	id := func() string { return fmt.Sprintf("%040x", r.Uint64()) }
	s := &State{
		MyID: id(), CurrentEpoch: r.Uint64N(1000), AnnounceIP: maybe("10.0.0.1"), AnnouncePort: r.IntN(3), SentinelUser: maybe(randomWord(r)),
		SentinelPass: words.NewSecret(maybe(randomWord(r))), DenyScriptsReconfig: r.IntN(2) == 0, ResolveHostnames: r.IntN(2) == 0,
		AnnounceHostnames: r.IntN(2) == 0,
	}
	for i := range r.IntN(5) {
		m := &Master{
			Name: fmt.Sprint(i, randomWord(r)), Addr: address(1), Quorum: 1 + r.IntN(3), DownAfter: DefaultDownAfter, FailoverTimeout: DefaultFailoverTimeout,
			RebootDownAfter: time.Duration(r.IntN(2)) * time.Second, ParallelSyncs: r.IntN(3), NotificationScript: maybe("/bin/true"),
			AuthUser: maybe(randomWord(r)), AuthPass: words.NewSecret(maybe(randomWord(r))), ConfigEpoch: r.Uint64N(s.CurrentEpoch + 1), LeaderEpoch: r.Uint64(),
		}
		if r.IntN(2) == 0 {
			m.DownAfter, m.FailoverTimeout = time.Duration(1+r.IntN(1e6))*time.Millisecond, time.Duration(1+r.IntN(1e6))*time.Millisecond
		}
		for n := range r.IntN(4) {
			m.Replicas = append(m.Replicas, address(n+2))
			m.Sentinels = append(m.Sentinels, Peer{address(n), id()})
		}
		if r.IntN(2) == 0 {
			m.Renames = append(m.Renames, Rename{"CONFIG", maybe(randomWord(r))}, Rename{"get" + strings.Trim(randomWord(r), `"'`), "x"})
		}
		s.Masters = append(s.Masters, m)
	}
	return s
}

// randomFile is one that a person could have written, with lines of any kind in any order.
func randomFile(r *rand.Rand) string {
	var b strings.Builder
	for i := range r.IntN(40) {
		line := ""
		switch d := directives[r.IntN(len(directives))]; r.IntN(5) {
		case 0:
			line = fmt.Sprintf("%s# comment %d %s", strings.Repeat(" ", r.IntN(3)), i, strings.ReplaceAll(randomWord(r), "\n", ""))
		case 1:
		case 2:
			if name := statementTable()[r.IntN(24)].name; name == "known-slave" || name == "known-replica" || name == "monitor" {
				line = "sentinel " + name + " x 127.0.0.1 5 2"
			} else {
				line = "Sentinel \"" + name + "\" x y"
			}
		case 3:
			line = "user someone" + fmt.Sprint(i) + " on"
		default:
			if d.usual != "" && d.kind != kindBufferLimits {
				line = strings.ToUpper(d.name) + " " + d.usual
			}
		}
		b.WriteString(line + []string{"\n", "\r\n", " \n"}[r.IntN(3)])
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// comments lists a file's comments.
func comments(text []byte) []string {
	var all []string
	for line := range strings.SplitSeq(string(text), "\n") {
		if line = strings.Trim(line, " \t\r"); strings.HasPrefix(line, "#") && line != signature {
			all = append(all, line)
		}
	}
	return all
}

// holds looks at what any rewrite must keep to, and returns what it wrote.
func holds(t *testing.T, old []byte, s *State, o *Settings) []byte {
	t.Helper()
	text := Rewrite(old, s, o, []string{"default on nopass ~* &* +@all"})
	f, err := Parse("sentinel.conf", text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	for _, m := range f.Masters {
		m.Line = 0
	}
	if !reflect.DeepEqual(f.State, *s) {
		t.Fatalf("read again\n%+v\nwant\n%+v\nin\n%s", described(&File{State: f.State}, nil), described(&File{State: *s}, nil), text)
	}
	lost := comments(old)
	for _, c := range comments(text) {
		if len(lost) > 0 && lost[0] == c {
			lost = lost[1:]
		}
	}
	if len(lost) > 0 {
		t.Fatalf("the comment %q is lost: of\n%s\nbecame\n%s", lost[0], old, text)
	}
	layout := NewLayout(old)
	layout.Rewrite(s, o, []string{"default on nopass ~* &* +@all"})
	fresh := NewLayout(text)
	if layout.text != fresh.text || layout.signed != fresh.signed || !slices.Equal(layout.rows, fresh.rows) {
		t.Fatalf("the layout that was kept is another than that of\n%s", text)
	}
	return text
}

// TestWhatIsWrittenIsRead writes random states into random files: they are read as what they were, no comment is lost, a
// second rewrite changes nothing but blank lines, and redis-sentinel takes the files.
func TestWhatIsWrittenIsRead(t *testing.T) {
	const rounds, withReal = 300, 30
	r := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	conf := filepath.Join(dir, "sentinel.conf")
	for i := range rounds {
		old := []byte(randomFile(r))
		s, o := randomState(r), newSettings(dir)
		text := holds(t, old, s, o)
		text = holds(t, text, randomState(r), o)
		text = holds(t, text, s, o)
		if again := holds(t, text, s, o); string(bytes.TrimRight(again, "\n")) != string(bytes.TrimRight(text, "\n")) {
			t.Fatalf("written again\n%s\nit is\n%s", text, again)
		}
		if _, err := Load(Source{File: text, Dir: dir}, &here{dir}); err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if i >= withReal {
			continue
		}
		needSentinel(t)
		if err := os.WriteFile(conf, append(text, "sentinel zzz\n"...), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := banner(t, dir, conf); !strings.Contains(got, ">>> 'sentinel zzz'") {
			t.Fatalf("%s of\n%s", got, text)
		}
	}
}

// TestOlderReplicaLinesAreReused is where redis-sentinel writes what it then refuses.
func TestOlderReplicaLinesAreReused(t *testing.T) {
	old := "# a\nsentinel known-slave m 127.0.0.1 2\n# b\nsentinel monitor m 127.0.0.1 1 1\nsentinel known-replica m 127.0.0.1 2\nsentinel known-slave m 127.0.0.1 3\n"
	conf, err := Load(Source{File: []byte(old), Dir: "/"}, &here{"/"})
	if err != nil {
		t.Fatal(err)
	}
	text := string(Rewrite([]byte(old), conf.State, conf.Settings, nil))
	want := "# a\nsentinel known-replica m 127.0.0.1 2\n# b\nsentinel monitor m 127.0.0.1 1 1\nsentinel known-replica m 127.0.0.1 3\n\n# Generated"
	if !strings.HasPrefix(text, want) || strings.Contains(text, "slave") {
		t.Error(text)
	}
}

// TestUnknownLinesBecomeComments as redis-sentinel makes them; sentinel's own stay, whatever they are.
func TestUnknownLinesBecomeComments(t *testing.T) {
	o := newSettings("/")
	for _, line := range []string{"nosuch 5", "foo.bar \"x\"", "\"unbalanced", "lua-replicate-commands yes"} {
		if got := string(Rewrite([]byte(" "+line+" \n"), &State{}, o, nil)); !strings.HasPrefix(got, "# ??? "+line+"\n") {
			t.Errorf("%q became %s", line, got)
		}
	}
	for _, line := range []string{"sentinel", "sentinel nosuch x", "include x", "rename-command a b"} {
		if got := string(Rewrite([]byte(line), &State{}, o, nil)); !strings.HasPrefix(got, line+"\n# Generated") {
			t.Errorf("%q became %s", line, got)
		}
	}
}

// FuzzRewrite rewrites anything: what was read must be read again, and no comment may be lost.
func FuzzRewrite(f *testing.F) {
	for _, c := range files {
		f.Add([]byte(c.text), uint64(1))
	}
	f.Fuzz(func(t *testing.T, old []byte, seed uint64) {
		if bytes.IndexByte(old, 0) >= 0 || len(old) > 1<<16 || bytes.Contains(bytes.ToLower(old), []byte("sentinel")) && strange(old) {
			return
		}
		holds(t, old, randomState(rand.New(rand.NewPCG(seed, 0))), newSettings("/"))
	})
}

// anywhere is a host on which everything is there but included files.
type anywhere struct{}

func (anywhere) Read(string) ([]byte, error)        { return nil, nil }
func (anywhere) Enter(dir string) (string, error)   { return "/" + dir, nil }
func (anywhere) Log(string) error                   { return nil }
func (anywhere) Executable(string) bool             { return true }
func (anywhere) User(string, []string) (int, error) { return 0, nil }

// FuzzLoad starts with anything: what a Sentinel would start with, it writes so that it starts with the same again.
func FuzzLoad(f *testing.F) {
	list, err := os.ReadFile("testdata/lines.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		f.Add([]byte("sentinel monitor m 127.0.0.1 6379 2\n" + strings.ReplaceAll(line, `\n`, "\n")))
	}
	f.Fuzz(func(t *testing.T, old []byte) {
		conf, err := Load(Source{File: old, Dir: "/"}, anywhere{})
		var refused *Refusal
		switch {
		case errors.As(err, &refused):
			if lines := bytes.Count(old, []byte("\n")) + 1; refused.Line < 0 || refused.Line > lines || refused.Reason == "" {
				t.Errorf("%+v", refused)
			}
			return
		case err != nil:
			return
		}
		users := make([]string, len(conf.Users))
		for i, u := range conf.Users {
			users[i] = string(syntax.AppendWord(nil, u.Name))
			for _, rule := range u.Rules {
				users[i] = string(syntax.AppendWord([]byte(users[i]+" "), rule))
			}
		}
		for _, m := range conf.Masters {
			m.Line = 0
		}
		text := Rewrite(old, conf.State, conf.Settings, users)
		again, err := Load(Source{File: text, Dir: conf.Dir}, anywhere{})
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		for _, m := range again.Masters {
			m.Line = 0
		}
		again.Dir, again.texts[directiveAt("dir")] = conf.Dir, conf.texts[directiveAt("dir")]
		if !reflect.DeepEqual(again, conf) {
			t.Errorf("%q\nwas read as %+v %+v\nand then as %+v %+v in\n%q", old, *conf.State, *conf.Settings, *again.State, *again.Settings, text)
		}
	})
}

// strange reports whether a file has sentinel lines that no rewrite touches, so that they stay and are refused.
func strange(text []byte) bool {
	for line := range strings.SplitSeq(string(text), "\n") {
		words, ok := syntax.Split(line)
		if ok && len(words) > 1 && strings.EqualFold(words[0], "sentinel") && statementSlot(words[1]) == kept {
			return true
		}
	}
	return false
}

// many is the state of a Sentinel with a thousand masters.
func many() *State {
	s := &State{MyID: strings.Repeat("a", 40), CurrentEpoch: 12, DenyScriptsReconfig: true}
	for i := range 1000 {
		ip := fmt.Sprintf("10.%d.%d.", i/250, i%250)
		s.Masters = append(s.Masters, &Master{
			Name: fmt.Sprintf("shard-%04d", i), Addr: Address{ip + "1", 6379}, Quorum: 2, DownAfter: 5 * time.Second, FailoverTimeout: time.Minute,
			ParallelSyncs: 1, AuthPass: words.NewSecret("password"), ConfigEpoch: 3, LeaderEpoch: 3,
			Replicas:  []Address{{ip + "2", 6379}, {ip + "3", 6379}},
			Sentinels: []Peer{{Address{"10.9.9.1", 26379}, strings.Repeat("b", 40)}, {Address{"10.9.9.2", 26379}, strings.Repeat("c", 40)}},
		})
	}
	return s
}

// BenchmarkRewrite is of a thousand masters.
func BenchmarkRewrite(b *testing.B) {
	s, o := many(), newSettings("/")
	old := Rewrite(nil, s, o, nil)
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Rewrite(old, s, o, nil)
		}
	})
	b.Run("kept", func(b *testing.B) {
		b.ReportAllocs()
		l := NewLayout(old)
		for b.Loop() {
			l.Rewrite(s, o, nil)
		}
	})
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			if _, err := Load(Source{File: old, Dir: "/"}, &here{"/"}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
