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
	"redkeep/internal/speak/keepalivedconf"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

// TestGoldens makes a file of each archive's *.conf, and compares it, the notes, and what redkeep check would say of it. Lines
// "node NAME ADDRESS" of the comment are answers; files whose names are absolute paths are scripts.
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
			var given, want []txtar.File
			for _, f := range archive.Files {
				if strings.HasSuffix(f.Name, ".conf") || f.Name[0] == '/' {
					given = append(given, f)
				} else {
					want = append(want, f)
				}
			}
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

// made is what becomes of one archive.
func made(t *testing.T, comment string, given []txtar.File) []txtar.File {
	t.Helper()
	answers := Answers{SecretFile: "/etc/redkeep/secret", Scripts: make(map[string][]byte)}
	for line := range strings.Lines(comment) {
		if words := strings.Fields(line); len(words) == 3 && words[0] == "node" {
			answers.Nodes = append(answers.Nodes, Node{words[1], words[2]})
		}
	}
	var configs []*keepalivedconf.Config
	for _, f := range given {
		if f.Name[0] == '/' {
			answers.Scripts[f.Name] = f.Data
			continue
		}
		c, _ := keepalivedconf.Parse(f.Name, f.Data, nil) // what is wrong is told by the command
		configs = append(configs, c)
	}
	r := Make(configs, answers)
	var notes strings.Builder
	for _, n := range r.Notes {
		fmt.Fprintln(&notes, n)
	}
	if strings.Contains(notes.String()+string(r.Text), "hunter2") {
		t.Error("a password is shown")
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

// FuzzMake feeds it any file with an instance: the result is YAML, and the notes are lines.
func FuzzMake(f *testing.F) {
	names, _ := filepath.Glob("testdata/*.txtar")
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data)
	}
	f.Add([]byte("vrrp_instance on: {\ninterface e\nvirtual_router_id 1\nvirtual_ipaddress {\nfd00::1\n10.0.0.1\n}\nnotify \"/x -a y \x1b\"\n}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, _ := keepalivedconf.Parse("keepalived.conf", text, nil)
		if len(c.Instances) == 0 {
			return
		}
		r := Make([]*keepalivedconf.Config{c, c}, Answers{SecretFile: "/etc/redkeep/secret"})
		for _, n := range r.Notes {
			if strings.ContainsAny(n.String(), "\n\x00\x1b") {
				t.Errorf("bad note: %q", n)
			}
		}
		_, err := parsed(r.Text)
		if problems := (config.Errors)(nil); errors.As(err, &problems) && strings.HasPrefix(problems[0].What, "not YAML") {
			t.Errorf("%v in\n%s", err, r.Text)
		}
	})
}
