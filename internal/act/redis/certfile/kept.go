package certfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// kept is what was last read from some files and found good. The zero value has read nothing.
type kept[T any] struct {
	mu     sync.Mutex // guards all below
	good   T
	known  bool
	stamps []stamp
}

// newest returns what the files have now, or where that is of no use what they had. read is told whether there is something
// to fall back on.
func (k *kept[T]) newest(remark func(string), read func(again bool) (T, error), paths ...string) (T, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var now []stamp
	for _, p := range paths {
		now = append(now, stampOf(p))
	}
	if k.known && slices.Equal(now, k.stamps) {
		return k.good, nil
	}
	found, err := read(k.known)
	switch {
	case err == nil:
		k.good, k.known, k.stamps = found, true, now
	case k.known:
		remark(fmt.Sprintf("the last good certificates stay in use: %v", err))
	default:
		return found, err
	}
	return k.good, nil
}

// stamp tells a file from what it becomes.
type stamp struct {
	inode   uint64
	size    int64
	changed time.Time
}

// stampOf is zero for a file that can't be seen.
func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	s := stamp{size: info.Size(), changed: info.ModTime()}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		s.inode = stat.Ino
	}
	return s
}

// readPEM reads a file, and the mode of the very file that was read.
func readPEM(path string) ([]byte, fs.FileMode, error) {
	const most = 1 << 20                                              // several times what an operating system trusts
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // which waits for nobody, be it a pipe
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, &fs.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
	}
	text, err := io.ReadAll(io.LimitReader(file, most))
	return text, info.Mode(), err
}
