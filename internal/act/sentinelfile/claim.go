package sentinelfile

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Two processes with one file overwrite what the other keeps there, its votes too, and none of them sees it. So each has a lock on the file
// that it has put there. redis-sentinel neither takes it nor looks at it: to go back to that is not hindered.

// Claim takes the file's lock, and keeps it with each save until Close. It reports whether another process has it; this one may go on all
// the same, since that one may be about to end. It is called once, before the first Save.
func (f *File) Claim() (taken bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.claimed = true
	held, err := os.OpenFile(f.path, os.O_RDONLY|unix.O_NONBLOCK, 0) // which waits for nobody, be it a pipe
	if err != nil {
		return false // there will be one with the first save
	}
	if err := unix.Flock(int(held.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = held.Close()
		return errors.Is(err, unix.EWOULDBLOCK) // a file system may have no locks
	}
	f.held = held
	return false
}

// change puts a draft in the file's place, and closes it where nothing is claimed. Else it is locked before anybody finds it there.
func (f *File) change(draft *os.File) error {
	f.mu.Lock()
	claimed := f.claimed
	f.mu.Unlock()
	if !claimed || unix.Flock(int(draft.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		if err := draft.Close(); err != nil {
			return err
		}
		return os.Rename(draft.Name(), f.path)
	}
	if err := os.Rename(draft.Name(), f.path); err != nil {
		return errors.Join(err, draft.Close())
	}
	f.release()
	f.mu.Lock()
	f.held = draft
	f.mu.Unlock()
	return nil
}

// release gives the lock back that this process has.
func (f *File) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held != nil {
		_ = f.held.Close()
		f.held = nil
	}
}

// stale is how old a draft is that nobody writes any more, whatever its process' number says: that may be of another container.
const stale = time.Minute

// Sweep removes the drafts of this file that processes have left that were killed while they wrote.
func (f *File) Sweep() {
	dir, name := filepath.Split(f.path)
	all, err := os.ReadDir(dir)
	if err != nil {
		return // the first save says why
	}
	for _, entry := range all {
		middle, ours := strings.CutPrefix(entry.Name(), name+".")
		number, draft := strings.CutSuffix(middle, ".tmp")
		pid, err := strconv.Atoi(number)
		if !ours || !draft || err != nil || pid <= 0 || !errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			continue
		}
		if about, err := entry.Info(); err == nil && about.Mode().IsRegular() && time.Since(about.ModTime()) > stale {
			_ = os.Remove(filepath.Join(dir, entry.Name()))
		}
	}
}
