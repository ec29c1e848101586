package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCalledKeepalived is that a link of keepalived's name is enough, and that what keepalived's unit calls it with is taken.
func TestCalledKeepalived(t *testing.T) {
	for name, want := range map[string]bool{"keepalived": true, "/usr/sbin/keepalived": true, "redkeep": false, "keepalived-old": false} {
		if got := calledKeepalived([]string{name, "-n"}); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if calledKeepalived(nil) {
		t.Error("nobody was called")
	}
}

// TestKeepalivedFlags are those of keepalived's that its unit and its users write; another one is an error, and not passed over.
func TestKeepalivedFlags(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keepalived.conf")
	text := "vrrp_instance VI_1 {\ninterface lo\nvirtual_router_id 51\nvirtual_ipaddress {\n10.0.0.100\n}\n}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for flags, want := range map[string]code{
		"--dont-fork -l -D -P -t -f " + file: exitDone, "-nlDP -p /nowhere/pid -t -f " + file: exitDone, "-t -f " + file + " --vrrp_pid x": exitUsage, "-t -f " + file + " -S 7": exitUsage,
	} {
		var out, errs bytes.Buffer
		got := execute(context.Background(), append([]string{"keepalived"}, strings.Fields(flags)...), streams{in: strings.NewReader(""), out: &out, err: &errs})
		if got != want {
			t.Errorf("keepalived %s: %d, want %d: %s%s", flags, got, want, out.String(), errs.String())
		}
	}
}
