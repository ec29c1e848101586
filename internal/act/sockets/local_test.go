package sockets

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestLocal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	left, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l := running(t, Config{KeepAlive: time.Minute}, func(l *Loop) {
		if _, err := l.ListenLocal(path, 0, 1, nil); !errors.Is(err, unix.EADDRINUSE) {
			t.Errorf("somebody listens there: %v", err)
		}
		left.(*net.UnixListener).SetUnlinkOnClose(false)
		left.Close()
	})
	var ln *Listener
	on(t, l, func() {
		if ln, err = l.ListenLocal(path, 0o600, 8, func(*Conn) Handler { return &played{received: echo} }); err != nil {
			t.Error(err)
		}
	})
	if i, err := os.Stat(path); err != nil || i.Mode() != os.ModeSocket|0o600 {
		t.Errorf("%v, %v", i, err)
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if err := ask(conn, "hello\n"); err != nil {
		t.Error(err)
	}
	on(t, l, ln.Close)
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is left: %v", err)
	}
}

// TestLocalFilesOfOthers stay: what is no socket, and the socket of who came after.
func TestLocalFilesOfOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l := running(t, Config{}, nil)
	on(t, l, func() {
		if _, err := l.ListenLocal(path, 0, 1, nil); err == nil {
			t.Error("a file is no socket")
		}
		_ = os.Remove(path)
		ln, err := l.ListenLocal(path, 0, 1, nil)
		if err != nil {
			t.Error(err)
			return
		}
		_ = os.Remove(path)
		later, err := net.Listen("unix", path)
		if err != nil {
			t.Error(err)
			return
		}
		defer later.Close()
		ln.Close()
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("another's socket: %v", err)
		}
	})
}

// TestLocalUnsure: a socket that says nothing of whether somebody listens at it stays, and the error is told.
func TestLocalUnsure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	other, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	l := running(t, Config{}, nil)
	on(t, l, func() {
		if _, err := l.ListenLocal(path, 0, 1, nil); !errors.Is(err, unix.EPROTOTYPE) {
			t.Errorf("a socket of another type: %v", err)
		}
	})
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("another's socket: %v", err)
	}
}
