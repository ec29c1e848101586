package arch

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"redkeep/internal/stage/need"
)

// unwanted are paths of the machines that this was written on: they mean nothing to a reader. They are put together
// here so that this file does not contain them.
var unwanted = []string{"/" + "work/", "/" + "tmp/brief"}

// TestWords looks into every file that is or would be committed.
func TestWords(t *testing.T) {
	dir := root(t)
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = dir
	out, err := list.Output()
	if err != nil {
		need.Program(t, "git, or a checkout: ", err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			continue // listed and deleted since
		}
		for _, u := range unwanted {
			if bytes.Contains(text, []byte(u)) {
				t.Errorf("%s mentions %s", name, u)
			}
		}
	}
}
