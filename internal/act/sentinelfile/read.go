package sentinelfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"redkeep/internal/speak/sentinelconf"
)

// MaxFile is the most bytes of one file.
const MaxFile = sentinelconf.MaxFile

// ErrTooLong is wrapped by errors of a file, or of a text to be written, that has more than MaxFile bytes.
var ErrTooLong = fmt.Errorf("it has more than %d MiB; watch its masters with several Sentinels", MaxFile>>20)

// Text is a file's name as it was asked for, and what is in it.
type Text struct {
	Name  string
	Bytes []byte
}

// Read reads one file, a pipe too. The error wraps the kernel's, or ErrTooLong.
func Read(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	defer func() { _ = f.Close() }()
	return readFrom(f, name)
}

// readFrom reads a stream to its end or the limit. A stream that does not end by itself does so at the limit.
func readFrom(r io.Reader, name string) ([]byte, error) {
	var text bytes.Buffer
	n, err := text.ReadFrom(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if n > MaxFile {
		return nil, fmt.Errorf("read configuration %s: %w", name, ErrTooLong)
	}
	return text.Bytes(), nil
}

// ReadFrom reads a configuration that another program writes: redis-sentinel takes one from its standard input.
func ReadFrom(r io.Reader, name string) ([]byte, error) { return readFrom(r, name) }

// Include reads what one include directive names: a file, or all files that match a pattern, in order. A pattern that nothing matches
// is no error, as with Redis; a file that is missing is one. The names are relative to the working directory of the moment, which a
// dir directive above has changed already.
func Include(pattern string) ([]Text, error) {
	names := []string{pattern}
	if strings.ContainsAny(pattern, "*?[") {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, fmt.Errorf("include %s: %w; write the names of the files", pattern, err)
		}
		names = unhidden(pattern, found)
	}
	if len(names) > maxIncluded {
		return nil, fmt.Errorf("include %s: %d files match, more than %d; join them", pattern, len(names), maxIncluded)
	}
	texts := make([]Text, len(names))
	for i, name := range names {
		text, err := Read(name)
		if err != nil {
			return nil, err
		}
		texts[i] = Text{name, text}
	}
	return texts, nil
}

// maxIncluded is how many files one pattern may stand for.
const maxIncluded = 1000

// unhidden leaves out names that begin with a point where the pattern does not: to C's glob a star doesn't stand for one, and
// editors leave such files behind.
func unhidden(pattern string, names []string) []string {
	parts := strings.Split(filepath.Clean(pattern), "/")
	var kept []string
next:
	for _, name := range names {
		for i, part := range strings.Split(filepath.Clean(name), "/") {
			if i < len(parts) && strings.HasPrefix(part, ".") && !strings.HasPrefix(parts[i], ".") {
				continue next
			}
		}
		kept = append(kept, name)
	}
	return kept
}

// Writable says why a file can't be written by this process, nil if it can. A Sentinel that could not keep its votes must not start;
// the right to replace the file, which is its directory's, shows with the first save.
func Writable(name string) error {
	if err := unix.Faccessat(unix.AT_FDCWD, name, unix.W_OK, unix.AT_EACCESS); err != nil && !errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("write configuration %s: %w", name, err)
	}
	return nil
}
