package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrHeld is that of a state directory which another process has open.
var ErrHeld = errors.New("held by another agent")

// lockDirectory takes the directory for this process. The kernel gives it back when the process ends, however it ends,
// so a lock file that was left behind means nothing. The file holds the holder's process ID, for the error of the next.
func lockDirectory(dir string) (*os.File, error) {
	path := filepath.Join(dir, "lock")
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock state directory: %w; make it writable, or choose another with --state-dir", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer file.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock state directory %s: %w (process %s); stop that one, or give this one another --state-dir",
				dir, ErrHeld, holder(file))
		}
		return nil, fmt.Errorf("lock state directory %s: %w", dir, err)
	}
	pid := strconv.AppendInt(nil, int64(os.Getpid()), 10)
	if err := errors.Join(file.Truncate(0), writeAt(file, append(pid, '\n'))); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", path, err), file.Close())
	}
	return file, nil
}

// holder reads the process ID in a lock file; "unknown" in the instant before the holder has written it.
func holder(file *os.File) string {
	text := make([]byte, 20)
	n, _ := file.ReadAt(text, 0)
	if pid := strings.TrimSpace(string(text[:n])); pid != "" {
		return pid
	}
	return "unknown"
}

func writeAt(file *os.File, b []byte) error {
	_, err := file.WriteAt(b, 0)
	return err
}
