package redis

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/renameio/v2"

	"redkeep/internal/syntax"
)

// line returns the directive in the spelling given; a comment for a master.
func (b birth) line(spelling string) string {
	if b.host == "" {
		return "# no " + spelling
	}
	return spelling + " " + b.host + " " + b.port
}

// editFile replaces the file in one step: whoever reads it meets the old one or the new one, whole. Mode and owner stay.
// pid is the process that has to be able to read it afterwards.
func editFile(path string, b birth, modern bool, pid int) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("find %s: %w", path, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	edited := editBirth(text, b, modern)
	if bytes.Equal(edited, text) {
		return nil
	}
	if err := replaceFile(path, edited, pid); err != nil {
		return fmt.Errorf("edit %s: %w", path, err)
	}
	return nil
}

func replaceFile(path string, text []byte, pid int) error {
	was, err := os.Stat(path)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	file, err := renameio.NewPendingFile(path, renameio.WithTempDir(dir), renameio.WithStaticPermissions(was.Mode().Perm()))
	if err != nil {
		return err
	}
	defer func() { _ = file.Cleanup() }()
	if owner, ok := was.Sys().(*syscall.Stat_t); ok {
		if err := giveBack(file.File, owner, pid); err != nil {
			return err
		}
	}
	if _, err := file.Write(text); err != nil {
		return err
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return err
	}
	return syncDir(dir)
}

// giveBack gives a file the owner and the group that the one before it had. An ordinary user can't give a file away; then
// the group will do, if the server reads its file by that.
func giveBack(file *os.File, was *syscall.Stat_t, pid int) error {
	err := file.Chown(int(was.Uid), int(was.Gid))
	if err == nil || was.Mode&0o040 == 0 || !inGroup(pid, was.Gid) {
		return err
	}
	if errGroup := file.Chown(-1, int(was.Gid)); errGroup != nil {
		return errors.Join(err, errGroup)
	}
	return nil
}

// inGroup reports whether the process is surely in the group.
func inGroup(pid int, group uint32) bool {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(status)) {
		words, wanted := strings.Fields(line), strconv.FormatUint(uint64(group), 10)
		switch {
		case len(words) == 5 && words[0] == "Gid:" && words[4] == wanted: // after the real, effective and saved one, that for files
			return true
		case len(words) > 1 && words[0] == "Groups:" && slices.Contains(words[1:], wanted):
			return true
		}
	}
	return false
}

// syncDir makes a rename outlive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// editBirth returns the text with b in the place of the first directive of its kind; further ones, which would override
// it, go. Without any, it is put at the end, where it overrides what an include says. All other lines stay.
func editBirth(text []byte, b birth, modern bool) []byte {
	spelling := "slaveof"
	if modern {
		spelling = "replicaof"
	}
	var out bytes.Buffer
	placed := b.host == ""
	for line := range bytes.Lines(text) {
		words, ok := syntax.Split(string(line))
		if !ok || len(words) == 0 || !isBirth(words[0]) {
			out.Write(line)
			continue
		}
		if placed {
			continue
		}
		placed = true
		out.WriteString(b.line(words[0]) + string(line[len(bytes.TrimRight(line, "\r\n")):]))
	}
	if !placed {
		if n := out.Len(); n > 0 && out.Bytes()[n-1] != '\n' {
			out.WriteByte('\n')
		}
		out.WriteString(b.line(spelling) + "\n")
	}
	return out.Bytes()
}

func isBirth(word string) bool {
	return strings.EqualFold(word, "replicaof") || strings.EqualFold(word, "slaveof")
}

// includeDepth bounds a file that includes itself.
const includeDepth = 8

// readBirth reads what the file, with those it includes, makes of the server. The last directive counts.
func readBirth(path string) (birth, error) { return followBirth(path, birth{}, includeDepth) }

func followBirth(path string, b birth, depth int) (birth, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return birth{}, fmt.Errorf("read %s: %w", path, err)
	}
	for line := range strings.Lines(string(text)) {
		words, ok := syntax.Split(line)
		if !ok || len(words) < 2 {
			continue
		}
		switch {
		case len(words) == 3 && isBirth(words[0]):
			b = birth{host: words[1], port: words[2]}
			if strings.EqualFold(b.host, "no") && strings.EqualFold(b.port, "one") {
				b = birth{}
			}
		case strings.EqualFold(words[0], "include") && depth > 0:
			// A pattern is for 7.0 and later; a name without one matches itself.
			files, err := filepath.Glob(words[1])
			if err != nil {
				return birth{}, fmt.Errorf("include %q of %s: %w", words[1], path, err)
			}
			for _, f := range files {
				if b, err = followBirth(f, b, depth-1); err != nil {
					return birth{}, err
				}
			}
		}
	}
	return b, nil
}

// ownFile makes sure that the path means the same file here as for the server, which may have a mount namespace of its
// own. Where the agent may not look (another user's process), a process of the same pid namespace is believed.
func ownFile(path string, pid int) error {
	here, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("find the server's file: %w", err)
	}
	there, err := os.Stat("/proc/" + strconv.Itoa(pid) + "/root" + path)
	if err == nil && !os.SameFile(here, there) || errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is another file for the server than for the agent; run the agent beside it", path)
	}
	return nil
}

// birthFile remembers what a server's file said, for as long as it is the same.
type birthFile struct {
	path    string
	inode   uint64
	changed time.Time
	size    int64
	found   bool
}

// fenced reports whether the file starts its server as a replica of the dead end. Files that it includes are read again
// only when it changes itself.
func (f *birthFile) fenced(path string, pid int, proven bool) bool {
	if path == "" || !proven {
		*f = birthFile{}
		return false
	}
	at, err := os.Stat(path)
	if err != nil {
		*f = birthFile{}
		return false
	}
	now := birthFile{path: path, changed: at.ModTime(), size: at.Size()}
	if stat, ok := at.Sys().(*syscall.Stat_t); ok {
		now.inode = stat.Ino
	}
	if now.found = f.found; now == *f {
		return f.found
	}
	b, err := readBirth(path)
	now.found = err == nil && b == deadEndBirth && ownFile(path, pid) == nil
	*f = now
	return f.found
}
