package record

import (
	"strings"
	"testing"
	"time"

	"redkeep/internal/words"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 5, time.UTC)

func TestNotedComesBack(t *testing.T) {
	r := words.Reason{Code: words.LosesBytes, Node: "h1", Other: "h2", N: -7, M: 8, Text: "a\ttab, a\nline and “quotes”"}
	line := Noted(noon.In(time.FixedZone("east", 3600)), "h1 loses\t7 bytes", r)
	if want := "2026-11-20T12:00:00.000000005Z h1 loses 7 bytes\t{"; !strings.HasPrefix(line, want) || strings.Contains(line, "\n") {
		t.Errorf("%q", line)
	}
	at, got, err := ParseNoted(line)
	if err != nil || got != r || !at.Equal(noon) {
		t.Errorf("%v %+v %v", at, got, err)
	}
}

func TestTornNotedIsRefused(t *testing.T) {
	line := Noted(noon, "h1 was elected", words.Reason{Code: words.Elected, Node: "h1", N: 3})
	for n := range line {
		if _, _, err := ParseNoted(line[:n]); err == nil {
			t.Errorf("cut to %d bytes: taken", n)
		}
	}
}

// FuzzParseNoted: whatever is read can be written and read again.
func FuzzParseNoted(f *testing.F) {
	f.Add(Noted(noon, "h1 was elected", words.Reason{Code: words.Elected, Node: "h1", N: 3}))
	f.Add("2026-11-20T12:00:00Z\t{}")
	f.Fuzz(func(t *testing.T, line string) {
		at, r, err := ParseNoted(line)
		if err != nil {
			return
		}
		again, same, err := ParseNoted(Noted(at, "", r))
		if err != nil || same != r || !again.Equal(at) {
			t.Errorf("%v %+v, then %v %+v %v", at, r, again, same, err)
		}
	})
}
