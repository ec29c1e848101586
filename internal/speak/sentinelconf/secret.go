package sentinelconf

import (
	"fmt"
	"io"
)

// Secret is a password that no log, error or dump shows: every way of printing one writes "redacted" (or "none"). Reveal
// alone returns the text. The lines that it was read from hold it too, and are for Append alone.
type Secret struct{ text string }

// Reveal returns the text itself.
func (s Secret) Reveal() string { return s.text }

// Empty reports whether there is none.
func (s Secret) Empty() bool { return s.text == "" }

// String returns a word in the secret's place.
func (s Secret) String() string {
	if s.Empty() {
		return "none"
	}
	return "redacted"
}

// Format prints String for every verb, since %d or %#v would otherwise reach into the struct.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText returns String, for encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
