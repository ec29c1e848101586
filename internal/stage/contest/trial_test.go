package contest

import (
	"testing"
	"time"

	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/writer"
)

func TestAfterDropsWhatWasSentBefore(t *testing.T) {
	const ms = clock.Instant(time.Millisecond)
	var log []writer.Write
	for at := clock.Instant(0); at <= 20*ms; at += 5 * ms {
		log = append(log, writer.Write{Sent: at, Acked: at + ms})
	}
	if got := after(log, 7*ms); len(got) != 3 || got[0].Sent != 10*ms {
		t.Errorf("after 7 ms: %v", got)
	}
	if got := after(log, 20*ms); got != nil {
		t.Errorf("after the last: %v", got)
	}
}
