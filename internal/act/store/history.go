package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"redkeep/internal/words"
)

// historySize is when a group's history begins a new file, in bytes. The file before it is kept, so a group's history
// takes at most twice this, and holds at least this much of the newest.
const historySize = 256 << 10

// historyFile is the newest part of one group's history.
type historyFile struct {
	path string

	mu   sync.Mutex // guards file and size, and is held across the write: lines have an order
	file *os.File
	size int64
}

// Append adds a line to the group's history. It is for people: it is not synced, so a power cut may take the last lines
// along, and no decision may rest on it. Line ends within the line become spaces. A line that could not be written
// whole leaves nothing behind.
func (s *Store) Append(group words.Group, line string) error {
	h, err := s.history(group)
	if err != nil {
		return fmt.Errorf("append to history of %s: %w", group, err)
	}
	line = strings.NewReplacer("\n", " ", "\r", " ").Replace(line) + "\n"
	if len(line) > historySize {
		return fmt.Errorf("append to history of %s: %w: %d bytes, the limit is %d", group, ErrTooLong, len(line), historySize)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.append(line); err != nil {
		return fmt.Errorf("append to history of %s: %w", group, err)
	}
	return nil
}

// History returns the group's lines, oldest first. A group without any has an empty history.
func (s *Store) History(group words.Group) ([]string, error) {
	h, err := s.history(group)
	if err != nil {
		return nil, fmt.Errorf("read history of %s: %w", group, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var lines []string
	for _, path := range []string{h.path + ".1", h.path} {
		text, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read history of %s: %w", group, err)
		}
		lines = slices.AppendSeq(lines, strings.Lines(string(text)))
	}
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\n")
	}
	return lines, nil
}

func (s *Store) history(group words.Group) (*historyFile, error) {
	if err := s.checkGroup(group); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fs.ErrClosed
	}
	h, ok := s.histories[group]
	if !ok {
		h = &historyFile{path: s.path("history-", group)}
		s.histories[group] = h
	}
	return h, nil
}

// append writes one line, with h's lock held.
func (h *historyFile) append(line string) error {
	if h.file == nil {
		if err := h.open(); err != nil {
			return err
		}
	}
	if h.size+int64(len(line)) > historySize {
		if err := h.turn(); err != nil {
			return err
		}
	}
	n, err := h.file.WriteString(line)
	if err != nil && n > 0 {
		err = errors.Join(err, h.file.Truncate(h.size))
		n = 0
	}
	h.size += int64(n)
	return err
}

func (h *historyFile) open() error {
	file, err := os.OpenFile(h.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	h.file, h.size = file, info.Size()
	return nil
}

// turn makes the newest file the one before, whose own predecessor goes.
func (h *historyFile) turn() error {
	if err := os.Rename(h.path, h.path+".1"); err != nil {
		return err
	}
	if err := h.close(); err != nil {
		return err
	}
	return h.open()
}

func (h *historyFile) close() error {
	if h.file == nil {
		return nil
	}
	err := h.file.Close()
	h.file = nil
	return err
}
