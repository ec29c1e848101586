package keepalivedconf

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"redkeep/internal/stage/need"
)

// TestAsKeepalived holds the reader against keepalived itself: what that takes without a complaint has no errors.
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

// TestRepairedOnKeepalived has keepalived read the repaired goldens that are good: it may miss programs and interfaces, and must
// find nothing wrong with the text.
func TestRepairedOnKeepalived(t *testing.T) {
	var files []txtar.File
	for _, name := range goldens(t) {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range archive.Files {
			if f.Name == "repaired" && !strings.Contains(string(archive.Files[i+1].Data), "a.conf:") {
				files = append(files, txtar.File{Name: filepath.Base(name) + ".conf", Data: f.Data})
			}
		}
	}
	if len(files) < 5 {
		t.Fatalf("%d repaired goldens", len(files))
	}
	for name, code := range asKeepalived(t, files) {
		for _, bad := range []string{"Unknown keyword", "Unexpected '{'", "Extra '}'", "missing '}'", "Missing '{'", "invalid number", "invalid IP"} {
			if strings.Contains(code, bad) {
				t.Errorf("%s: %s", name, code)
				break
			}
		}
	}
}

// TestWhatKeepalivedComplainsOf tries lines on keepalived, and wants that none of its complaints goes without a word here.
func TestWhatKeepalivedComplainsOf(t *testing.T) {
	const head = "global_defs {\n enable_script_security\n script_user root\n%s}\n"
	const instance = "vrrp_instance V {\n interface eth0\n virtual_router_id 5\n virtual_ipaddress {\n  %s\n }\n%s}\n"
	const check = "vrrp_script c {\n script \"/bin/true\"\n%s}\n"
	frames := map[string]func(lines string) string{
		"global":    func(l string) string { return fmt.Sprintf(head, l) + fmt.Sprintf(instance, "10.9.0.100", "") },
		"instance":  func(l string) string { return fmt.Sprintf(head, "") + fmt.Sprintf(instance, "10.9.0.100", l) },
		"addresses": func(l string) string { return fmt.Sprintf(head, "") + fmt.Sprintf(instance, l, "") },
		"script": func(l string) string {
			return fmt.Sprintf(head, "") + fmt.Sprintf(check, l) + fmt.Sprintf(instance, "10.9.0.100", " track_script {\n  c\n }\n")
		},
		"outside": func(l string) string { return fmt.Sprintf(head, "") + fmt.Sprintf(instance, "10.9.0.100", "") + l },
	}
	fine := []string{ // of other versions of keepalived, or harmless
		"timer_expired_backup", "vrrp_startup_delay 0", "dynamic_interfaces foo", "10.9.0.100 brd -",
	}
	archive, err := txtar.ParseFile("testdata/real/complaints.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var files []txtar.File
	lines := make(map[string]string)
	for _, f := range archive.Files {
		for line := range strings.Lines(string(f.Data)) {
			name := fmt.Sprintf("f%03d.conf", len(files))
			lines[name] = strings.TrimSuffix(line, "\n")
			files = append(files, txtar.File{Name: name, Data: []byte(frames[f.Name](strings.ReplaceAll(line, " / ", "\n")))})
		}
	}
	host := fakeHost{
		lines: []string{"interface eth0 10.9.0.1/24", "interface p0", "interface lo 127.0.0.1/8", "user root", "user keepalived_script"},
		files: []txtar.File{{Name: "/bin/true 755"}},
	}
	codes := asKeepalived(t, files)
	for _, f := range files {
		c, err := Parse(f.Name, f.Data, including(nil))
		silent := err == nil && len(c.Warnings)+len(c.On(host)) == 0
		if silent && !strings.HasPrefix(codes[f.Name], "0") && !slices.Contains(fine, lines[f.Name]) {
			t.Errorf("%s: nothing is said here, and keepalived says %s", lines[f.Name], codes[f.Name])
		}
	}
}
