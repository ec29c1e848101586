package migration

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// quote writes a text so that YAML reads it as that text. Brackets are escaped, since the reader of redkeep.yaml counts them.
func quote(text string) string {
	if plain(text) {
		return text
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c < 0x80 && (c < ' ' || strings.ContainsRune("[]{}\x7f", c)):
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// plain reports whether a text can stand without quotes: a word that no version of YAML takes for something else.
func plain(text string) bool {
	switch strings.ToLower(text) {
	case "", "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return false
	}
	for i, c := range text {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		inside := c >= '0' && c <= '9' || strings.ContainsRune("-_.", c)
		path := c == '/'
		if !letter && (!inside || i == 0) && !path {
			return false
		}
	}
	return true
}

// writable reports whether a password can stand in a file at all: of one line, and of text.
func writable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) })
}

// printable keeps what a file holds from changing a terminal or the next line of what is written.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, text)
}
