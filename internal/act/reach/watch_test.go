package reach

import (
	"context"
	"net/netip"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"redkeep/internal/stage/need"
	"redkeep/internal/words"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// watch asks hosts on the loopback until the test ends, and returns what is said of them.
func watch(t *testing.T, hosts ...string) <-chan bool {
	t.Helper()
	if os.Getuid() != 0 {
		need.Right(t, "raw sockets need root")
	}
	said := make(chan bool, 16)
	c := Config{Every: 20 * time.Millisecond, Silent: 200 * time.Millisecond, Now: sinceBegun(), OnNews: changes(said)}
	for _, h := range hosts {
		c.Hosts = append(c.Hosts, netip.MustParseAddr(h))
	}
	w, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return said
}

func sinceBegun() func() words.Instant {
	begun := time.Now()
	return func() words.Instant { return words.Instant(time.Since(begun)) + 1 }
}

// changes tells of what is new alone.
func changes(said chan<- bool) func(bool, words.Instant) {
	told, last := false, false
	return func(is bool, _ words.Instant) {
		if !told || is != last {
			told, last = true, is
			said <- is
		}
	}
}

func hear(t *testing.T, said <-chan bool, want bool) {
	t.Helper()
	select {
	case is := <-said:
		if is != want {
			t.Fatalf("reached: %v", is)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nothing is said")
	}
}

func TestReached(t *testing.T) {
	hear(t, watch(t, "240.0.0.1", "127.0.0.1"), true)
	hear(t, watch(t, "::1"), true)
}

// TestAsked has a question put at once, and says when the one left that was answered.
func TestAsked(t *testing.T) {
	if os.Getuid() != 0 {
		need.Right(t, "raw sockets need root")
	}
	clock, said := sinceBegun(), make(chan words.Instant, 64)
	w, err := Open(Config{
		Hosts: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Every: time.Hour, Silent: time.Hour, Now: clock,
		OnNews: func(_ bool, asked words.Instant) { said <- asked },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	<-said // the first question
	for range 20 {
		before := clock()
		w.Ask()
		for asked := words.Instant(0); asked < before; {
			select {
			case asked = <-said:
			case <-ctx.Done():
				t.Fatal("an answer that is newer than the question is not told of")
			}
			if asked > clock() {
				t.Fatalf("asked at %v, which is to come", asked)
			}
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestNotReached(t *testing.T) { hear(t, watch(t, "240.0.0.1"), false) }

func TestEchoIsReadAgain(t *testing.T) {
	b := appendEcho(nil, false, 0x1234, 7)
	if checksum(b) != 0 {
		t.Errorf("checksum of %x", b)
	}
	b[0] = reply4
	if id, seq, ok := parseReply(b, false); !ok || id != 0x1234 || seq != 7 {
		t.Errorf("%x: %x, %d, %v", b, id, seq, ok)
	}
	for _, bad := range [][]byte{nil, {0}, appendEcho(nil, false, 1, 1), appendEcho(nil, true, 1, 1)} {
		if _, _, ok := parseReply(bad, false); ok {
			t.Errorf("%x is taken for an answer", bad)
		}
	}
}
