package sentinelfile

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestClaim is noticed by whoever claims the same file, after any number of saves, and over when the first ends.
func TestClaim(t *testing.T) {
	first := newFile(t, "old")
	second := func() bool {
		f, err := New(first.path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := f.Close(time.Second); err != nil {
				t.Error(err)
			}
		}()
		return f.Claim()
	}
	if second() || first.Claim() {
		t.Error("it is taken before anybody has claimed it")
	}
	for i := range 3 {
		if !second() {
			t.Errorf("after %d saves nobody has it", i)
		}
		if err := save(t, first, text(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		is(t, first, fmt.Sprint(i))
	}
	first.sync = func(*os.File) error { return unix.ENOSPC }
	if err := save(t, first, text("new")); !errors.Is(err, unix.ENOSPC) {
		t.Error(err)
	}
	if is(t, first, "2"); !second() {
		t.Error("a save that fails gives it away")
	}
	if err := first.Close(time.Second); err != nil || second() {
		t.Errorf("after its end somebody has it still; %v", err)
	}
}

// TestSweep removes drafts of processes that are gone, and nothing else.
func TestSweep(t *testing.T) {
	f := newFile(t, "")
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	gone, long := ended.Process.Pid, time.Now().Add(-2*stale)
	kept := []string{
		fmt.Sprintf("sentinel.conf.%d.tmp", os.Getppid()), fmt.Sprintf("sentinel.conf.%d.tmp.old", gone), fmt.Sprintf("other.conf.%d.tmp", gone),
		"sentinel.conf.x.tmp", "sentinel.conf.-1.tmp", "sentinel.conf.tmp", "sentinel.conf",
	}
	dir := filepath.Dir(f.path)
	for _, name := range append([]string{fmt.Sprintf("sentinel.conf.%d.tmp", gone)}, kept...) {
		if err := errors.Join(os.WriteFile(filepath.Join(dir, name), nil, 0o600), os.Chtimes(filepath.Join(dir, name), long, long)); err != nil {
			t.Fatal(err)
		}
	}
	young := fmt.Sprintf("sentinel.conf.0%d.tmp", gone)
	if err := os.WriteFile(filepath.Join(dir, young), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f.Sweep()
	kept = append(kept, young)
	all, err := os.ReadDir(dir)
	if err != nil || len(all) != len(kept) {
		t.Errorf("%v, %v", all, err)
	}
	for _, entry := range all {
		if !slices.Contains(kept, entry.Name()) {
			t.Errorf("%s is still there", entry.Name())
		}
	}
}
