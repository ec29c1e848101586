package sentinelfile

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Host is what reading a configuration needs of this host, but for the users' rules: sentinelconf.Machine's other four. Relative
// paths begin at the working directory, which Enter changes for the whole process.
type Host struct{}

// Read returns the text of a file, or of all that match a pattern, one after the other.
func (Host) Read(path string) ([]byte, error) {
	text, err := include(path)
	return text, Bare(err)
}

// Enter changes the working directory, and returns its absolute path.
func (Host) Enter(dir string) (string, error) {
	if err := os.Chdir(dir); err != nil {
		return "", Bare(err)
	}
	path, err := os.Getwd()
	return path, Bare(err)
}

// Log opens a log file for appending, which makes one if there is none.
func (Host) Log(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return Bare(err)
	}
	return f.Close()
}

// Executable reports whether this process may execute a file. Redis asks the same way, and takes a directory for one.
func (Host) Executable(path string) bool {
	return unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS) == nil
}

// Writable says why a file can't be written by this process, nil if it can. A Sentinel that could not keep its votes must not start;
// the right to replace the file, which is its directory's, shows with the first save.
func Writable(name string) error {
	if err := unix.Faccessat(unix.AT_FDCWD, name, unix.W_OK, unix.AT_EACCESS); err != nil {
		return fmt.Errorf("write configuration %s: %w", name, err)
	}
	return nil
}

// bare is an error that reads as C's strerror has it.
type bare struct{ error }

func (b bare) Error() string { return strings.ToUpper(b.error.Error()[:1]) + b.error.Error()[1:] }
func (b bare) Unwrap() error { return b.error }

// Bare cuts an error down to the kernel's part of it, in the words that Redis' messages have. One that isn't the kernel's stays.
func Bare(err error) error {
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		return bare{errno}
	}
	return err
}
