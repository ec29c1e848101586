package config

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

// TestGolden reads each archive in testdata: a file, perhaps its mode and the secrets' files, and what comes of it.
func TestGolden(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("list testdata: %d files, %v", len(names), err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) { golden(t, name) })
	}
}

// TestLinesThatEndInTwoCharacters finds the places of a file that was written on another system.
func TestLinesThatEndInTwoCharacters(t *testing.T) {
	text := strings.ReplaceAll("secret: a-shared-secret\nnodes: {h1: 10.77.0.11, h2: 10.77.0.12, h3: 10.77.0.13}\n"+
		"groups:\n  orders:\n    redis: {port: 6379, rename: {CONFG: X}}\n", "\n", "\r\n")
	c, err := Parse("redkeep.yaml", 0o600, []byte(text), fromMap(nil))
	if err != nil || len(c.Warnings) != 1 {
		t.Fatal(c, err)
	}
	want := `redkeep.yaml:5:34: the agent uses no command "CONFG", so that its rename changes nothing; did you mean "CONFIG"?`
	if got := c.Warnings[0].String(); got != want {
		t.Errorf("got %s", got)
	}
	_, err = Parse("redkeep.yaml", 0o600, []byte(text+"lese: 1s\r\n"), fromMap(nil))
	if err == nil || !strings.HasPrefix(err.Error(), "redkeep.yaml:6:1: ") {
		t.Error(err)
	}
}

func golden(t *testing.T, name string) {
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string][]byte)
	for _, f := range archive.Files {
		files[f.Name] = f.Data
	}
	mode := fs.FileMode(0o600)
	if _, after, ok := strings.Cut(string(archive.Comment), "mode: "); ok {
		n, err := strconv.ParseUint(strings.TrimSpace(after), 8, 32)
		if err != nil {
			t.Fatal(err)
		}
		mode = fs.FileMode(n)
	}
	c, err := Parse("redkeep.yaml", mode, files["redkeep.yaml"], fromMap(files))
	got := ""
	if err != nil {
		got = err.Error() + "\n"
	} else {
		got = dump(c)
	}
	if good := strings.HasPrefix(filepath.Base(name), "good_"); good != (err == nil) {
		t.Errorf("the name says good: %v, the result is %v", good, err)
	}
	if *update {
		archive.Files[len(archive.Files)-1].Data = []byte(got)
		if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(files["want"]), got); diff != "" {
		t.Errorf("unexpected result (-want +got):\n%s", diff)
	}
}

// fromMap reads files from a test's archive.
func fromMap(files map[string][]byte) ReadFile {
	return func(name string) ([]byte, fs.FileMode, error) {
		if text, ok := files[name]; ok {
			return text, 0o600, nil
		}
		return nil, 0, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
}

// dump prints a configuration with everything in it, for the goldens.
func dump(c *Config) string {
	var b strings.Builder
	fmt.Fprintf(&b, "secret %v\nlease %v down %v busy %v cold %v patience %v\nlisten %d peer %d\n",
		c.Secret, c.Lease, c.DownAfter, c.BusyAfter, c.ColdStartWait, c.Patience, c.ListenPort, c.PeerPort)
	if c.ListenTLS != (ListenTLS{}) || !c.ListenPassword.Empty() {
		fmt.Fprintf(&b, "clients' password %v tls %+v told %d\n", c.ListenPassword, c.ListenTLS, c.TellPort())
	}
	for _, n := range c.Nodes {
		fmt.Fprintf(&b, "node %s %s\n", n.Name, n.Addr)
	}
	for _, g := range c.Groups {
		fmt.Fprintf(&b, "group %s data %v gate %s exempt %v vip %s\n", g.Name, g.Data, g.Gate, g.GateExempt, dumpVIPs(g.VIPs))
		fmt.Fprintf(&b, "  server %v user %q password %v rename %v\n", g.Server.Addr(c.Nodes[0]), g.Server.User, g.Server.Password, g.Server.Rename)
		if g.VRID != 0 || g.Prefer != "" {
			fmt.Fprintf(&b, "  vrid %d prefer %q failback %s\n", g.VRID, g.Prefer, g.FailbackWord())
		}
		if g.Server.TLS != (TLS{}) {
			fmt.Fprintf(&b, "  ports %v link %d tls %+v\n", g.Server.Ports(), g.Server.LinkPort(), g.Server.TLS)
		}
	}
	if c.PairOf() {
		fmt.Fprintf(&b, "pair advert %v tie-breakers %v\n", c.Advert(), c.TieBreakers)
	}
	for _, w := range c.Warnings {
		fmt.Fprintf(&b, "warning %s\n", w)
	}
	return b.String()
}

// dumpVIPs prints the addresses, each with its device.
func dumpVIPs(vips []VIP) string {
	out := "none"
	for i, v := range vips {
		if out += " "; i == 0 {
			out = ""
		}
		out += v.Addr.String()
		if v.Dev != "" {
			out += "%" + v.Dev
		}
	}
	return out
}

// TestErrorsAreProblems lets callers reach the single problems.
func TestErrorsAreProblems(t *testing.T) {
	_, err := Parse("x.yaml", 0o600, []byte("secret: a-shared-secret\nnodes: {}\n"), fromMap(nil))
	var problems Errors
	if !errors.As(err, &problems) || len(problems) != 2 || problems[1].Line != 2 {
		t.Fatalf("got %v", err)
	}
}

// TestSecretFileBesideTheConfiguration resolves a relative name, and refuses a file that others may read.
func TestSecretFileBesideTheConfiguration(t *testing.T) {
	text := []byte("secret_file: secret\nnodes: {a: 10.0.0.1, b: 10.0.0.2, c: 10.0.0.3}\ngroups: {g: {redis: 6379}}\n")
	asked := ""
	_, err := Parse("/etc/redkeep/redkeep.yaml", 0o644, text, func(name string) ([]byte, fs.FileMode, error) {
		asked = name
		return []byte("hunter2-hunter2"), 0o644, nil
	})
	if asked != "/etc/redkeep/secret" {
		t.Errorf("asked for %q", asked)
	}
	want := "/etc/redkeep/redkeep.yaml:1:14: secret_file may be read by others: mode 0644; run: chmod 600 /etc/redkeep/secret"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestLargeFileIsRefused bounds what the YAML library has to look at.
func TestLargeFileIsRefused(t *testing.T) {
	_, err := Parse("x.yaml", 0o600, make([]byte, MaxFile+1), fromMap(nil))
	if err == nil || !strings.Contains(err.Error(), "256 KiB") {
		t.Fatalf("got %v", err)
	}
}

// TestThousandGroups keeps a large site's file readable within the time that a person does not notice.
func TestThousandGroups(t *testing.T) {
	var b strings.Builder
	b.WriteString("secret: a-shared-secret\nnodes: {a: 10.0.0.1, b: 10.0.0.2, c: 10.0.0.3}\ngroups:\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "  group-%d:\n    redis: {port: %d, password: p%d}\n    data: [a, b]\n    vip: 10.1.%d.%d\n", i, 7000+i, i, i/250, i%250+1)
	}
	c, err := Parse("redkeep.yaml", 0o600, []byte(b.String()), fromMap(nil))
	if err != nil || len(c.Groups) != 1000 {
		t.Fatalf("got %v", err)
	}
}
