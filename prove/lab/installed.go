package lab

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/need"
)

// installed is a host's own root directory: this machine's as it is, with all that is written kept apart and forgotten
// afterwards. Packages are installed into it as into a host, and the machine's own are never touched.
type installed struct {
	s    *Site
	h    string
	hold *stage.Process // whose mount namespace and root it is
	unit map[string]string
	runs int
}

// overlay makes the root and then only holds it. The stage's directory is seen at its own path, as the servers' files are
// named by it; /run/systemd/system tells maintainer scripts that there is a systemd, and what they ask of it comes to
// systemctl below.
const overlay = `
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
for d in /proc /dev /sys; do mount --rbind "$d" "$1/root$d"; done
mkdir -p "$1/root$2"; mount --bind "$2" "$1/root$2"
mount -t tmpfs tmpfs "$1/root/run"
mkdir -p "$1/root/run/systemd/system"
rm -f "$1/root/usr/sbin/policy-rc.d" "$1/root/usr/bin/systemctl"
cp "$2/systemctl" "$1/root/usr/bin/systemctl"; chmod 755 "$1/root/usr/bin/systemctl"
echo ready
exec chroot "$1/root" sleep infinity
`

// rooted gives a host a root of its own. Where this machine does not let it, the test is skipped.
func (s *Site) rooted(h string) *installed {
	s.t.Helper()
	dir := filepath.Join(s.Host(h).Dir(), "root")
	s.must(os.Mkdir(dir, 0o755), os.WriteFile(filepath.Join(s.Dir(), "systemctl"), []byte(systemctl), 0o755))
	var out said
	p, err := s.Host(h).Start(stage.Command{
		Name: "root", Path: "unshare", Output: &out,
		Args: []string{"--mount", "--propagation", "private", "sh", "-ec", overlay, "overlay", dir, s.Dir()},
	})
	s.must(err)
	for limit := time.After(10 * time.Second); !strings.Contains(out.String(), "ready\n"); {
		select {
		case <-p.Done():
			need.Right(s.t, "a root of its own can't be made on this machine: ", out.String())
		case <-limit:
			s.t.Fatalf("the root of %s is not made: %s", h, out.String())
		case <-time.After(5 * time.Millisecond):
		}
	}
	// The holder has said that it is ready, and then becomes another program, whose root is the new one.
	r := &installed{s: s, h: h, hold: p}
	s.await(5*time.Second, "root of "+h, func() bool {
		_, err := os.Stat(r.at("/run/systemd/system"))
		_, outside := os.Stat(r.at(dir + "/upper"))
		return err == nil && outside != nil
	})
	return r
}

// at is where a path of the host is for this process.
func (r *installed) at(path string) string {
	return fmt.Sprintf("/proc/%d/root%s", r.hold.Pid(), path)
}

// command is a program in the host's root. It becomes that program itself: signals reach it.
func (r *installed) command(argv ...string) stage.Command {
	args := []string{fmt.Sprintf("--target=%d", r.hold.Pid()), "--mount", "--root", "--wd", "--"}
	return stage.Command{Path: "nsenter", Args: append(args, argv...), Env: []string{"DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"}}
}

// typed runs a command to its end, and meanwhile does what it asks of systemd.
func (r *installed) typed(argv ...string) (text string, code int) {
	r.s.t.Helper()
	r.runs++
	var out said
	c := r.command(argv...)
	c.Name, c.Output = fmt.Sprintf("typed-%d", r.runs), &out
	p, err := r.s.Host(r.h).Start(c)
	r.s.must(err)
	again, limit := time.NewTicker(5*time.Millisecond), time.After(time.Minute)
	defer again.Stop()
	for {
		select {
		case <-again.C:
			r.serve()
			continue
		case <-limit:
			r.s.t.Fatalf("%v on %s does not end: %s", argv, r.h, out.String())
		case <-p.Done():
		}
		break
	}
	_, err = p.End()
	if exit, failed := err.(*exec.ExitError); failed { //nolint:errorlint // as the process gave it
		code = exit.ExitCode()
	} else {
		r.s.must(err)
	}
	r.s.mark("%s# %s: %d", r.h, strings.Join(argv, " "), code)
	r.s.t.Logf("%s# %s\n%s", r.h, strings.Join(argv, " "), out.String())
	return out.String(), code
}

// want runs a command that must end with a code and print these texts.
func (r *installed) want(code int, argv []string, texts ...string) {
	r.s.t.Helper()
	text, got := r.typed(argv...)
	if got != code {
		r.s.t.Fatalf("%v on %s: exit code %d, want %d", argv, r.h, got, code)
	}
	for _, w := range texts {
		if !strings.Contains(text, w) {
			r.s.t.Errorf("%v on %s: no %q", argv, r.h, w)
		}
	}
}

// said collects what a program prints.
type said struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (o *said) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *said) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
