package lockfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Lock is a file that this process has.
type Lock struct {
	file *os.File
	path string
}

// HeldError is that another process has the file.
type HeldError struct {
	// PID is its number, "unknown" in the instant before it has written that.
	PID string
}

// Error says whose it is.
func (e *HeldError) Error() string { return "process " + e.PID + " has it" }

// mostTurns is how often a file is tried that others give back at the very moment.
const mostTurns = 8

// Take makes the file if it is not there, locks it, and writes this process's number into it. The error is a *HeldError where another one has it,
// and fs.ErrNotExist where its directory is not there.
func Take(path string) (*Lock, error) {
	for range mostTurns {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
		if err != nil {
			return nil, err // which has the path
		}
		l := &Lock{file, path}
		if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			if errors.Is(err, unix.EWOULDBLOCK) {
				err = &HeldError{holder(file)}
			}
			_ = file.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if !l.named() { // Whoever had it has removed it between the two calls.
			_ = file.Close()
			continue
		}
		if err := l.sign(); err != nil {
			l.Remove()
			return nil, fmt.Errorf("write %s: %w", path, err)
		}
		return l, nil
	}
	return nil, fmt.Errorf("lock %s: others come and go", path)
}

// Path is the file's name, as Take got it.
func (l *Lock) Path() string { return l.path }

// Close gives the file back, and leaves it where it is.
func (l *Lock) Close() error { return l.file.Close() }

// Remove gives the file back and takes it away, in the order in which nobody loses what he has just locked. One that somebody has removed meanwhile,
// so that another process could make it anew, is that one's.
func (l *Lock) Remove() {
	if l.named() {
		_ = os.Remove(l.path) // What is left behind means nothing.
	}
	_ = l.file.Close()
}

// named reports whether the file still has its name.
func (l *Lock) named() bool {
	ours, err := l.file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(l.path)
	return err == nil && os.SameFile(ours, there)
}

// sign writes this process's number, for the error of the next one.
func (l *Lock) sign() error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt(append(strconv.AppendInt(nil, int64(os.Getpid()), 10), '\n'), 0)
	return err
}

// IsHeld reports whether a living process has a file, or whether that can't be told.
func IsHeld(path string) bool {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	defer func() { _ = file.Close() }()
	return unix.Flock(int(file.Fd()), unix.LOCK_SH|unix.LOCK_NB) != nil
}

// HolderOf is the process whose number is in a file, "unknown" for none.
func HolderOf(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return unknown
	}
	defer func() { _ = file.Close() }()
	return holder(file)
}

const unknown = "unknown"

func holder(file *os.File) string {
	text := make([]byte, 20)
	n, _ := file.ReadAt(text, 0)
	if pid := strings.TrimSpace(string(text[:n])); pid != "" {
		return pid
	}
	return unknown
}
