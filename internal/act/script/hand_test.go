package script

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stage is a hand whose reports a test awaits.
type stage struct {
	*testing.T
	*Hand
	reports chan Report
}

func newStage(t *testing.T) stage {
	t.Helper()
	reports := make(chan Report, 64)
	h, err := New(func(r Report) { reports <- r })
	if err != nil {
		t.Fatal(err)
	}
	return stage{t, h, reports}
}

// next awaits a report.
func (s stage) next() Report {
	s.Helper()
	select {
	case r := <-s.reports:
		return r
	case <-time.After(10 * time.Second):
		s.Fatal("no report in 10 s")
		return Report{}
	}
}

// script writes an executable file.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestArgumentsDirectoryEnvironmentAndCode(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("SEEN", "yes, $HOME")
	path := script(t, `#!/bin/sh
{ pwd -P; echo "$SEEN"; for a in "$0" "$@"; do echo "<$a>"; done; } > out
exit 3
`)
	s := newStage(t)
	s.Start(7, []string{path, "+sdown", "", "a b;$(id) *"})
	if r := s.next(); r.ID != 7 || r.What != Started || r.PID <= 1 {
		t.Errorf("first: %+v", r)
	}
	if r := s.next(); r != (Report{ID: 7, What: Exited, Code: 3}) {
		t.Errorf("then: %+v", r)
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := real + "\nyes, $HOME\n<" + path + ">\n<+sdown>\n<>\n<a b;$(id) *>\n"
	if got, err := os.ReadFile("out"); err != nil || string(got) != want {
		t.Errorf("the script saw %q (%v), want %q", got, err, want)
	}
}

// TestNoDescriptorLeaks: not what is opened without the flag before the hand is made, nor what Go opens after.
func TestNoDescriptorLeaks(t *testing.T) {
	for name, mark := range map[string]func(int) error{"at once": closeOnExec, "one by one": closeEachOnExec} {
		fd, err := unix.Open(os.DevNull, unix.O_RDONLY, 0) // as if inherited
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		s := newStage(t)
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
			t.Fatal(err)
		}
		if err := mark(3); err != nil {
			t.Fatal(err)
		}
		later, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer later.Close()
		out := filepath.Join(t.TempDir(), "out")
		s.Start(1, []string{script(t, "#!/bin/sh\n/bin/ls /proc/$$/fd > \"$1\"\n"), out})
		s.next()
		if r := s.next(); r.Code != 0 || r.Signal != 0 {
			t.Fatalf("%s: %+v", name, r)
		}
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		// A shell holds its script, and what it redirects, at 10 and above.
		open := strings.Fields(string(text))
		open = slices.DeleteFunc(open, func(fd string) bool { n, err := strconv.Atoi(fd); return err == nil && n >= 10 && n <= 12 })
		if strings.Join(open, " ") != "0 1 2" {
			t.Errorf("%s: the script has descriptors %v", name, open)
		}
	}
}

// TestKillAndSignals: a kill ends it, and a signal of another's is told as one.
func TestKillAndSignals(t *testing.T) {
	s := newStage(t)
	s.Start(1, []string{script(t, "#!/bin/sh\nwhile :; do :; done\n")})
	if r := s.next(); r.What != Started {
		t.Fatalf("%+v", r)
	}
	s.Kill(2) // nobody
	s.Kill(1)
	if r := s.next(); r != (Report{ID: 1, What: Exited, Signal: 9}) {
		t.Errorf("killed: %+v", r)
	}
	s.Kill(1) // gone
	s.Start(2, []string{script(t, "#!/bin/sh\nkill -TERM $$\n")})
	s.next()
	if r := s.next(); r.Signal != 15 || r.Code != 0 {
		t.Errorf("signalled: %+v", r)
	}
}

// TestStartInOrder: what is told of events in their order begins in that order too.
func TestStartInOrder(t *testing.T) {
	s, path := newStage(t), script(t, "#!/bin/sh\n")
	const jobs = 16
	for id := range uint64(jobs) {
		s.Start(id, []string{path})
	}
	next, last := uint64(0), 0
	for range 2 * jobs {
		r := s.next()
		if r.What != Started {
			continue
		}
		if r.ID != next || r.PID < last && last-r.PID < 1000 {
			t.Errorf("job %d starts as process %d after %d, in the place of job %d", r.ID, r.PID, last, next)
		}
		next, last = r.ID+1, r.PID
	}
}

// TestStuckStartHoldsUpNobody for long: a script of another file system still runs.
func TestStuckStartHoldsUpNobody(t *testing.T) {
	s := newStage(t)
	s.last = make(chan struct{}) // of a start that does not end
	s.Start(1, []string{script(t, "#!/bin/sh\n")})
	if r := s.next(); r.What != Started {
		t.Errorf("%+v", r)
	}
	s.next()
}

// TestWhatCannotBeExecuted ends as Redis' child would, whose exec fails: with 2, which is not worth another run.
func TestWhatCannotBeExecuted(t *testing.T) {
	s := newStage(t)
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, []byte("#!/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/nonexistent", plain, t.TempDir(), script(t, "echo no interpreter\n"), script(t, "#!/nonexistent\n")} {
		s.Start(1, []string{path, "a"})
		if r := s.next(); r.What != Exited || r.Code != 2 || r.Signal != 0 || r.Err == nil || !strings.Contains(r.Err.Error(), path) {
			t.Errorf("%s: %+v", path, r)
		}
	}
	for _, full := range []error{unix.EAGAIN, unix.ENOMEM, unix.EMFILE} {
		if r := unstarted(1, &os.PathError{Op: "fork/exec", Path: "/x", Err: full}); r.What != Unstarted {
			t.Errorf("%v: %+v", full, r)
		}
	}
}
