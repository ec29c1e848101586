package config

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzParse feeds the reader anything: it must neither panic nor accept what breaks its own promises, and never show
// the secret. The corpus is every golden file.
func FuzzParse(f *testing.F) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse("redkeep.yaml", 0o600, text, fromMap(map[string][]byte{"secret": []byte("0123456789")}))
		var problems Errors
		if err != nil {
			if !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatalf("not a list of problems: %v", err)
			}
			for i, p := range problems {
				if p.Line < 1 || p.Column < 1 || p.What == "" || p.Do == "" || strings.Contains(p.What, "\n") {
					t.Errorf("bad problem: %+v", p)
				}
				if i > 0 && problems[i-1].Line > p.Line {
					t.Errorf("not in order: %v", problems)
				}
			}
			return
		}
		accepted(t, c)
	})
}

// accepted checks what the rest of the program relies on.
func accepted(t *testing.T, c *Config) {
	if n := len(c.Nodes); n != 2 && n != 3 && n != 5 && n != 7 {
		t.Errorf("%d nodes", n)
	}
	if len(c.Secret.Reveal()) < MinSecret || len(c.Groups) == 0 {
		t.Error("no secret or no group")
	}
	if c.Lease < MinLease || c.Lease > MaxLease || c.BusyAfter < c.DownAfter || c.ListenPort == c.PeerPort {
		t.Errorf("values out of range: %+v", c)
	}
	for _, n := range c.Nodes {
		if !n.Addr.IsValid() || n.Name == "" {
			t.Errorf("bad node: %+v", n)
		}
	}
	for _, g := range c.Groups {
		if g.Name == "" || g.Server.LinkPort() == 0 || len(g.Data) == 0 || !g.Server.Addr(c.Nodes[0]).IsValid() {
			t.Errorf("bad group: %+v", g)
		}
		_ = c.Definition(g).Digest()
	}
}
