package keepalivedconf

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzParse feeds the reader anything: it must not panic, must print what it read, must say where something is wrong in a line
// that a terminal can show, and what it repairs must still be read. The corpus is every golden's first file.
func FuzzParse(f *testing.F) {
	for _, name := range goldens(f) {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data)
	}
	f.Add([]byte("vrrp_instance V {\n auth_pass \"\xff\n}}} {{{ \\\n${a ${_b} $c=$c\n$d=$c $c\n$d $d ~SEQ("))
	f.Fuzz(func(t *testing.T, text []byte) {
		include := func(_, pattern string) ([]Source, error) {
			if strings.HasPrefix(pattern, "x") {
				return []Source{{"x", []byte("include x\nstate BACKUP\n")}}, nil
			}
			return nil, errors.New("no such file")
		}
		c, err := Parse("keepalived.conf", text, include)
		if string(c.Files[0].Append(nil)) != string(text) && len(text) <= MaxFile {
			t.Error("printed, it is another file")
		}
		var wrong Errors
		if err != nil && (!errors.As(err, &wrong) || len(wrong) == 0) {
			t.Fatalf("not a list of problems: %v", err)
		}
		for _, p := range append(wrong, c.Warnings...) {
			if p.Line < 1 || p.Column < 1 || p.What == "" || p.Do == "" || strings.ContainsAny(p.String(), "\n\r\x00\x1b") {
				t.Errorf("bad problem: %+v", p)
			}
		}
		if err == nil {
			for _, i := range c.Instances {
				if i.VRID < 1 || i.VRID > 255 || i.Priority < 1 || i.Priority > 255 || i.AdvertInt <= 0 || i.Interface == "" || len(i.VIPs) == 0 && !i.NoVIP {
					t.Errorf("bad instance: %+v", i)
				}
			}
		}
		again, _ := Parse("keepalived.conf", Repaired(c.Files[0], append(wrong, c.Warnings...)), include)
		_ = dump(again) + string(told(Compare([]*Config{c, again, c})))
	})
}

// TestNothingShowsAPassword prints files in which passwords stand where people have put them.
func TestNothingShowsAPassword(t *testing.T) {
	const password = "hunter2"
	for _, inside := range []string{
		"auth_type PASS\nauth_pass hunter2\n", "auth_type PASS\nauth_pass my hunter2\n", "auth_type PASS\nauth_pas hunter2\n", "auth_type PASS\nauth_passhunter2\n",
		"auth_type PASS\nauth_pass $hunter2\n", "auth_type PASS\nauth_pass \"hunter2\n", "auth_type PASS\nauth_pass\nhunter2\n", "auth_type PASS auth_pass hunter2",
		"auth_type PASS\nauth_pass hunter2}\n", "auth_type PASS\nauth_pass hunter2!\n", "auth_pass hunter2\n", "auth_type PASS\nauth_pass @hunter2\n@hunter2\n",
		"auth_type PASS\nauth_pass ${_hunter2}\n", "auth_type PASS\nauth_pass=hunter2\n", "auth_type PASS\nauth_pass: hunter2\n", "auth_pass{hunter2}",
	} {
		text := "vrrp_instance V {\ninterface eth0\nvirtual_router_id 5\nauthentication {\n" + inside + "\n}\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n"
		c, err := Parse("keepalived.conf", []byte(text), nil)
		all := fmt.Sprint(err) + string(told(c.Warnings)) + dump(c) + fmt.Sprintf("%+v", c.Instances)
		if strings.Contains(all, password) {
			t.Errorf("%q: shown:\n%s", inside, all)
		}
	}
}

// TestHugeFiles are read in a bounded time, and their problems end somewhere.
func TestHugeFiles(t *testing.T) {
	for name, line := range map[string]string{
		"unknown": "nonsense%d\n", "instances": "vrrp_instance V%d {\n}\n", "slips": "vrrp_instance V%d {\ninterface eth0}\npriority 5\n", "open": "a%d {\n", "close": "}%.0d\n",
		"long": "x%d ", "defined": "$A%[1]d=$A%[1]d$A%[1]d\n", "quotes": "\"%d\n", "numbers": "%d x\n", "checks": "vrrp_script c%d {\nscript /x\n}\n",
	} {
		var b strings.Builder
		for i := 0; b.Len() < MaxFile/4; i++ {
			fmt.Fprintf(&b, line, i)
		}
		start := time.Now()
		_, err := Parse("keepalived.conf", []byte(b.String()), nil)
		t.Logf("%s: %v", name, time.Since(start))
		var problems Errors
		if errors.As(err, &problems) && len(problems) > mostProblems {
			t.Errorf("%s: %d problems", name, len(problems))
		}
	}
	if _, err := Parse("keepalived.conf", make([]byte, MaxFile+1), nil); err == nil {
		t.Error("a longer file is taken")
	}
}
