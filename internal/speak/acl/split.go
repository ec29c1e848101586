package acl

import "strings"

// isSpace is what C calls so.
func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// split cuts a line into words: "..." with escapes, '...' taken as it is but for \'. A quote may open within a word, and what
// follows a closing one must be a space. It reports false for quotes that don't close.
func split(line string) ([]string, bool) {
	var words []string
	for {
		for line != "" && isSpace(line[0]) {
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
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case ' ', '\t', '\n', '\r':
			return b.String(), line[i:], true
		case '"', '\'':
			rest, ok := quoted(&b, line[i+1:], c)
			return b.String(), rest, ok
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), "", true
}

// quoted reads up to the closing quote, which ends the word.
func quoted(b *strings.Builder, text string, quote byte) (rest string, ok bool) {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == quote:
			rest := text[i+1:]
			return rest, rest == "" || isSpace(rest[0])
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
		if high, low := hexDigit(text[1]), hexDigit(text[2]); high >= 0 && low >= 0 {
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

// hexDigit returns a digit's value, or -1.
func hexDigit(c byte) int {
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

// quotedWord is a word as split reads it back: in quotes where it has to be.
func quotedWord(word string) string {
	plain := word != ""
	for i := range len(word) {
		if c := word[i]; isSpace(c) || c == '"' || c == '\'' || c == 0 {
			plain = false
		}
	}
	if plain {
		return word
	}
	const digits = "0123456789abcdef"
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(word) {
		switch c := word[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			b.WriteString(`\x`)
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
