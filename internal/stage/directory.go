package stage

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const (
	directoryPrefix = "redkeep-stage-"
	makingPrefix    = "redkeep-making-"
	lockName        = "lock"
)

// directory is the stage's place on disk. A lock in it lasts as long as this process: a directory whose lock is free was
// left by a stage that got no chance to clean up, and the next stage removes it.
type directory struct {
	path string
	lock *os.File
}

func makeDirectory(parent string) (*directory, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	sweep(parent)
	path, err := os.MkdirTemp(parent, makingPrefix)
	if err != nil {
		return nil, fmt.Errorf("make stage's directory: %w", err)
	}
	d := &directory{path: path}
	if err := d.claim(parent); err != nil {
		os.RemoveAll(d.path)
		return nil, fmt.Errorf("make stage's directory: %w", err)
	}
	return d, nil
}

// claim locks the directory before it gets the name under which another stage would look for its lock.
func (d *directory) claim(parent string) error {
	lock, err := os.OpenFile(filepath.Join(d.path, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		return os.NewSyscallError("flock", err)
	}
	name := filepath.Join(parent, directoryPrefix+filepath.Base(d.path)[len(makingPrefix):])
	if err := os.Rename(d.path, name); err != nil {
		lock.Close()
		return err
	}
	d.path, d.lock = name, lock
	return nil
}

func (d *directory) close(keep bool) error {
	defer d.lock.Close()
	if keep {
		// Without its lock file the directory is no longer one that a sweep would take.
		return os.Remove(filepath.Join(d.path, lockName))
	}
	if err := os.RemoveAll(d.path); err != nil {
		return fmt.Errorf("remove stage's directory: %w", err)
	}
	return nil
}

// sweep removes what dead stages of this user left. What it can't remove it leaves: it is not this stage's concern.
func sweep(parent string) {
	found, err := filepath.Glob(filepath.Join(parent, directoryPrefix+"*"))
	if err != nil {
		return
	}
	for _, path := range found {
		lock, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDWR|unix.O_NOFOLLOW, 0)
		if err != nil {
			continue
		}
		if unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil && ours(lock) {
			os.RemoveAll(path)
		}
		lock.Close()
	}
}

// ours reports whether the file belongs to this user.
func ours(f *os.File) bool {
	var stat unix.Stat_t
	return unix.Fstat(int(f.Fd()), &stat) == nil && int(stat.Uid) == os.Getuid()
}
