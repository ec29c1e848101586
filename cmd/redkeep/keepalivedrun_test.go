package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPidFileOfAnother that runs is left alone, by the end too; that of one which is gone, or of another program, is no hindrance.
func TestPidFileOfAnother(t *testing.T) {
	const holds = "REDKEEP_TEST_HOLDS_PID_FILE"
	if os.Getenv(holds) != "" {
		_, _ = io.Copy(io.Discard, os.Stdin) // lives as long as the test wants
		return
	}
	start := func(c *exec.Cmd) (pid int, end func()) {
		t.Helper()
		c.Env = append(os.Environ(), holds+"=1")
		in, err := c.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c.Process.Pid, func() { _ = in.Close(); _ = c.Wait() }
	}
	own := fmt.Sprintf("%d\n", os.Getpid())
	same, endSame := start(exec.Command(os.Args[0], "-test.run=^TestPidFileOfAnother$"))
	gone, endGone := start(exec.Command("cat"))
	other, endOther := start(exec.Command("cat"))
	endGone()
	defer endOther()
	for name, c := range map[string]struct {
		text string
		free bool
	}{
		"the same program": {fmt.Sprintf("%d\n", same), false}, "another program": {fmt.Sprintf("%d\n", other), true},
		"one that is gone": {fmt.Sprintf("%d\n", gone), true}, "nonsense": {"x\n", true}, "nothing": {"", true}, "this process": {own, true},
	} {
		f := pidFile(filepath.Join(t.TempDir(), "pid"))
		if err := os.WriteFile(string(f), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := f.claim()
		if (err == nil) != c.free || err != nil && !strings.Contains(err.Error(), "stop one of the two") {
			t.Errorf("%s: %v", name, err)
		}
		want := c.text
		if c.free {
			want = own
		}
		if text, err := os.ReadFile(string(f)); err != nil || string(text) != want {
			t.Errorf("%s: the file has %q, %v", name, text, err)
		}
		if f.remove() != c.free {
			t.Errorf("%s: at the end it is there: %v", name, c.free)
		}
	}
	endSame()
	if err := pidFile("").claim(); err != nil {
		t.Errorf("no file at all: %v", err)
	}
}

// TestASecondKeepalived with the first one's pid file does not begin.
func TestASecondKeepalived(t *testing.T) {
	const holds = "REDKEEP_TEST_HOLDS_PID_FILE"
	first := exec.Command(os.Args[0], "-test.run=^TestPidFileOfAnother$")
	first.Env = append(os.Environ(), holds+"=1")
	in, err := first.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = first.Wait() }()
	dir := t.TempDir()
	file, pid := filepath.Join(dir, "keepalived.conf"), filepath.Join(dir, "pid")
	text := "vrrp_instance VI_1 {\ninterface lo\nvirtual_router_id 51\nvirtual_ipaddress {\n10.0.0.100\n}\n}\n"
	for name, text := range map[string]string{file: text, pid: fmt.Sprintf("%d\n", first.Process.Pid)} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second) // before it could be a master
	defer cancel()
	var errs bytes.Buffer
	got := execute(ctx, []string{"keepalived", "-f", file, "-p", pid}, streams{in: strings.NewReader(""), out: io.Discard, err: &errs})
	if got != exitFailed || !strings.Contains(errs.String(), "stop one of the two") {
		t.Errorf("%d: %s", got, errs.String())
	}
}
