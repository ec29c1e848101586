package clock

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPacerIsNeverEarlyAndRarelyLate(t *testing.T) {
	p, err := NewPacer()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var late time.Duration
	const turns = 100
	due := Now()
	for range turns {
		due = due.Add(time.Millisecond)
		if err := p.Wait(due); err != nil {
			t.Fatal(err)
		}
		now := Now()
		if now < due {
			t.Fatalf("%v too early", due.Sub(now))
		}
		late += now.Sub(due)
	}
	t.Logf("late by %v on average", late/turns)
}

func TestPacerEndsWithClose(t *testing.T) {
	p, err := NewPacer()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Wait(Now().Add(time.Hour)) }()
	p.Close()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("an hour passed")
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the wait goes on")
	}
}

func TestWatcherTellsWhichStallsTouchAStretch(t *testing.T) {
	w, err := Watch()
	if err != nil {
		t.Fatal(err)
	}
	w.Stop()
	w.stalls = []Stall{{At: 100, Late: 50}, {At: 1000, Late: 20}}
	for _, c := range []struct {
		from, to Instant
		worst    time.Duration
	}{{0, 99, 0}, {0, 100, 50}, {120, 130, 50}, {151, 999, 0}, {0, 2000, 50}, {1020, 1021, 20}} {
		if got := w.Worst(c.from, c.to); got != c.worst {
			t.Errorf("worst from %d to %d is %d; want %d", c.from, c.to, got, c.worst)
		}
	}
}
