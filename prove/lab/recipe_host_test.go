package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage"
)

// printedHost is a host as a recipe has it: with the addresses that it prints, and a root directory in which every path that it
// prints can be made. The programs and libraries are this machine's; all that is written is the host's own.
type printedHost struct {
	*stage.Host
	t       *testing.T
	address string
	root    string
	runs    int
}

// printedNetwork gives the hosts of a stage the addresses of a recipe, and no others.
func printedNetwork(t *testing.T, st *stage.Stage, addresses map[string]string) map[string]*printedHost {
	t.Helper()
	hosts := map[string]*printedHost{}
	for name, address := range addresses {
		h := &printedHost{Host: st.Host(name), t: t, address: address, root: filepath.Join(st.Host(name).Dir(), "root")}
		h.must(h.AddAddress(netip.MustParsePrefix(address+"/24")), h.RemoveAddress(netip.PrefixFrom(h.Addr(), 24)))
		h.furnish()
		hosts[name] = h
	}
	return hosts
}

// ofMachine are the directories that a host has from this machine.
var ofMachine = []string{"bin", "dev", "lib", "lib32", "lib64", "libx32", "proc", "sbin", "sys", "usr"}

// furnish makes the root. Where /bin and its like are links, so they are here; the others are mounted by what runs.
func (h *printedHost) furnish() {
	h.t.Helper()
	for _, dir := range []string{"data", "etc", "opt", "root", "run", "tmp", "var/run", "usr-sbin"} {
		h.must(os.MkdirAll(h.at(dir), 0o755))
	}
	for _, dir := range ofMachine {
		info, err := os.Lstat("/" + dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err == nil && info.Mode()&fs.ModeSymlink != 0:
			to, err := os.Readlink("/" + dir)
			h.must(err, os.Symlink(to, h.at(dir)))
		default:
			h.must(err, os.Mkdir(h.at(dir), 0o755))
		}
	}
	for _, name := range []string{"redis-cli", "ip", "arping"} {
		if path, err := exec.LookPath(name); err == nil {
			path, err = filepath.EvalSymlinks(path)
			h.must(err, os.Symlink(path, h.at("usr-sbin/"+name)))
		}
	}
	// Everybody is root here.
	h.write("/usr-sbin/sudo", "#!/bin/sh\nexec \"$@\"\n", 0o755)
	h.write("/etc/nsswitch.conf", "hosts: files\n", 0o644)
	h.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n", 0o644)
}

// install puts a program into the host, under a name of the recipe's: Redis' own binaries are one, and act by their name.
func (h *printedHost) install(path, program string) {
	h.t.Helper()
	h.must(os.MkdirAll(filepath.Dir(h.at(path)), 0o755))
	from, err := os.Open(program)
	h.must(err)
	defer from.Close()
	to, err := os.OpenFile(h.at(path), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	h.must(err)
	_, err = io.Copy(to, from)
	h.must(err, to.Close())
}

// at is where a path of the host is on this machine.
func (h *printedHost) at(path string) string { return filepath.Join(h.root, path) }

// write makes a file of the host.
func (h *printedHost) write(path, text string, mode os.FileMode) {
	h.t.Helper()
	h.must(os.MkdirAll(filepath.Dir(h.at(path)), 0o755), os.WriteFile(h.at(path), []byte(text), mode))
}

// put makes a file of the host from one that stands beside the tests.
func (h *printedHost) put(path, source string, mode os.FileMode) string {
	h.t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata/recipes", source))
	h.must(err)
	h.write(path, string(text), mode)
	return string(text)
}

// text is what a file of the host has; empty where there is none.
func (h *printedHost) text(path string) string {
	text, err := os.ReadFile(h.at(path))
	if !errors.Is(err, fs.ErrNotExist) {
		h.must(err)
	}
	return string(text)
}

// inRoot is how each program of the host begins: in a mount namespace, so that this machine's own mounts are as they were.
const inRoot = `for d in bin dev lib lib32 lib64 libx32 proc sbin sys usr; do
	if [ -d "$HOUSE/$d" ] && [ ! -L "$HOUSE/$d" ]; then mount --rbind "/$d" "$HOUSE/$d"; fi
done
mount --bind "$HOUSE/usr-sbin" "$HOUSE/usr/sbin"
exec chroot "$HOUSE" /bin/sh -c "$1"`

// start starts a command line on the host. Redis' programs are found where the recipes put them.
func (h *printedHost) start(name, line string, output io.Writer) *stage.Process {
	h.t.Helper()
	p, err := h.Start(stage.Command{
		Name: name, Path: "unshare", Args: []string{"--mount", "--propagation", "private", "/bin/sh", "-ec", inRoot, "root", line},
		Env:    []string{"HOUSE=" + h.root, "HOME=/root", "PATH=/data/service/redis/bin:" + os.Getenv("PATH") + ":/usr/sbin:/usr/bin:/bin"},
		Output: output,
	})
	h.must(err)
	return p
}

// sh runs a command line on the host to its end, and returns what it printed and its exit code.
func (h *printedHost) sh(line string) (text string, code int) {
	h.t.Helper()
	h.runs++
	var out said
	p := h.start(fmt.Sprintf("typed-%d", h.runs), line, &out)
	ctx, cancel := context.WithTimeout(h.t.Context(), typedLimit)
	defer cancel()
	select {
	case <-p.Done():
	case <-ctx.Done():
		_, err := p.Kill()
		h.t.Fatalf("%s# %s: %v, %v: %s", h.Name(), line, ctx.Err(), err, out.String())
	}
	_, err := p.End()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out.String(), exit.ExitCode()
	}
	h.must(err)
	return out.String(), 0
}

// says runs a command line that must succeed, and returns what it printed.
func (h *printedHost) says(line string) string {
	h.t.Helper()
	text, code := h.sh(line)
	if code != 0 {
		h.t.Fatalf("%s# %s: exit code %d: %s", h.Name(), line, code, text)
	}
	return text
}

// awaits asks with a command line until what it prints has all these texts.
func (h *printedHost) awaits(within time.Duration, line string, texts ...string) {
	h.t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		text, _ := h.sh(line)
		missing := ""
		for _, want := range texts {
			if !strings.Contains(text, want) {
				missing = want
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(end) {
			h.t.Fatalf("%s# %s: no %q within %v: %s", h.Name(), line, missing, within, text)
		}
	}
}

func (h *printedHost) must(errs ...error) {
	h.t.Helper()
	if err := errors.Join(errs...); err != nil {
		h.t.Fatal(err)
	}
}
