package keepalived

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"redkeep/internal/speak/keepalivedconf"
)

// TestTracker is what a check's results amount to: the first counts alone, then rise or fall of them in a row.
func TestTracker(t *testing.T) {
	for name, c := range map[string]struct {
		rise, fall int
		known      bool // and has failed
		results    string
		want       string // what is told, at each result: + passed, - failed, . nothing
	}{
		"the first counts alone":          {3, 3, false, "+", "+"},
		"the first failure too":           {3, 3, false, "-", "-"},
		"fall in a row":                   {1, 3, false, "+--+---", "+.....-"},
		"rise in a row":                   {2, 1, false, "-+-++", "-...+"},
		"one each":                        {1, 1, false, "+-+", "+-+"},
		"known already: rise in a row":    {2, 3, true, "-++", "..+"},
		"known already: nothing is again": {1, 3, true, "--", ".."},
	} {
		tr := tracker{rise: c.rise, fall: c.fall, known: c.known}
		got := ""
		for _, r := range c.results {
			switch told := tr.take(r == '+'); {
			case !told:
				got += "."
			case tr.passed:
				got += "+"
			default:
				got += "-"
			}
		}
		if got != c.want {
			t.Errorf("%s: %s tells %s, want %s", name, c.results, got, c.want)
		}
	}
}

// TestACheckThatCannotBeRunHasFailed is where keepalived counts it as good, or leaves it out.
func TestACheckThatCannotBeRunHasFailed(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, path := range map[string]string{
		"not there":              filepath.Join(dir, "nothing"),
		"not executable":         write("plain", "#!/bin/sh\nexit 0\n", 0o600),
		"without an interpreter": write("python", "#!/usr/bin/no-such-python\n", 0o700),
		"without a first line":   write("bare", "exit 0\n", 0o700),
		"says no":                write("no", "#!/bin/sh\nexit 1\n", 0o700),
	} {
		if err := execute(t.Context(), keepalivedconf.Command{Args: []string{path}}); err == nil {
			t.Errorf("%s: passed", name)
		}
	}
	if err := execute(t.Context(), keepalivedconf.Command{Args: []string{write("yes", "#!/bin/sh\nexit 0\n", 0o700)}}); err != nil {
		t.Errorf("one that says yes: %v", err)
	}
	if err := execute(t.Context(), keepalivedconf.Command{Args: []string{"/bin/true"}, User: "no-such-user-here"}); err == nil {
		t.Error("one of a user who is not there: passed")
	}
}

// TestProcessesAreCounted is by name, as the kernel keeps it, and by command line.
func TestProcessesAreCounted(t *testing.T) {
	name, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	own := string(name[:len(name)-1])
	if n := running(&keepalivedconf.Process{Args: []string{"/usr/bin/" + own}}); n < 1 {
		t.Errorf("%d processes of %q run", n, own)
	}
	if n := running(&keepalivedconf.Process{Args: os.Args, FullCommand: true}); n < 1 {
		t.Errorf("%d processes of this command line run", n)
	}
	if n := running(&keepalivedconf.Process{Args: []string{"no-such-process"}}); n != 0 {
		t.Errorf("%d processes of no name run", n)
	}
}

// patience bounds each wait for what happens within milliseconds on an idle machine.
const patience = 10 * time.Second

// await polls what nobody tells of.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}
