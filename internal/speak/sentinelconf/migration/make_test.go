package migration

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"redkeep/internal/speak/config"
	"redkeep/internal/speak/sentinelconf"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

// TestGoldens makes a file of each archive's *.conf, and compares it, the notes, and what redkeep check would say of it. A
// first line "node NAME ADDRESS" of the comment is an answer; files that end in .sh are scripts, by their names.
func TestGoldens(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			given, want := split(archive.Files)
			got := made(t, string(archive.Comment), given)
			if *update {
				archive.Files = append(given, got...)
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			for i := range got {
				if i >= len(want) || string(want[i].Data) != string(got[i].Data) {
					t.Errorf("%s is now\n%s", got[i].Name, got[i].Data)
				}
			}
		})
	}
}

// split parts what is given from what is expected.
func split(files []txtar.File) (given, want []txtar.File) {
	for _, f := range files {
		if strings.HasSuffix(f.Name, ".conf") || strings.HasSuffix(f.Name, ".sh") {
			given = append(given, f)
		} else {
			want = append(want, f)
		}
	}
	return given, want
}

// made is what becomes of one archive.
func made(t *testing.T, comment string, given []txtar.File) []txtar.File {
	t.Helper()
	answers := Answers{SecretFile: "/etc/redkeep/secret", Scripts: make(map[string][]byte)}
	for line := range strings.Lines(comment) {
		if words := strings.Fields(line); len(words) == 3 && words[0] == "node" {
			answers.Nodes = append(answers.Nodes, Node{words[1], words[2]})
		}
	}
	var files []*sentinelconf.File
	for _, f := range given {
		if strings.HasSuffix(f.Name, ".sh") {
			answers.Scripts[f.Name] = f.Data
			continue
		}
		file, err := sentinelconf.Parse(f.Name, f.Data)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	r := Make(files, answers)
	var notes strings.Builder
	for _, n := range r.Notes {
		fmt.Fprintln(&notes, n)
	}
	if strings.Contains(notes.String(), "hunter2") {
		t.Error("a password is in the notes")
	}
	check := "good\n"
	if _, err := parsed(r.Text); err != nil {
		check = err.Error() + "\n"
	}
	return []txtar.File{{Name: "redkeep.yaml", Data: r.Text}, {Name: "notes", Data: []byte(notes.String())}, {Name: "check", Data: []byte(check)}}
}

// parsed reads the result as redkeep check does, with a secret where it is to be.
func parsed(text []byte) (*config.Config, error) {
	return config.Parse("redkeep.yaml", 0o600, text, func(name string) ([]byte, fs.FileMode, error) {
		if name != "/etc/redkeep/secret" {
			return nil, 0, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return []byte("0123456789abcdef"), 0o600, nil
	})
}

// FuzzMake feeds it any file that Sentinel's reader takes: the result is YAML, whatever names and passwords are in it, and
// a password comes back as it was.
func FuzzMake(f *testing.F) {
	for _, s := range []string{
		"sentinel monitor m 10.0.0.1 6379 2\nsentinel auth-pass m \"a b'\\\"[{: #\\\\\"\nsentinel known-replica m 10.0.0.2 6379\nsentinel known-sentinel m 10.0.0.3 1 x\n",
		"sentinel resolve-hostnames yes\nsentinel monitor \"a: b\\n\" redis-1.x 0 2\nsentinel rename-command \"a: b\\n\" CONFIG \"\\xff\"\nport\nbind\n",
		"sentinel monitor on 127.0.0.1 6379 2\nsentinel auth-pass on 123456\nsentinel auth-user on yes\ntls-replication yes\ntls-port 1\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := sentinelconf.Parse("sentinel.conf", text)
		if len(file.Masters) == 0 || err != nil && len(err.(sentinelconf.Errors).But(sentinelconf.UnknownDirective)) > 0 { //nolint:errorlint // Parse's own
			return
		}
		r := Make([]*sentinelconf.File{file}, Answers{SecretFile: "/etc/redkeep/secret"})
		for _, n := range r.Notes {
			if strings.ContainsAny(n.String(), "\n\x00\x1b") {
				t.Errorf("bad note: %q", n)
			}
		}
		c, err := parsed(r.Text)
		if problems := (config.Errors)(nil); errors.As(err, &problems) {
			if strings.HasPrefix(problems[0].What, "not YAML") {
				t.Errorf("%v in\n%s", err, r.Text)
			}
			return
		}
		for i, g := range c.Groups {
			if m := file.Masters[i]; string(g.Name) != m.Name || g.Server.Password.Reveal() != m.AuthPass.Reveal() {
				t.Errorf("another group: %v of %+v", g, m)
			}
		}
	})
}

// TestHugeFiles takes no longer by line than small ones.
func TestHugeFiles(t *testing.T) {
	for name, line := range map[string]string{
		"masters":  "sentinel monitor m%[1]d redis-%[1]d 6379 2\nsentinel auth-pass m%[1]d x\n",
		"replicas": "sentinel known-replica m host%[1]d %[1]d\n", "certificates": "tls-port 7\ntls-cert-file x%d\n",
		"clients":   "requirepass x%d\ntls-port %[1]d\ntls-auth-clients no\n",
		"sentinels": "sentinel known-sentinel m host%[1]d 1 %[1]d\nbind %[1]d\n",
	} {
		var b strings.Builder
		b.WriteString("sentinel resolve-hostnames yes\nsentinel monitor m 10.0.0.1 6379 2\ntls-replication yes\n")
		for i := 1; i < 20_000; i++ {
			fmt.Fprintf(&b, line, i)
		}
		file, err := sentinelconf.Parse("x", []byte(b.String()))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if r := Make([]*sentinelconf.File{file}, Answers{SecretFile: "x"}); len(r.Notes) < 20_000 {
			t.Errorf("%s: %d notes", name, len(r.Notes))
		}
	}
}

// TestPasswordsComeBack writes what people have for passwords.
func TestPasswordsComeBack(t *testing.T) {
	for _, password := range []string{"123456", "0x1f", "1e3", "yes", "~", "null", "*a", "&a", "!x", "a: b", "a #b", "-", "- a", "'", `"`, `\`, `\x41`,
		"[[[[[[[[[[[[[[[[", "{{{{{{{{{{{{{{{{", "%", "@", "`", "ünïcode", "密码", "a,b", "${A}", "<<", "=", "|", ">", "?", "2026-11-20", "1:30"} {
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(password) + "\"\n"
		line := "sentinel monitor m 10.0.0.1 6379 2\nsentinel auth-pass m " + quoted + "requirepass " + quoted +
			"sentinel known-replica m 10.0.0.2 6379\nsentinel known-sentinel m 10.0.0.3 26379 x\n"
		file, err := sentinelconf.Parse("x", []byte(line))
		if err != nil {
			t.Fatal(err)
		}
		c, err := parsed(Make([]*sentinelconf.File{file}, Answers{SecretFile: "/etc/redkeep/secret"}).Text)
		if err != nil {
			t.Errorf("%q: %v", password, err)
		} else if got, clients := c.Groups[0].Server.Password.Reveal(), c.ListenPassword.Reveal(); got != password || clients != password {
			t.Errorf("%q came back as %q and %q", password, got, clients)
		}
	}
}
