package keepalivedconf

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// pasted is what came along with a text that was copied from a page.
type pasted struct {
	what, do string
	edits    []Edit
}

// cleaned returns the text as it was meant, of the same length so that places stay what they are, with what it had to
// overlook. Comments may hold anything.
func cleaned(name string, text []byte) ([]byte, []pasted) {
	c := cleaner{name: name, clean: bytes.Clone(text)}
	c.numbers()
	for from := 0; from < len(text); {
		end := from + bytes.IndexByte(text[from:], '\n')
		if end < from {
			end = len(text)
		}
		c.line(from, end)
		from = end + 1
	}
	var found []pasted
	for _, p := range []pasted{
		{"the text begins with a byte order mark", "save it as UTF-8 without one", c.mark},
		{"line numbers were copied along with the text", "take the numbers away", c.numbered},
		{"there are blanks that only look like blanks, as pages and word processors write them", "write plain spaces", c.blanks},
		{"there are typographic quotes, which are part of the text and no quotes", `write " for each of them`, c.quotes},
		{"there are full-width braces", "write { and }", c.braces},
	} {
		if len(p.edits) > 0 {
			if n := len(p.edits); n > 1 {
				p.what += fmt.Sprintf(" (%d places)", n)
			}
			found = append(found, p)
		}
	}
	return c.clean, found
}

type cleaner struct {
	name                                   string
	clean                                  []byte
	mark, numbered, blanks, quotes, braces []Edit
}

// line looks at one line, as far as its comment.
func (c *cleaner) line(from, end int) {
	plain, fancy := false, false // which kind of quote is open
	for i := from; i < end; {
		r, size := utf8.DecodeRune(c.clean[i:end])
		switch {
		case r == '\\':
			size = min(size+1, end-i)
		case r == '"' && fancy:
			fancy = false
		case r == '"':
			plain = !plain
		case (r == '#' || r == '!') && !plain && !fancy:
			return
		case looksBlank(r):
			c.put(i, size, ' ', false)
		case r >= '“' && r <= '‟' || r == '＂':
			switch closes := plain && bytes.IndexByte(c.clean[i:end], '"') < 0; {
			case closes:
				plain = false
				c.put(i, size, '"', false)
			case !plain:
				fancy = !fancy
				c.put(i, size, '"', fancy)
			}
		case (r >= '‘' && r <= '‛' || r == '＇') && !plain && !fancy:
			c.put(i, size, '\'', false)
		case r == '｛' && !plain && !fancy:
			c.put(i, size, '{', false)
		case r == '｝' && !plain && !fancy:
			c.put(i, size, '}', false)
		}
		i += size
	}
}

// put writes a plain character in the place of another: an opening quote at the end of its bytes, everything else at their
// beginning, with blanks for the rest.
func (c *cleaner) put(at, size int, as byte, opening bool) {
	place := at
	if opening {
		place = at + size - 1
	}
	e := Edit{c.name, at, at + size, string(as)}
	switch {
	case at == 0 && c.clean[0] == 0xef && c.clean[1] == 0xbb:
		e.With = ""
		c.mark = append(c.mark, e)
	case as == ' ':
		c.blanks = append(c.blanks, e)
	case as == '"' || as == '\'':
		c.quotes = append(c.quotes, e)
	default:
		c.braces = append(c.braces, e)
	}
	for i := range size {
		c.clean[at+i] = ' '
	}
	c.clean[place] = as
}

// looksBlank reports whether a character is a blank to people, and a letter to keepalived.
func looksBlank(r rune) bool {
	return r == 0xa0 || r == 0x3000 || r == 0xfeff || r == 0x202f || r == 0x205f || r >= 0x2000 && r <= 0x200d
}

// numbers finds line numbers: of the lines that say anything nearly all begin with a number, each greater than the last.
func (c *cleaner) numbers() {
	const least = 4
	var edits []Edit
	lines, last := 0, -1
	for from := 0; from < len(c.clean); {
		end := from + bytes.IndexByte(c.clean[from:], '\n')
		if end < from {
			end = len(c.clean)
		}
		line := c.clean[from:end]
		trimmed := bytes.TrimLeft(line, " \t")
		if len(bytes.TrimRight(trimmed, " \t\r")) > 0 {
			lines++
		}
		if n, digits := leading(trimmed); digits > 0 && n > last {
			last = n
			at := from + len(line) - len(trimmed) + digits
			if at < end && (c.clean[at] == ' ' || c.clean[at] == '\t') {
				at++
			}
			edits = append(edits, Edit{c.name, from, at, ""})
		}
		from = end + 1
	}
	if len(edits) < least || len(edits)*10 < lines*9 {
		return
	}
	for _, e := range edits {
		for i := e.From; i < e.To; i++ {
			c.clean[i] = ' '
		}
	}
	c.numbered = edits
}

// leading reads a number that stands alone at the beginning, and its length with a mark that follows it.
func leading(line []byte) (n, length int) {
	for length < len(line) && length < 6 && line[length] >= '0' && line[length] <= '9' {
		n = n*10 + int(line[length]-'0')
		length++
	}
	if length == 0 {
		return 0, 0
	}
	if length < len(line) && (line[length] == ':' || line[length] == '|') {
		length++
	}
	if length < len(line) && line[length] != ' ' && line[length] != '\t' && line[length] != '\r' {
		return 0, 0
	}
	return n, length
}
