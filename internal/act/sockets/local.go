package sockets

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// ListenLocal takes connections of this host at a file that it makes, with that mode, or with what the umask leaves where mode is 0. A
// socket that nobody listens at any more is replaced; no other file is, nor one that somebody listens at. Connections have no
// addresses. Close removes the file, if it is still the one.
func (l *Loop) ListenLocal(path string, mode fs.FileMode, backlog int, accept func(*Conn) Handler) (*Listener, error) {
	if l.ended {
		return nil, ErrEnded
	}
	fd, file, err := listenFile(path, mode, backlog)
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", path, err)
	}
	ln := &Listener{loop: l, fd: int32(fd), file: file}
	if err := ln.begin(accept); err != nil {
		return nil, fmt.Errorf("listen at %s: %w", path, err)
	}
	return ln, nil
}

// listenFile makes the socket. Nobody can connect before the file's mode is what it is to be.
func listenFile(path string, mode fs.FileMode, backlog int) (fd int, file *socketFile, err error) {
	if err := vacate(path); err != nil {
		return -1, nil, err
	}
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, nil, err
	}
	defer func() {
		if err == nil {
			return
		}
		_ = unix.Close(fd)
		if file != nil {
			file.remove()
		}
	}()
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return -1, nil, err
	}
	if file, err = newSocketFile(path); err != nil {
		return -1, nil, err
	}
	if mode != 0 {
		if err := os.Chmod(path, mode); err != nil {
			return -1, file, err
		}
	}
	return fd, file, unix.Listen(fd, backlog)
}

// vacate removes a socket that a process left which ended without a word.
func vacate(path string) error {
	i, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case i.Mode().Type() != fs.ModeSocket:
		return errors.New("there is another file, and no socket")
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	switch err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err {
	case nil, unix.EAGAIN:
		return unix.EADDRINUSE
	case unix.ECONNREFUSED:
		return os.Remove(path)
	case unix.ENOENT:
		return nil // somebody else has removed it meanwhile
	default:
		return err // it says nothing of whether somebody listens: a socket of another type, or one that this process may not use
	}
}

// socketFile is the file of a socket, which another process may have replaced by its own.
type socketFile struct {
	path string
	is   fs.FileInfo
}

func newSocketFile(path string) (*socketFile, error) {
	is, err := os.Lstat(path)
	return &socketFile{path, is}, err
}

// remove removes it, if it is still there.
func (f *socketFile) remove() {
	if now, err := os.Lstat(f.path); err == nil && f.is != nil && os.SameFile(now, f.is) {
		_ = os.Remove(f.path) // at worst the next one finds a socket at which nobody listens
	}
}
