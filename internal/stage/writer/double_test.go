package writer

import (
	"testing"
	"time"

	"redkeep/internal/stage/clock"
)

const ms = clock.Instant(time.Millisecond)

// logged makes the log of a client that stays: a write each 5 ms from one instant to another, each answered after 1 ms.
func logged(from, to clock.Instant) []Write {
	var writes []Write
	for at := from; at <= to; at += 5 * ms {
		writes = append(writes, Write{Sent: at, Acked: at + ms})
	}
	return writes
}

func refused(at clock.Instant) Write { return Write{Sent: at, Err: "READONLY"} }

func TestOverlapCountsOnlyWhatIsProven(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b []Write
		want time.Duration
	}{
		{"one after the other", logged(0, 100*ms), logged(105*ms, 200*ms), 0},
		{"both for a while", logged(0, 100*ms), logged(50*ms, 200*ms), 49 * time.Millisecond},
		{"one write within the other's stretch", logged(50*ms, 50*ms), logged(0, 100*ms), time.Millisecond},
		{"one write at the other's edge", logged(99*ms, 99*ms), logged(0, 95*ms), 0},
		{"a pause of the first, in which the second writes", append(logged(0, 50*ms), logged(150*ms, 200*ms)...), logged(60*ms, 140*ms), 0},
		{"refused between", append(append(logged(0, 50*ms), refused(52*ms)), logged(65*ms, 100*ms)...), logged(55*ms, 60*ms), 0},
		{"nobody", nil, logged(0, 100*ms), 0},
	} {
		for _, logs := range [][][]Write{{c.a, c.b}, {c.b, c.a}} {
			if got := Overlap(logs, 20*time.Millisecond); got != c.want {
				t.Errorf("%s: %v; want %v", c.name, got, c.want)
			}
		}
	}
}

func TestOverlapOfThreeHostsAddsPairs(t *testing.T) {
	logs := [][]Write{logged(0, 100*ms), logged(50*ms, 100*ms), logged(500*ms, 600*ms)}
	if got, want := Overlap(logs, 20*time.Millisecond), 49*time.Millisecond; got != want {
		t.Errorf("overlap is %v; want %v", got, want)
	}
}
