package sentinel

import (
	"testing"
	"time"
)

// TestRatesAreThoseOfTheLastSecond: what was before is not in them, and neither is what has just begun.
func TestRatesAreThoseOfTheLastSecond(t *testing.T) {
	var m meter
	start := time.Unix(1_000_000_000, 0)
	m.tick(counts{}, start)
	m.tick(counts{requests: 50, in: 500, out: 5000}, start.Add(500*time.Millisecond))
	if got := m.last; got != (rates{}) {
		t.Errorf("%v before the first second is over", got)
	}
	if got := m.read(counts{requests: 200, in: 2000, out: 20_000}, start.Add(2*time.Second)); got != (rates{100, 1000, 10_000}) {
		t.Errorf("%v", got)
	}
	if got := m.read(counts{requests: 200, in: 2000, out: 20_000}, start.Add(4*time.Second)); got != (rates{}) {
		t.Errorf("%v after two seconds of nothing", got)
	}
}

// TestWhatIsRejectedIsNotProcessed: total_commands_processed counts what was run, whatever came of it.
func TestWhatIsRejectedIsNotProcessed(t *testing.T) {
	_, f := quiet(t)
	c := f.Open(&ear{})
	for _, asked := range []string{"PING", "PING", "PING a b c", "nosuch", "SENTINEL nosuch", "ROLE x", "CLIENT KILL x", "SUBSCRIBE x", "ROLE"} {
		c.Receive([]byte(asked + "\r\n"))
	}
	if f.counts.requests != 5 {
		t.Errorf("%d, and not the 5 that were run", f.counts.requests)
	}
}
