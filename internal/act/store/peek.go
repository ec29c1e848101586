package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"redkeep/internal/words"
)

// Peek reads a group's record from a state directory that it neither opens nor locks nor changes: for commands beside a
// running agent, and before one is started. The errors are those of Load; a directory that does not exist has ErrNone.
func Peek(dir string, group words.Group) ([]byte, error) {
	s := &Store{dir: dir}
	if err := s.checkGroup(group); err != nil {
		return nil, fmt.Errorf("look at group %s: %w", group, err)
	}
	record, err := peekSlots(s.path("group-", group), groupSlotSize)
	if errors.Is(err, fs.ErrNotExist) {
		err = peekAbsent(dir, group)
	}
	if err != nil {
		return nil, fmt.Errorf("look at group %s in %s: %w", group, dir, err)
	}
	return record, nil
}

// peekAbsent tells a group that was never saved from one whose file is gone.
func peekAbsent(dir string, group words.Group) error {
	raw, err := peekSlots(filepath.Join(dir, "node"), nodeSlotSize)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNone) {
		return ErrNone
	}
	var record nodeRecord
	if err == nil {
		err = json.Unmarshal(raw, &record)
	}
	if err != nil {
		return fmt.Errorf("read the node's record: %w", err)
	}
	if slices.Contains(record.Groups, group) {
		return fmt.Errorf("%w: its file was deleted", ErrUnreadable)
	}
	return ErrNone
}

// peekSlots returns the newest good slot of a file. One that is being written at this moment does not check, and the
// other one holds then.
func peekSlots(path string, slotSize int) (payload []byte, err error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	var newest slotState
	for i := range int64(2) {
		half := make([]byte, slotSize)
		n, err := file.ReadAt(half, i*int64(slotSize))
		if err != nil && !errors.Is(err, io.EOF) {
			continue
		}
		if s, good := getSlot(half[:n], filepath.Base(path)); good && s.generation > newest.generation {
			newest = s
		}
	}
	switch {
	case newest.generation == 0:
		return nil, fmt.Errorf("%w: %s", ErrUnreadable, path)
	case !newest.written:
		return nil, ErrNone
	default:
		return newest.payload, nil
	}
}
