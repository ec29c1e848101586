package logline

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestLines has what a redis-sentinel 7.0.15 wrote, of each level.
func TestLines(t *testing.T) {
	at := time.Date(2026, time.March, 5, 8, 3, 9, 7_999_999, time.FixedZone("", 3600))
	for want, c := range map[string]struct {
		level Level
		text  string
	}{
		"21813:X 05 Mar 2026 08:03:09.007 # +sdown master m 127.0.0.1 1\n":            {Warning, "+sdown master m 127.0.0.1 1"},
		"21813:X 05 Mar 2026 08:03:09.007 . +script-child 21824\n":                    {Debug, "+script-child 21824"},
		"21813:X 05 Mar 2026 08:03:09.007 * Running mode=sentinel, port=27009.\n":     {Notice, "Running mode=sentinel, port=27009."},
		"21813:X 05 Mar 2026 08:03:09.007 - Accepted 127.0.0.1:40260\n":               {Verbose, "Accepted 127.0.0.1:40260"},
		"21813:X 05 Mar 2026 08:03:09.007 # a\\n1:X forged\\r\\x00\\x1b\\x7f é\xff\n": {Warning, "a\n1:X forged\r\x00\x1b\x7f é\xff"},
	} {
		if got := string(Append(nil, 21813, Sentinel, at, c.level, c.text)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if long := AppendText(nil, strings.Repeat("x", MaxText-1)+"é"); len(long) != MaxText-1 {
		t.Errorf("a letter is cut: %d bytes", len(long))
	}
}

func TestLevelsByName(t *testing.T) {
	for i, name := range []string{"debug", "Verbose", "NOTICE", "warning"} {
		if l, ok := ParseLevel(name); !ok || int(l) != i || l.String() != strings.ToLower(name) {
			t.Errorf("%s: %v, %v", name, l, ok)
		}
	}
	if _, ok := ParseLevel("loud"); ok {
		t.Error("loud is no level")
	}
}

// FuzzAppend: one line, of bounded length, that begins as it should.
func FuzzAppend(f *testing.F) {
	f.Add(1, int64(0), uint8(0), "text")
	f.Add(-1, int64(1)<<60, uint8(3), "a\nb\x00")
	f.Fuzz(func(t *testing.T, pid int, at int64, level uint8, text string) {
		line := Append(nil, pid, Sentinel, time.Unix(0, at).UTC(), Level(level%4), text)
		if bytes.Count(line, []byte("\n")) != 1 || line[len(line)-1] != '\n' || len(line) > 4*MaxText+64 || !bytes.Contains(line, []byte(":X ")) {
			t.Errorf("%q", line)
		}
	})
}
