package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

var (
	// ErrNone is that of a record which was never written.
	ErrNone = errors.New("never written")
	// ErrUnreadable is that of a record which was written and cannot be had back: both of its slots are damaged, or its
	// file is gone. What this node promised for the group is then unknown.
	ErrUnreadable = errors.New("damaged or gone")
	// ErrPoisoned is that of a file whose last write failed. What is on disk is then unknown until it is read again.
	ErrPoisoned = errors.New("an earlier write failed; restart the agent when the disk is well again")
	// ErrTooLong is that of a record longer than its slot.
	ErrTooLong = errors.New("record too long")
)

// The layout of a slot, numbers big-endian:
//
//	 0  8  "REDKEEP1"
//	 8  8  generation: the slot with the higher one holds
//	16  4  length of the payload
//	20  1  1 if a record was saved, 0 in a new file
//	21  3  zero
//	24 32  SHA-256 of the bytes 0 to 23, the file's name and the payload
//	56  n  payload
const (
	slotMagic  = "REDKEEP1"
	slotSum    = 24
	slotHeader = slotSum + sha256.Size
)

// slotFile is a file of two slots, written in turn. A crash in the middle of a write damages the older slot only, and
// the newer one still holds. The file has its full length from the start, and its blocks were written once, so a save
// changes no metadata and costs one fdatasync of one slot.
type slotFile struct {
	name     string
	slotSize int

	// turn guards what follows and is held across the write, since two saves of one record have to wait for each other.
	turn       sync.Mutex
	disk       disk
	generation uint64
	written    bool
	payload    []byte
	buffer     []byte
	poisoned   error
}

// disk is the part of *os.File that a slotFile uses, so that a test can make it fail.
type disk interface {
	ReadAt(b []byte, off int64) (int, error)
	WriteAt(b []byte, off int64) (int, error)
	Fd() uintptr
	Close() error
}

// createSlotFile makes the file under its final name only when its whole length and an empty first record are on disk.
// From then on at least one slot is good at any time, so two bad slots always mean damage.
func createSlotFile(path string, slotSize int) error {
	image := make([]byte, 2*slotSize)
	name := filepath.Base(path)
	putSlot(image, name, slotState{generation: 1})
	if err := renameio.WriteFile(path, image, 0o600); err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	return syncDirectory(filepath.Dir(path))
}

// openSlotFile reads the newest good slot. The error wraps fs.ErrNotExist if there is no file and ErrUnreadable if there
// is no good slot.
func openSlotFile(path string, slotSize int) (*slotFile, error) {
	file, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	f := &slotFile{name: filepath.Base(path), slotSize: slotSize, disk: file}
	if err := f.read(); err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", path, err), file.Close())
	}
	return f, nil
}

// read takes the newest good slot and writes it once more, to the other one. Without that, a record could be believed
// that is in the page cache only: after a failed fsync the kernel keeps the new content and calls it clean, and it would
// be gone after a power cut, with what was told because of it.
func (f *slotFile) read() error {
	found, half, cause := slotState{}, make([]byte, f.slotSize), error(nil)
	for i := range int64(2) {
		// Each slot is read for itself, so that an unreadable sector costs one slot only. What cannot be read, or was cut
		// off, does not check.
		n, err := f.disk.ReadAt(half, i*int64(f.slotSize))
		if s, good := getSlot(half[:n], f.name); good && s.generation > found.generation {
			found = s
			found.payload = bytes.Clone(s.payload)
		} else if err != nil && !errors.Is(err, io.EOF) {
			cause = err
		}
	}
	if found.generation == 0 {
		return errors.Join(ErrUnreadable, cause)
	}
	f.generation, f.written, f.payload = found.generation, found.written, found.payload
	if !f.written {
		return nil
	}
	return f.write(f.payload)
}

