package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
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
