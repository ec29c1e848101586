package words

import (
	"strings"
	"testing"
)

// TestNearest holds the slips that people make, and the words that are too far away.
func TestNearest(t *testing.T) {
	list := []string{"lease", "down_after", "busy_after", "secret", "secret_file", "data"}
	for written, want := range map[string]string{
		"leese": "lease", "laese": "lease", "downafter": "down_after", "dwon_after": "down_after", "secretfile": "secret_file",
		"dat": "data", "colour": "", "x": "", "": "", strings.Repeat("lease", 100): "",
	} {
		if got, _ := Nearest(written, list); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", written, got, want)
		}
	}
}
