package process

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"redkeep/internal/decide"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs a shell loop under a server's name, so that no server is needed to test what is the kernel's.
func start(t *testing.T, name, script string) *exec.Cmd {
	t.Helper()
	shell, err := exec.LookPath("dash")
	if err != nil {
		if shell, err = exec.LookPath("sh"); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(shell)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-c", "echo ready; "+script)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if _, err := out.Read(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	return cmd
}

const forever = "while :; do :; done"

func TestProveAndExit(t *testing.T) {
	cmd := start(t, "redis-server", forever)
	p, err := Prove(cmd.Process.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	select {
	case <-p.Exited():
		t.Fatal("exited before it was killed")
	default:
	}
	began := time.Now()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.Exited():
	case <-time.After(5 * time.Second):
		t.Fatal("the end was not noticed in 5 s")
	}
	t.Logf("end known after %v", time.Since(began))
	if state, _, _ := p.Sample(); state != decide.ProcessGone {
		t.Errorf("state %v of an ended process", state)
	}
}

func TestSampleTellsStoppedFromBusy(t *testing.T) {
	cmd := start(t, "valkey-server", forever)
	p, err := Prove(cmd.Process.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if state, _, _ := p.Sample(); state != decide.ProcessRunning {
		t.Errorf("state %v of a busy process", state)
	}
	if !until(t, func() bool { _, cpu, _ := p.Sample(); return cpu >= 50*time.Millisecond }) {
		t.Error("the CPU time of a busy process does not grow")
	}
	if err := cmd.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if !until(t, func() bool { state, _, _ := p.Sample(); return state == decide.ProcessStopped }) {
		t.Error("a stopped process is not told")
	}
}

// until polls a condition for at most 5 s.
func until(t *testing.T, is func() bool) bool {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		if is() {
			return true
		}
		<-tick.C
	}
	return false
}

func TestProveRefuses(t *testing.T) {
	named, other := start(t, "redis-server", forever), start(t, "some-tool", forever)
	for name, c := range map[string]struct {
		pid    int
		uptime time.Duration
		want   string
	}{
		"no number":     {0, 0, "no such number"},
		"nobody":        {1 << 29, 0, "not in this pid namespace"},
		"another name":  {other.Process.Pid, 0, `its name is "some-tool"`},
		"another start": {named.Process.Pid, time.Hour, "it started"},
	} {
		p, err := Prove(c.pid, c.uptime)
		if err == nil {
			p.Close()
		}
		if !errors.Is(err, ErrUnproven) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCloseEndsTheWatch(t *testing.T) {
	cmd := start(t, "keydb-server", forever)
	p, err := Prove(cmd.Process.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	p.Close()
	select {
	case <-p.Exited():
		t.Error("closing looks like an exit")
	default:
	}
}

func TestParseStat(t *testing.T) {
	s, err := parseStat("7 (a) R (b) T 1 7 7 0 -1 4194564 0 0 0 0 12 30 0 0 20 0 1 0 500 0 0\n")
	if err != nil {
		t.Fatal(err)
	}
	want := stat{name: "a) R (b", state: 'T', flags: 4194564, cpu: 420 * time.Millisecond, started: 5 * time.Second}
	if s != want {
		t.Errorf("%+v", s)
	}
	if s.classify() != decide.ProcessGone {
		t.Error("a process with PF_EXITING is gone")
	}
	if s = (stat{state: 'D', flags: 0x400200}); s.classify() != decide.ProcessGone {
		t.Error("a process that dumps core is gone")
	}
	for _, bad := range []string{"", "7 (a", "7 (a) R 1", strings.Replace("7 (a) R 1 7 7 0 -1 x 0 0 0 0 12 30 0 0 20 0 1 0 500", "", "", 1)} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add("7 (redis-server) S 1 7 7 0 -1 4194560 0 0 0 0 12 30 0 0 20 0 1 0 500 0 0\n")
	f.Fuzz(func(_ *testing.T, line string) { _, _ = parseStat(line) })
}
