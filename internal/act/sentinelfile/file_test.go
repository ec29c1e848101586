package sentinelfile

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newFile is a file in a directory of its own.
func newFile(t *testing.T, text string) *File {
	t.Helper()
	f, err := New(filepath.Join(t.TempDir(), "sentinel.conf"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(10 * time.Second); err != nil {
			t.Error(err)
		}
	})
	return f
}

// save saves and waits.
func save(t *testing.T, f *File, edit Edit) error {
	t.Helper()
	done := make(chan error, 1)
	f.Save(edit, func(err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("not saved in 10 s")
		return nil
	}
}

func text(s string) Edit { return func([]byte) ([]byte, error) { return []byte(s), nil } }

func is(t *testing.T, f *File, want string) {
	t.Helper()
	if got, err := os.ReadFile(f.path); err != nil || string(got) != want {
		t.Errorf("the file has %q (%v), want %q", got, err, want)
	}
	if all, err := os.ReadDir(filepath.Dir(f.path)); err != nil || len(all) != 1 {
		t.Errorf("in its directory: %v, %v", all, err)
	}
}

// TestSaveEditsWhatIsThere: a person's edit between two saves stays.
func TestSaveEditsWhatIsThere(t *testing.T) {
	f := newFile(t, "port 1\n")
	more := func(old []byte) ([]byte, error) { return append(old, "# more\n"...), nil }
	if err := save(t, f, more); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.path, []byte("port 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := save(t, f, more); err != nil {
		t.Fatal(err)
	}
	is(t, f, "port 2\n# more\n")
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	if err := save(t, f, more); err != nil {
		t.Fatal(err)
	}
	is(t, f, "# more\n")
}

// TestModeAndLink: as redis-sentinel leaves them.
func TestModeAndLink(t *testing.T) {
	mask := unix.Umask(0o027)
	defer unix.Umask(mask)
	f := newFile(t, "")
	real := filepath.Join(t.TempDir(), "real.conf")
	if err := errors.Join(os.WriteFile(real, []byte("old"), 0o600), os.Remove(f.path), os.Symlink(real, f.path)); err != nil {
		t.Fatal(err)
	}
	// A draft of a process that was killed, and that had this one's number.
	left, err := f.draft()
	if err != nil {
		t.Fatal(err)
	}
	_ = left.Close()
	if err := save(t, f, text("new")); err != nil {
		t.Fatal(err)
	}
	is(t, f, "new")
	if i, err := os.Lstat(f.path); err != nil || i.Mode() != 0o640 {
		t.Errorf("mode %v, %v", i.Mode(), err)
	}
	if old, err := os.ReadFile(real); err != nil || string(old) != "old" {
		t.Errorf("what the link led to has %q, %v", old, err)
	}
}

// TestFailureLeavesTheOldFile: an edit that refuses, a disk that fails, a text that could not be read again.
func TestFailureLeavesTheOldFile(t *testing.T) {
	f := newFile(t, "old")
	bad := errors.New("no")
	if err := save(t, f, func([]byte) ([]byte, error) { return nil, bad }); !errors.Is(err, bad) {
		t.Errorf("edit: %v", err)
	}
	if err := save(t, f, text(strings.Repeat("#", MaxFile+1))); !errors.Is(err, ErrTooLong) {
		t.Errorf("long: %v", err)
	}
	f.sync = func(*os.File) error { return unix.ENOSPC }
	if err := save(t, f, text("new")); !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), f.path) {
		t.Errorf("disk: %v", err)
	}
	is(t, f, "old")
	gone, err := New(filepath.Join(t.TempDir(), "gone", "x.conf"))
	if err != nil {
		t.Fatal(err)
	}
	if err := save(t, gone, text("new")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "directory writable") {
		t.Errorf("directory: %v", err)
	}
}

