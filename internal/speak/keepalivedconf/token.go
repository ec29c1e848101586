package keepalivedconf

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// kind is what a token is.
type kind uint8

const (
	kindWord kind = iota
	kindOpen
	kindClose
)

// token is a word or a brace.
type token struct {
	kind
	// from and to are its bytes in the file, quotes included.
	from, to int
	// text is what it means.
	text   string
	quoted bool
	// first says that nothing but blanks is before it on its line; a line may be continued by a backslash.
	first bool
	// unclosed is a quote without an end; cut says that a comment begins where the word ends.
	unclosed, cut bool
}

// lex cuts a text into tokens: blanks part words, braces stand for themselves, # and ! begin a comment wherever they are not
// quoted.
func lex(text []byte) []token {
	var tokens []token
	first := true
	for i := 0; i < len(text); {
		t := token{from: i, to: i + 1, first: first}
		switch c := text[i]; {
		case c == '\n':
			first = true
			i++
			continue
		case blank(c):
			i++
			continue
		case c == '#' || c == '!':
			i = endOfLine(text, i)
			continue
		case c == '\\' && continues(text, i):
			i = endOfLine(text, i) + 1
			continue
		case c == '{':
			t.kind, t.text = kindOpen, "{"
		case c == '}':
			t.kind, t.text = kindClose, "}"
		default:
			lexWord(text, &t)
		}
		tokens = append(tokens, t)
		i, first = t.to, false
	}
	return tokens
}

// blank is what parts words.
func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f' }

// endOfLine returns where the line ends that a byte is in.
func endOfLine(text []byte, at int) int {
	if n := bytes.IndexByte(text[at:], '\n'); n >= 0 {
		return at + n
	}
	return len(text)
}

// continues reports whether a backslash is the last of its line, which the next one then belongs to.
func continues(text []byte, at int) bool {
	return len(bytes.TrimRight(text[at+1:endOfLine(text, at)], " \t\r")) == 0
}

// lexWord reads one word, which begins at t.from.
func lexWord(text []byte, t *token) {
	end := endOfLine(text, t.from)
	if c := text[t.from]; c == '"' || c == '\'' {
		if lexQuoted(text[:end], t, c) {
			return
		}
	}
	var b strings.Builder
	i := t.from
	for i < end && !blank(text[i]) {
		c := text[i]
		if c == '{' || c == '}' || c == '"' && i > t.from || c == '\\' && continues(text, i) {
			break
		}
		if c == '#' || c == '!' {
			t.cut = true
			break
		}
		if c == '$' && i+1 < end && text[i+1] == '{' {
			if n := bytes.IndexByte(text[i:end], '}'); n > 0 {
				b.Write(text[i : i+n+1])
				i += n + 1
				continue
			}
		}
		if c == '\\' && i+1 < end && (text[i+1] == '#' || text[i+1] == '!') {
			i++
			c = text[i]
		}
		b.WriteByte(c)
		i++
	}
	t.to, t.text = i, b.String()
}

// lexQuoted reads a word in quotes, in which a backslash keeps its meaning for a script's arguments but before a quote. A
// single quote without an end is a letter.
func lexQuoted(line []byte, t *token, quote byte) bool {
	var b strings.Builder
	for i := t.from + 1; i < len(line); i++ {
		switch {
		case line[i] == quote:
			t.to, t.text, t.quoted = i+1, b.String(), true
			return true
		case line[i] == '\\' && i+1 < len(line) && line[i+1] == quote:
			i++
		case line[i] == '\\' && i+1 < len(line):
			b.WriteByte(line[i])
			i++
		}
		b.WriteByte(line[i])
	}
	if quote == '\'' {
		return false
	}
	t.to, t.text, t.quoted, t.unclosed = len(line), strings.TrimRight(b.String(), " \t\r"), true, true
	return true
}

// places finds lines and columns of bytes.
type places struct {
	name   string
	text   []byte
	starts []int
	// from and column are those of the last answer, from which the next is counted if it is in the same line.
	from, column int
}

// newPlaces notes where lines begin.
func newPlaces(name string, text []byte) *places {
	p := places{name: name, text: text, starts: []int{0}, column: 1}
	for i, c := range text {
		if c == '\n' {
			p.starts = append(p.starts, i+1)
		}
	}
	return &p
}

// at returns the place of some bytes.
func (p *places) at(from, to int) Place {
	low, high := 0, len(p.starts)
	for high-low > 1 {
		if middle := (low + high) / 2; p.starts[middle] <= from {
			low = middle
		} else {
			high = middle
		}
	}
	if p.from < p.starts[low] || p.from > from {
		p.from, p.column = p.starts[low], 1
	}
	p.column += utf8.RuneCount(p.text[p.from:from])
	p.from = from
	return Place{p.name, low + 1, p.column, from, to}
}
