package bench

import (
	"testing"
	"time"

	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/writer"
)

const ms = clock.Instant(time.Millisecond)

// log makes a local client's log: a write each 5 ms from one instant to another, each answered after 1 ms.
func log(from, to clock.Instant) []writer.Write {
	var writes []writer.Write
	for at := from; at <= to; at += 5 * ms {
		writes = append(writes, writer.Write{Sent: at, Acked: at + ms})
	}
	return writes
}

func refused(at clock.Instant) writer.Write { return writer.Write{Sent: at, Err: "READONLY"} }

func TestOverlapCountsOnlyWhatIsProven(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b []writer.Write
		want time.Duration
	}{
		{"one after the other", log(0, 100*ms), log(105*ms, 200*ms), 0},
		{"both for a while", log(0, 100*ms), log(50*ms, 200*ms), 49 * time.Millisecond},
		{"one write within the other's stretch", log(50*ms, 50*ms), log(0, 100*ms), least},
		{"one write at the other's edge", log(99*ms, 99*ms), log(0, 95*ms), 0},
		{"a pause of the first, in which the second writes", append(log(0, 50*ms), log(150*ms, 200*ms)...), log(60*ms, 140*ms), 0},
		{"refused between", append(append(log(0, 50*ms), refused(52*ms)), log(65*ms, 100*ms)...), log(55*ms, 60*ms), 0},
		{"nobody", nil, log(0, 100*ms), 0},
	} {
		for _, logs := range [][][]writer.Write{{c.a, c.b}, {c.b, c.a}} {
			if got := overlap(logs, 20*time.Millisecond); got != c.want {
				t.Errorf("%s: %v; want %v", c.name, got, c.want)
			}
		}
	}
}

func TestOverlapOfThreeHostsAddsPairs(t *testing.T) {
	logs := [][]writer.Write{log(0, 100*ms), log(50*ms, 100*ms), log(500*ms, 600*ms)}
	if got, want := overlap(logs, 20*time.Millisecond), 49*time.Millisecond; got != want {
		t.Errorf("overlap is %v; want %v", got, want)
	}
}

func TestAfterDropsWhatWasSentBefore(t *testing.T) {
	if got := after(log(0, 20*ms), 7*ms); len(got) != 3 || got[0].Sent != 10*ms {
		t.Errorf("after 7 ms: %v", got)
	}
	if got := after(log(0, 20*ms), 20*ms); got != nil {
		t.Errorf("after the last: %v", got)
	}
}
