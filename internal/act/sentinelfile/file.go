package sentinelfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// ErrBusy is what a save gets when more wait than any Sentinel has reasons to save: the disk has not answered for long.
var ErrBusy = errors.New("too many saves wait for the disk; look why it does not answer")

// ErrSlow is what Close gets when its bound is over and something is still being written.
var ErrSlow = errors.New("the disk has not answered in time, and what was not saved by then is not; look why it does not answer")

// maxWaiting is how many saves may wait: one for each client that a Sentinel serves, and for each of thousands of masters.
const maxWaiting = 1 << 16

// Edit makes the text that is to be in the file out of the one that is there, which is nil if there is no file any more. It runs
// on the hand's goroutine, so what it refers to must not change.
type Edit func(old []byte) ([]byte, error)

// File is a Sentinel's own file. Its methods are for any goroutine.
type File struct {
	path string

	mu sync.Mutex
	// idle is closed when the goroutine that writes has ended; nil while there is none.
	idle chan struct{}
	// edit is the last that was given, nil if none waits; waiting are the functions to tell.
	edit    Edit
	waiting []func(error)

	// held is the lock of the file that is there, while this process has claimed it.
	held    *os.File
	claimed bool

	// sync is os.File.Sync but in tests of a disk that fails or hangs.
	sync func(*os.File) error
}

// New is the file with that name. The name is made absolute now, since the configuration may change the working directory.
func New(name string) (*File, error) {
	path, err := filepath.Abs(name)
	if err != nil {
		return nil, fmt.Errorf("find configuration %s: %w", name, err)
	}
	return &File{path: path, sync: (*os.File).Sync}, nil
}

// Save replaces the file's text, and calls done when that is on the disk, or with the reason why it may not be. It does not wait. A save
// that waits for an earlier one is dropped in favour of a later one, whose edit must therefore bring all that is to be kept; its done
// is told how that went. done is called from the hand's goroutine, and by Save itself where the error is ErrBusy.
func (f *File) Save(edit Edit, done func(error)) {
	f.mu.Lock()
	if len(f.waiting) >= maxWaiting {
		f.mu.Unlock()
		done(fmt.Errorf("save configuration %s: %w", f.path, ErrBusy))
		return
	}
	f.edit, f.waiting = edit, append(f.waiting, done)
	if f.idle == nil {
		f.idle = make(chan struct{})
		go f.write() // ends when nothing waits
	}
	f.mu.Unlock()
}

// Close waits until all that was given to Save is written, or has failed, and for no longer than the bound: a disk may hang for good.
// The error wraps ErrSlow; what hangs is left to itself.
func (f *File) Close(bound time.Duration) error {
	f.mu.Lock()
	idle := f.idle
	f.mu.Unlock()
	if idle != nil {
		limit := time.NewTimer(bound)
		defer limit.Stop()
		select {
		case <-idle:
		case <-limit.C:
			return fmt.Errorf("save %s: %w", f.path, ErrSlow)
		}
	}
	f.release()
	return nil
}

// write writes as long as anything waits.
func (f *File) write() {
	for {
		f.mu.Lock()
		edit, waiting := f.edit, f.waiting
		f.edit, f.waiting = nil, nil
		if edit == nil {
			close(f.idle)
			f.idle = nil
			f.mu.Unlock()
			return
		}
		f.mu.Unlock()
		err := f.replace(edit)
		for _, done := range waiting {
			done(err)
		}
	}
}

// replace reads, edits and writes.
func (f *File) replace(edit Edit) error {
	old, err := Read(f.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := edit(old)
	if err != nil {
		return fmt.Errorf("edit configuration %s: %w", f.path, err)
	}
	// One that is too long could be written, and never be read again.
	if len(text) > MaxFile {
		return fmt.Errorf("save configuration %s: %w", f.path, ErrTooLong)
	}
	if err := f.whole(text); err != nil {
		return fmt.Errorf("save configuration %s: %w; make its directory writable for this Sentinel's user, with room left on the disk", f.path, err)
	}
	return nil
}

// whole puts a text into the place of the file: after a crash at any moment there is the old one or the new one.
func (f *File) whole(text []byte) (err error) {
	draft, err := f.draft()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(draft.Name())
		}
	}()
	_, err = draft.Write(text)
	if err == nil {
		err = f.sync(draft)
	}
	if err != nil {
		return errors.Join(err, draft.Close())
	}
	if err = f.change(draft); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(f.path))
	if err != nil {
		return err
	}
	return errors.Join(f.sync(dir), dir.Close())
}

// draft makes the file to be renamed, beside the one that it is to be. Nobody else's file is written to, by a link neither; what an
// earlier process with this number left is removed. The kernel takes the umask's bits off the mode.
func (f *File) draft() (*os.File, error) {
	name := fmt.Sprintf("%s.%d.tmp", f.path, os.Getpid())
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	draft, err := os.OpenFile(name, flags, 0o644)
	if errors.Is(err, fs.ErrExist) {
		if err = os.Remove(name); err == nil {
			draft, err = os.OpenFile(name, flags, 0o644)
		}
	}
	return draft, err
}
