package syntax

import "strings"

// IsSpace reports whether a byte is what C calls white space.
func IsSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// Split cuts a line into words as Redis does for inline commands, for the lines of its files and for the rules of a selector:
// "..." with escapes (\n \r \t \b \a \xHH), '...' taken as it is but for \'. A quote may open within a word, and what follows a
// closing one must be a space. It reports false for quotes that don't close. The words share no memory with the line.
func Split(line string) ([]string, bool) {
	var words []string
	for {
		for line != "" && IsSpace(line[0]) {
			line = line[1:]
		}
		if line == "" {
			return words, true
		}
		word, rest, ok := cutWord(line)
		if !ok {
			return nil, false
		}
		words, line = append(words, word), rest
	}
}

// cutWord takes one word off a line that begins with one.
func cutWord(line string) (word, rest string, ok bool) {
	end := strings.IndexAny(line, " \t\n\r\"'")
	switch {
	case end < 0:
		return strings.Clone(line), "", true
	case line[end] != '"' && line[end] != '\'':
		return strings.Clone(line[:end]), line[end:], true
	}
	var b strings.Builder
	b.WriteString(line[:end])
	rest, ok = quoted(&b, line[end+1:], line[end])
	return b.String(), rest, ok
}

// quoted reads up to the closing quote, which ends the word.
func quoted(b *strings.Builder, text string, quote byte) (rest string, ok bool) {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == quote:
			rest := text[i+1:]
			return rest, rest == "" || IsSpace(rest[0])
		case c != '\\' || i+1 == len(text):
			b.WriteByte(c)
		case quote == '\'':
			if text[i+1] == '\'' {
				i++
			}
			b.WriteByte(text[i])
		default:
			i += escape(b, text[i+1:])
		}
	}
	return "", false
}

// escape writes what a backslash in double quotes stands for, and returns how many bytes after it that took.
func escape(b *strings.Builder, text string) int {
	if len(text) >= 3 && text[0] == 'x' {
		if high, low := hex(text[1]), hex(text[2]); high >= 0 && low >= 0 {
			b.WriteByte(byte(high<<4 | low))
			return 3
		}
	}
	switch c := text[0]; c {
	case 'n':
		b.WriteByte('\n')
	case 'r':
		b.WriteByte('\r')
	case 't':
		b.WriteByte('\t')
	case 'b':
		b.WriteByte('\b')
	case 'a':
		b.WriteByte('\a')
	default:
		b.WriteByte(c)
	}
	return 1
}

// hex returns a digit's value, or -1.
func hex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
