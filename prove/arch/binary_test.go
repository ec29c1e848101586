package arch

import (
	"bytes"
	"debug/buildinfo"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mostBinary is the largest that the stripped binary may become, in bytes.
const mostBinary = 17 << 20

// modulesFile lists what may be in the binary, one module and its version a line.
const modulesFile = "modules.txt"

var update = flag.Bool("update", false, "rewrite "+modulesFile+" from the binary")

// TestBinary builds the product once, as the Makefile does, and looks at the result from outside.
func TestBinary(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the binary")
	}
	path := filepath.Join(t.TempDir(), "redkeep")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -dumpdep", "-o", path, module+"cmd/redkeep")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	var links bytes.Buffer
	build.Stderr = &links
	if err := build.Run(); err != nil {
		text := links.Bytes()
		t.Fatalf("build: %v\n%s", err, text[max(0, len(text)-2000):])
	}
	t.Run("linker", func(t *testing.T) { linker(t, path, links.String()) })
	t.Run("modules", func(t *testing.T) { modules(t, path) })
}

// linker wants no function that finds methods by name: with one, the linker keeps every exported method of everything,
// which costs megabytes. Templates are the usual way in.
func linker(t *testing.T, path, links string) {
	if !strings.Contains(links, "->") {
		t.Fatal("the linker did not print its dependencies")
	}
	for line := range strings.Lines(links) {
		if strings.Contains(line, "<ReflectMethod>") {
			t.Errorf("reaches reflection on methods: %s", strings.TrimSpace(line))
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > mostBinary {
		t.Errorf("the binary has %d bytes, more than %d", info.Size(), mostBinary)
	}
	t.Logf("the binary has %.1f MB", float64(info.Size())/1e6)
}

// modules compares what was linked with what was agreed on. A module that is listed and not linked yet is only
// reported; -update makes the two equal.
func modules(t *testing.T, path string) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var linked []string
	for _, m := range info.Deps {
		linked = append(linked, m.Path+" "+m.Version)
	}
	slices.Sort(linked)
	if *update {
		if err := os.WriteFile(modulesFile, []byte(strings.Join(linked, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(modulesFile)
	if err != nil {
		t.Fatal(err)
	}
	listed := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, m := range linked {
		if !slices.Contains(listed, m) {
			t.Errorf("%s is new in the binary: if that is meant, run go test ./prove/arch -run Binary -update and say in the commit who brought it", m)
		}
	}
	for _, m := range listed {
		if !slices.Contains(linked, m) {
			t.Logf("%s is listed and not linked", m)
		}
	}
}
