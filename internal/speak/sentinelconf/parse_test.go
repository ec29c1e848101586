package sentinelconf

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

// TestGoldens reads each file of testdata and compares what it means, or what is wrong with it.
func TestGoldens(t *testing.T) {
	for _, name := range goldens(t) {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			f, err := Parse("sentinel.conf", archive.Files[0].Data)
			got := described(f, err)
			if *update {
				archive.Files = append(archive.Files[:1], txtar.File{Name: "want", Data: []byte(got)})
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := string(archive.Files[1].Data); got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			if string(f.Append(nil)) != string(archive.Files[0].Data) {
				t.Error("printed, it is another file")
			}
		})
	}
}

// goldens lists the files of testdata.
func goldens(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	return names
}

// described writes a file's values and problems as a golden shows them.
func described(f *File, err error) string {
	var b strings.Builder
	if err != nil {
		fmt.Fprintf(&b, "%v\n", err)
	}
	for _, m := range f.Masters {
		fmt.Fprintf(&b, "%+v\n", *m)
	}
	fmt.Fprintf(&b, "myid %q epoch %d announce %q %d sentinel %q %v deny %v hostnames %v %v port %q\n", f.MyID, f.CurrentEpoch,
		f.AnnounceIP, f.AnnouncePort, f.SentinelUser, f.SentinelPass, f.DenyScriptsReconfig, f.ResolveHostnames,
		f.AnnounceHostnames, f.Last("port"))
	return b.String()
}

// TestAsRedisSentinel holds single lines, after a good monitor line, against what redis-sentinel 7.0.15 said to each.
func TestAsRedisSentinel(t *testing.T) {
	for _, taken := range []string{
		`sentinel down-after-milliseconds m 5x`, `sentinel failover-timeout m 99999999`, `sentinel parallel-syncs m -1`,
		`sentinel auth-pass m "a b"`, `sentinel auth-user m 'it\'s'`, `sentinel rename-command m A b`, `sentinel config-epoch m x`,
		`sentinel known-sentinel m 1.2.3.4 5 x`, `sentinel known-sentinel m 1.2.3.4 5`, `sentinel known-replica m ::1 7`,
		`sentinel known-replica m 1.2.3.04 7`, `sentinel known-replica m 10.1 7`, `sentinel announce-ip ""`, `sentinel announce-port -4`,
		`sentinel deny-scripts-reconfig YES`, `sentinel`, `SENTINEL MONITOR n 127.0.0.1 1 1`, `sentinel monitor o 127.0.0.1 +5 " 7"`,
		`sentinel leader-epoch m -5`, `sentinel master-reboot-down-after-period m 0`, `sentinel known-slave m 1.2.3.4 0`, "\v",
		`sentinel auth-pass m "\x4"`, `  # x`,
	} {
		if _, err := Parse("x", []byte("sentinel monitor m 127.0.0.1 6379 2\n"+taken)); err != nil {
			t.Errorf("%s: %v", taken, err)
		}
	}
	for refused, kind := range map[string]Kind{
		`sentinel down-after-milliseconds m x`: BadTime, `sentinel auth-pass m a\ b`: UnknownStatement, `"" x`: UnknownDirective,
		`sentinel known-replica m 1.2.3.4 70000`: BadPort, `sentinel known-replica m 1.2.3.4 -1`: BadPort, `sentinel "" m`: UnknownStatement,
		`sentinel announce-ip a b`: UnknownStatement, `sentinel monitor p "" 5 7`: BadHost, `sentinel monitor q 127.0.0.1 -1 1`: BadPort,
		`sentinel current-epoch`: UnknownStatement, `sentinel auth-pass m "a"b`: Unreadable, `sentinel deny-scripts-reconfig 1`: NotYesNo,
		`sentinel known-replica m 1.2.3.256 7`: BadHost, `sentinel known-replica m 1.2.3.0_4 7`: BadHost,
	} {
		_, err := Parse("x", []byte("sentinel monitor m 127.0.0.1 6379 2\n"+refused))
		if problems := (Errors)(nil); !errors.As(err, &problems) || len(problems) != 1 || problems[0].Kind != kind || problems[0].Line != 2 {
			t.Errorf("%s: %v", refused, err)
		}
	}
}