// TestLaterSavesSupersede: while the disk is slow many saves cost one more write, and each is told of it.
func TestLaterSavesSupersede(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFile(t, "old")
		slow, syncs := make(chan struct{}), 0
		f.sync = func(*os.File) error { syncs++; <-slow; return nil }
		var told []error
		f.Save(text("1"), func(err error) { told = append(told, err) })
		synctest.Wait()
		for _, s := range []string{"2", "3", "4"} {
			f.Save(text(s), func(err error) { told = append(told, err) })
		}
		synctest.Wait()
		if syncs != 1 || len(told) != 0 {
			t.Errorf("%d syncs, told %v", syncs, told)
		}
		for range maxWaiting - 3 {
			f.Save(text("5"), func(error) {})
		}
		refused := error(nil)
		f.Save(text("6"), func(err error) { refused = err })
		if !errors.Is(refused, ErrBusy) {
			t.Errorf("one too many: %v", refused)
		}
		before := time.Now()
		if err := f.Close(3 * time.Second); !errors.Is(err, ErrSlow) || time.Since(before) != 3*time.Second {
			t.Errorf("the end, while the disk hangs: %v after %v", err, time.Since(before))
		}
		close(slow)
		if err := f.Close(time.Second); err != nil {
			t.Error(err)
		}
		if syncs != 4 || len(told) != 4 || errors.Join(told...) != nil {
			t.Errorf("%d syncs of file and directory, told %v", syncs, told)
		}
		is(t, f, "5")
	})
}

func TestReadLimits(t *testing.T) {
	if _, err := Read("/dev/zero"); !errors.Is(err, ErrTooLong) {
		t.Errorf("endless: %v", err)
	}
	if _, err := Read(t.TempDir()); !errors.Is(err, unix.EISDIR) {
		t.Errorf("directory: %v", err)
	}
	if _, err := Read("/nonexistent"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if got, err := ReadFrom(bytes.NewBufferString("port 1"), "standard input"); err != nil || string(got) != "port 1" {
		t.Errorf("stream: %q, %v", got, err)
	}
}

// TestInclude follows Redis, and C's idea of a pattern.
func TestInclude(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"b.conf", "a.conf", ".c.conf", "other"} {
		if err := os.WriteFile(name, []byte(name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for pattern, want := range map[string]string{"*.conf": "a.conf b.conf", ".*.conf": ".c.conf", "./?.conf": "a.conf b.conf", "other": "other", "no*": ""} {
		text, err := Host{}.Read(pattern)
		if got := strings.Join(strings.Fields(string(text)), " "); err != nil || got != want {
			t.Errorf("%s: %v, %v", pattern, got, err)
		}
	}
	if _, err := (Host{}).Read("none"); !errors.Is(err, fs.ErrNotExist) || err.Error() != "No such file or directory" {
		t.Errorf("missing: %v", err)
	}
	if _, err := (Host{}).Read("[a"); err == nil {
		t.Error("a pattern without end is none")
	}
}

// TestHost: the errors are the words that Redis' banner has.
func TestHost(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	var h Host
	if err := errors.Join(os.Mkdir("sub", 0o755), os.WriteFile("script", nil, 0o755), os.WriteFile("text", nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	if !h.Executable("script") || h.Executable("text") || h.Executable("none") {
		t.Error("a script is not told from a text")
	}
	if at, err := h.Enter("sub"); err != nil || at != dir+"/sub" {
		t.Errorf("entered %s, %v", at, err)
	}
	if _, err := h.Enter("sub"); err == nil || err.Error() != "No such file or directory" {
		t.Errorf("entered what is not there: %v", err)
	}
	if err := h.Log("x.log"); err != nil {
		t.Error(err)
	}
	if err := h.Log("none/x.log"); err == nil || err.Error() != "No such file or directory" {
		t.Errorf("log: %v", err)
	}
}

// TestWritable asks for the right of this process, which root has nearly always: so another user asks for it.
func TestWritable(t *testing.T) {
	f := newFile(t, "")
	if err := Writable(f.path); err != nil {
		t.Error(err)
	}
	if err := Writable(f.path + "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	asked := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread, which is somebody else from here on, ends with the goroutine
		const keep, nobody = ^uintptr(0), 65534
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, keep, nobody, keep); errno != 0 && os.Geteuid() == 0 {
			asked <- errno
			return
		}
		asked <- Writable("/etc/passwd")
	}()
	if err := <-asked; !errors.Is(err, unix.EACCES) {
		t.Errorf("a user who may not: %v", err)
	}
}
