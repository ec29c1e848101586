package store

import (
	"errors"
	"fmt"
	"path/filepath"

	"redkeep/internal/act/lockfile"
)

// ErrHeld is that of a state directory which another process has open.
var ErrHeld = errors.New("held by another agent")

// lockDirectory takes the directory for this process.
func lockDirectory(dir string) (*lockfile.Lock, error) {
	lock, err := lockfile.Take(filepath.Join(dir, "lock"))
	if held := new(lockfile.HeldError); errors.As(err, &held) {
		return nil, fmt.Errorf("lock state directory %s: %w (process %s); stop that one, or give this one another --state-dir", dir, ErrHeld, held.PID)
	}
	if err != nil {
		return nil, fmt.Errorf("lock state directory: %w; make it writable, or choose another with --state-dir", err)
	}
	return lock, nil
}
