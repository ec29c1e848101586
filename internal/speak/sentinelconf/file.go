package sentinelconf

import (
	"bytes"
	"strings"

	"redkeep/internal/syntax"
	"redkeep/internal/words"
)

// MaxFile is the most bytes of a file: room for some five thousand masters.
const MaxFile = 4 << 20

// Line is one line of the file.
type Line struct {
	// Raw is the whole of it, its end included. It may hold a password.
	Raw string
	// Words are its directive and what follows, without quotes; none for a comment, a blank line, and one that can't be
	// read. They may hold a password.
	Words []string
}

// Directive returns the line's first word in small letters, or "".
func (l Line) Directive() string {
	if len(l.Words) == 0 {
		return ""
	}
	return strings.ToLower(l.Words[0])
}

// Statement returns the word after sentinel in small letters, or "" for every other line.
func (l Line) Statement() string {
	if l.Directive() != "sentinel" || len(l.Words) < 2 {
		return ""
	}
	return strings.ToLower(l.Words[1])
}

// File is one sentinel.conf.
type File struct {
	// Name is the caller's.
	Name  string
	Lines []Line

	State

	// last is where each directive stands last.
	last map[string]int
}

// Parse reads a file. name is what errors begin with. What is wrong comes back as Errors, all of it at once as far as a
// hundred problems, and the File with it: it has every line, and the values of those that are good. Nothing printed from the errors shows a password.
func Parse(name string, text []byte) (*File, error) {
	f := &File{Name: name, last: make(map[string]int)}
	r := newReader(name)
	f.State = r.State
	if len(text) > MaxFile {
		r.wrong(queued{line: 1}, Unreadable, "", "import its masters in several files", "the file has more than %d MiB", MaxFile>>20)
		return f, Errors(r.problems)
	}
	var sentinels []queued
	for raw := range bytes.Lines(text) {
		l := r.line(len(f.Lines)+1, string(raw))
		if len(l.Words) > 0 {
			f.last[l.Directive()] = len(f.Lines)
		}
		if f.Lines = append(f.Lines, l); l.Directive() == "sentinel" {
			sentinels = append(sentinels, queued{len(f.Lines), l.Raw, l.Words})
		}
	}
	r.statements(sentinels, most)
	f.State = r.State
	if len(r.problems) > 0 {
		sortProblems(r.problems)
		return f, Errors(r.problems)
	}
	return f, nil
}

// Append prints the file: byte for byte what was read.
func (f *File) Append(b []byte) []byte {
	for _, l := range f.Lines {
		b = append(b, l.Raw...)
	}
	return b
}

// Last returns what follows a directive (not of sentinel's), of its last line, as the last one counts; nil if there is none.
func (f *File) Last(directive string) []string {
	i, given := f.last[directive]
	if !given {
		return nil
	}
	return f.Lines[i].Words[1:]
}

// line reads one line by itself.
func (r *reader) line(at int, raw string) Line {
	text := strings.Trim(raw, " \t\r\n")
	if text == "" || text[0] == '#' {
		return Line{Raw: raw}
	}
	if strings.IndexByte(text, 0) >= 0 {
		r.wrong(queued{line: at}, Unreadable, "", "write it as text", "there is a zero byte in this line")
		return Line{Raw: raw}
	}
	parts, ok := syntax.Split(text)
	if !ok {
		r.wrong(queued{line: at}, Unreadable, "", `close each quote, and write \" for one in the text`, "the quotes of this line don't match")
		return Line{Raw: raw}
	}
	l := Line{raw, parts}
	if d := l.Directive(); d != "sentinel" && len(parts) > 0 && r.unknown < most && !known(d) {
		r.unknown++
		do := "a later Redis may know it; leave it out for this one"
		if near, ok := words.Nearest(d, directiveNames()); ok {
			do = "did you mean " + near + "?"
		}
		r.wrong(queued{line: at}, UnknownDirective, "", do, "Redis 7.0 has no directive %q", Shown(d))
	}
	return l
}
