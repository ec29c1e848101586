package sentinelfile

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"redkeep/internal/speak/sentinelconf"
)

// MaxFile is the most bytes of one file.
const MaxFile = sentinelconf.MaxFile

// ErrTooLong is wrapped by errors of a file, or of a text to be written, that has more than MaxFile bytes.
var ErrTooLong = fmt.Errorf("it has more than %d MiB; watch its masters with several Sentinels", MaxFile>>20)

// Read reads one file, a pipe too. The error wraps the kernel's, or ErrTooLong.
func Read(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	defer func() { _ = f.Close() }()
	return ReadFrom(f, name)
}

// ReadFrom reads a stream to its end, or as far as the limit: redis-sentinel takes a configuration from its standard input too.
func ReadFrom(r io.Reader, name string) ([]byte, error) {
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

// include reads what one include line names: a file, or all files that match a pattern, in order. A pattern that nothing matches
// is no error, as with Redis; a file that is missing is one.
func include(pattern string) ([]byte, error) {
	if !strings.ContainsAny(pattern, "*?[") {
		return Read(pattern)
	}
	names, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("include %s: %w; write the names of the files", pattern, err)
	}
	var all []byte
	for _, name := range unhidden(pattern, names) {
		text, err := Read(name)
		if err != nil {
			return nil, err
		}
		if all = append(all, text...); len(all) > MaxFile {
			return nil, fmt.Errorf("include %s: %w", pattern, ErrTooLong)
		}
	}
	return all, nil
}

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
