package peer

import (
	"errors"
	"net/netip"
	"testing"
	"time"
)

// beats is a peer that sends beats at a distance, and counts how often it tells of a silence.
type beats struct {
	silence
	at   time.Time
	told []int // after how many beats
}

func (b *beats) send(n int, every time.Duration) {
	for i := range n {
		if b.sent(b.at) {
			b.told = append(b.told, i)
		}
		b.at = b.at.Add(every)
	}
}

func TestSilenceIsToldOfFromTheSecondBeatOn(t *testing.T) {
	b := &beats{at: time.Now()}
	b.send(1000, 100*time.Millisecond)
	if len(b.told) != silenceTold || b.told[0] != 1 || b.told[silenceTold-1] != silenceTold {
		t.Errorf("told of at beats %v", b.told)
	}
	b.end()
	b.told = nil
	b.send(1000, 100*time.Millisecond)
	if len(b.told) != silenceTold || b.told[0] != 1 {
		t.Errorf("the next time told of at beats %v", b.told)
	}
}

// A thousand groups' beats leave before the first answer can have come.
func TestManyDatagramsAtOnceAreNoSilence(t *testing.T) {
	b := &beats{at: time.Now()}
	for range 100 {
		b.send(1000, 20*time.Microsecond)
		b.end()
		b.at = b.at.Add(80 * time.Millisecond)
	}
	if len(b.told) != 0 {
		t.Errorf("told of %d times", len(b.told))
	}
	b.send(1000, 20*time.Microsecond)
	b.send(10_000, 20*time.Microsecond)
	if n := len(b.told); n < 3 || n > 4 {
		t.Errorf("told of %d times in 220 ms", n)
	}
}

func TestWhatEndsASilence(t *testing.T) {
	addrs := ports(t, "a", "b")
	told := make(chan netip.Addr, 2*silenceTold)
	a := open(t, "a", 1, addrs, func(c *Config) { c.OnSilence = func(peer netip.Addr) { told <- peer } })
	r := a.remotes["b"]
	// as if what is not yet answered had left so long ago
	ago := func(d time.Duration) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.silence.last = time.Now().Add(-d)
	}
	count := func(want int) {
		t.Helper()
		if got := len(told); got != want {
			t.Errorf("told %d times, want %d", got, want)
		}
		for len(told) > 0 {
			if peer := <-told; peer != addrs["b"].Addr() {
				t.Errorf("told of %s", peer)
			}
		}
	}
	for range 2 * silenceTold { // b does not run; the greeting was the first
		ago(silenceStep)
		a.Send("b", []byte("beat"))
	}
	count(silenceTold)

	a.watchSilence(r, errors.New("network is unreachable"))
	a.Send("b", []byte("the first"))
	count(0)
	ago(silenceStep)
	a.Send("b", []byte("the second"))
	count(1)

	b := open(t, "b", 1, addrs, nil)
	until(t, "a has heard b", func() bool { return a.Counters().Received > 0 })
	b.Send("a", []byte("answer"))
	a.next(t)
	r.mu.Lock()
	owed := r.silence
	r.mu.Unlock()
	if owed.told != 0 {
		t.Errorf("after an answer it is %+v", owed)
	}
}
