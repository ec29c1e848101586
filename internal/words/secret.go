package words

import (
	"fmt"
	"io"
)

// Secret is a text that no log, error or dump shows: every way of printing one writes "redacted" (or "none").
// Reveal alone returns the text. MarshalText is what both of log/slog's handlers and encoding/json call.
type Secret struct{ text string }

// NewSecret makes a secret of a text.
func NewSecret(text string) Secret { return Secret{text: text} }

// Reveal returns the text itself, for deriving keys or logging in. Its result must not be kept in a printable place.
func (s Secret) Reveal() string { return s.text }

// Empty reports whether there is no secret.
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

// MarshalText returns String, for encoders. There is no UnmarshalText: a secret does not come back from one.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
