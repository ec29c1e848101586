package keepalivedconf

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"redkeep/internal/stage/need"
)

// TestAsKeepalived holds the reader against keepalived itself: what that takes without a complaint has no errors, and the
// repaired goldens are taken by it.
func TestAsKeepalived(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/real/accepted.txtar")
	if err != nil {
		t.Fatal(err)
	}
	codes := asKeepalived(t, archive.Files)
	for _, f := range archive.Files {
		_, err := Parse(f.Name, f.Data, nil)
		if code := codes[f.Name]; code != "0" {
			t.Errorf("%s: keepalived itself complains: %s", f.Name, code)
		}
		if err != nil {
			t.Errorf("%s: keepalived takes it, and here it is\n%v", f.Name, err)
		}
	}
}

// asKeepalived has keepalived check files, in a network of their own, and returns its exit codes.
func asKeepalived(t *testing.T, files []txtar.File) map[string]string {
	t.Helper()
	keepalived, err := exec.LookPath("keepalived")
	if err != nil {
		need.Program(t, "keepalived: ", err)
	}
	dir := t.TempDir()
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	script := `ip link add eth0 type veth peer name p0 && ip addr add 10.9.0.1/24 dev eth0 && ip link set eth0 up && ip link set p0 up && ip link set lo up || exit 9
for f in *.conf; do timeout 10 "$0" -t -f "$PWD/$f" >"$f.out" 2>&1; echo "$f $?"; done`
	run := exec.Command("unshare", "--net", "sh", "-c", script, keepalived)
	run.Dir = dir
	out, err := run.Output()
	if err != nil {
		need.Right(t, "a network namespace: ", err)
	}
	codes := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		var name, code string
		if _, err := fmt.Sscan(line, &name, &code); err == nil {
			if said, _ := os.ReadFile(filepath.Join(dir, name+".out")); code != "0" {
				code += "\n" + string(said)
			}
			codes[name] = code
		}
	}
	return codes
}