// TestNothingShowsAPassword prints files in which passwords stand where people have put them.
func TestNothingShowsAPassword(t *testing.T) {
	const conf = "sentinel monitor m 10.0.0.1 6379 2\nsentinel auth-pass m hunter2\nsentinel auth-pas m hunter2\nsentinel auth-pass=hunter2\n" +
		"sentinel auth-pass m hunter2 hunter2\nsentinel auth-pass hunter2\nrequirepas hunter2\nrequirepass:hunter2\nsentinel sentinel-pass \"hunter2\n" +
		"sentinel sentinel-pass hunter2\nmasterauth hunter2\n"
	f, err := Parse("sentinel.conf", []byte(conf))
	if err == nil {
		t.Fatal("taken")
	}
	shown := described(f, err) + fmt.Sprintf("%#v %d %s", f.SentinelPass, f.Masters[0].AuthPass, f.Masters[0].AuthPass)
	if strings.Contains(shown, "hunter") {
		t.Errorf("shown:\n%s", shown)
	}
	if f.Masters[0].AuthPass.Reveal() != "hunter2" || f.SentinelPass.Reveal() != "hunter2" {
		t.Error("not read")
	}
}

// TestHugeFiles are read in a bounded time, and their problems end somewhere.
func TestHugeFiles(t *testing.T) {
	for name, line := range map[string]string{
		"masters": "sentinel monitor m%d 10.0.0.1 6379 2\n", "unknown": "sentinel auth-pass m%d x\n",
		"replicas": "sentinel known-replica m 10.0.0.1 %d\n", "directives": "directive%d\n", "quotes": "\"%d\n",
	} {
		var b strings.Builder
		b.WriteString("sentinel monitor m 10.0.0.1 6379 2\n")
		for i := 0; b.Len() < MaxFile/4; i++ {
			fmt.Fprintf(&b, line, i)
		}
		_, err := Parse("sentinel.conf", []byte(b.String()))
		var problems Errors
		if errors.As(err, &problems) && len(problems) > 2*most {
			t.Errorf("%s: %d problems", name, len(problems))
		}
	}
	if _, err := Parse("sentinel.conf", make([]byte, MaxFile+1)); err == nil {
		t.Error("a longer file is taken")
	}
}

// FuzzParse feeds the reader anything: it must not panic, must print what it read, and what it split must be split the
// same way again.
func FuzzParse(f *testing.F) {
	for _, name := range goldens(f) {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Parse("sentinel.conf", text)
		if string(file.Append(nil)) != string(text) && len(text) <= MaxFile {
			t.Error("printed, it is another file")
		}
		var problems Errors
		if err != nil && (!errors.As(err, &problems) || len(problems) == 0) {
			t.Fatalf("not a list of problems: %v", err)
		}
		for i, p := range problems {
			if p.Line < 1 || p.Line > max(1, len(file.Lines)) || p.Kind == 0 || p.What == "" || p.Do == "" || strings.ContainsAny(p.String(), "\n\x00\x1b") {
				t.Errorf("bad problem: %+v", p)
			}
			if i > 0 && problems[i-1].Line > p.Line {
				t.Errorf("not in order: %v", problems)
			}
		}
		for _, m := range file.Masters {
			if m.Quorum < 1 || m.Addr.Port < 0 || m.Addr.Port > 65535 || m.DownAfter <= 0 || m.FailoverTimeout <= 0 || m.RebootDownAfter < 0 {
				t.Errorf("bad master: %+v", m)
			}
		}
		again, _ := Parse("sentinel.conf", file.Append(nil))
		if described(again, nil) != described(file, nil) {
			t.Error("read again, it means something else")
		}
	})
}