// load returns the record, or ErrNone.
func (f *slotFile) load() ([]byte, error) {
	f.turn.Lock()
	defer f.turn.Unlock()
	switch {
	case f.poisoned != nil:
		return nil, f.poisoned
	case !f.written:
		return nil, ErrNone
	default:
		return bytes.Clone(f.payload), nil
	}
}

// save returns when the record is on disk.
func (f *slotFile) save(payload []byte) error {
	f.turn.Lock()
	defer f.turn.Unlock()
	if f.poisoned != nil {
		return f.poisoned
	}
	if limit := f.slotSize - slotHeader; len(payload) > limit {
		return fmt.Errorf("%w: %d bytes, the limit is %d", ErrTooLong, len(payload), limit)
	}
	return f.write(payload)
}

// write puts the payload into the older slot. After a failure the file takes nothing more: what the disk holds is not
// known, and a later fsync that succeeds would not say anything about the earlier one.
func (f *slotFile) write(payload []byte) error {
	if f.buffer == nil {
		f.buffer = make([]byte, f.slotSize)
	}
	next := slotState{generation: f.generation + 1, written: true, payload: payload}
	size := putSlot(f.buffer, f.name, next)
	offset := int64(f.generation % 2 * uint64(f.slotSize))
	_, err := f.disk.WriteAt(f.buffer[:size], offset)
	if err == nil {
		err = fdatasync(f.disk.Fd())
	}
	if err != nil {
		f.poisoned = fmt.Errorf("write %s: %w (%w)", f.name, ErrPoisoned, err)
		return f.poisoned
	}
	f.generation, f.written = next.generation, true
	f.payload = append(f.payload[:0], payload...)
	return nil
}

func (f *slotFile) close() error {
	f.turn.Lock()
	defer f.turn.Unlock()
	if f.poisoned == nil {
		f.poisoned = fmt.Errorf("write %s: %w", f.name, fs.ErrClosed)
	}
	return f.disk.Close()
}

// slotState is the content of one slot.
type slotState struct {
	generation uint64
	written    bool
	payload    []byte
}

// putSlot writes the slot's image to the start of dst and returns its length. Generation g lives in slot (g-1) modulo 2.
func putSlot(dst []byte, name string, s slotState) int {
	copy(dst, slotMagic)
	binary.BigEndian.PutUint64(dst[8:], s.generation)
	binary.BigEndian.PutUint32(dst[16:], uint32(len(s.payload)))
	clear(dst[20:slotSum])
	if s.written {
		dst[20] = 1
	}
	size := slotHeader + copy(dst[slotHeader:], s.payload)
	sum := slotDigest(dst[:size], name)
	copy(dst[slotSum:], sum[:])
	return size
}

// getSlot reads a slot and reports whether it is whole. The payload shares its memory.
func getSlot(slot []byte, name string) (slotState, bool) {
	if len(slot) < slotHeader || string(slot[:8]) != slotMagic {
		return slotState{}, false
	}
	length := binary.BigEndian.Uint32(slot[16:])
	if uint64(length) > uint64(len(slot)-slotHeader) {
		return slotState{}, false
	}
	slot = slot[:slotHeader+int(length)]
	sum := slotDigest(slot, name)
	return slotState{
		generation: binary.BigEndian.Uint64(slot[8:]),
		written:    slot[20] == 1,
		payload:    slot[slotHeader:],
	}, bytes.Equal(sum[:], slot[slotSum:slotHeader])
}

// slotDigest covers the name too, so that a file copied to another group's name is not believed.
func slotDigest(slot []byte, name string) (sum [sha256.Size]byte) {
	h := sha256.New()
	h.Write(slot[:slotSum])
	h.Write([]byte(name))
	h.Write(slot[slotHeader:])
	h.Sum(sum[:0])
	return sum
}

func fdatasync(fd uintptr) error {
	for {
		if err := unix.Fdatasync(int(fd)); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// syncDirectory makes a file's name durable. Without it the file itself may be gone after a power cut.
func syncDirectory(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return fmt.Errorf("sync directory %s: %w", path, err)
	}
	return nil
}
