package demo

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/writer"
)

// took makes acknowledged writes that took so long.
func took(lengths ...time.Duration) []writer.Write {
	var writes []writer.Write
	for i, d := range lengths {
		at := clock.Instant(i+1) * clock.Instant(time.Second)
		writes = append(writes, writer.Write{Sent: at, Acked: at.Add(d)})
	}
	return writes
}

func TestHistogramShowsEachWrite(t *testing.T) {
	lengths := []time.Duration{time.Microsecond, time.Minute}
	for range 1000 {
		lengths = append(lengths, 100*time.Microsecond)
	}
	writes := append(took(lengths...), writer.Write{Sent: 1, Err: "reset"})
	for unicode, want := range map[bool]string{
		false: "0.03 ms |.  @                   .| 131 ms   half within 0.10 ms, 99 % within 0.10 ms, the longest 60000 ms",
		true:  "0.03 ms ▕▁  █                   ▁▏ 131 ms   half within 0.10 ms, 99 % within 0.10 ms, the longest 60000 ms",
	} {
		if got := histogram(writes, unicode); got != want {
			t.Errorf("got\n%s; want\n%s", got, want)
		}
	}
	if got := histogram(nil, true); !strings.Contains(got, "no write") {
		t.Errorf("of nothing: %s", got)
	}
}

func TestHistogramIsOneWidth(t *testing.T) {
	for _, d := range []time.Duration{0, time.Nanosecond, 45 * time.Microsecond, time.Millisecond, 131 * time.Millisecond, time.Hour} {
		bars := bars([]time.Duration{d}, letters)
		if utf8.RuneCountInString(bars) != columns || strings.TrimSpace(bars) != "@" {
			t.Errorf("%v is %q", d, bars)
		}
	}
}
