package sentinel

import (
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestASwitchIsPublishedOnce(t *testing.T) {
	s := stage(t, orders(), 0, nil)
	c := call(t, s.addr)
	c.ask("SUBSCRIBE +switch-master")
	s.switchTo("h2")
	s.Announce("orders", 8, "h1", "h2") // again: another path has told it too
	s.Announce("orders", 7, "h2", "h1") // late
	s.Announce("orders", 8, "h1", "")   // nobody
	s.switchTo("h1")
	got := c.next(1)
	if !strings.Contains(got, "orders 127.0.0.1 6379 127.0.0.2 6379") {
		t.Fatalf("first message %q", got)
	}
	if got := c.next(1); !strings.Contains(got, "orders 127.0.0.2 6379 127.0.0.1 6379") {
		t.Fatalf("second message %q", got)
	}
	if got := c.ask("PING"); !strings.Contains(got, "pong") {
		t.Errorf("a third message %q", got)
	}
}

func TestTheFirstMasterIsNoSwitch(t *testing.T) {
	n := orders()
	n.Groups[0].Master, n.Groups[0].Writable, n.Groups[0].Epoch = "", false, 0
	s := stage(t, n, 0, nil)
	c := call(t, s.addr)
	c.ask("SUBSCRIBE +switch-master")
	s.switchTo("h2")
	if got := c.ask("PING"); !strings.Contains(got, "pong") {
		t.Errorf("a message %q", got)
	}
	if got := call(t, s.addr).ask("SENTINEL GET-MASTER-ADDR-BY-NAME orders"); !strings.Contains(got, "127.0.0.2") {
		t.Errorf("%q", got)
	}
}

// TestAnOldPictureDoesNotTurnBack: the word of a switch may be earlier than the picture of it.
func TestAnOldPictureDoesNotTurnBack(t *testing.T) {
	s := stage(t, orders(), 0, nil)
	s.Announce("orders", 8, "h1", "h2")
	for range 2 {
		if got := call(t, s.addr).ask("SENTINEL get-master-addr-by-name orders"); !strings.Contains(got, "127.0.0.2") {
			t.Errorf("%q", got)
		}
	}
}

func TestTheQueueIsBounded(t *testing.T) {
	l, _ := NewLease(LeaseConfig{Picture: here}, 0)
	for i := range maxNews + 2 {
		l.Announce("orders", words.Epoch(i), "", "h1")
	}
	if len(l.news) != maxNews || l.news[0].epoch != 2 {
		t.Errorf("%d wait, the oldest of epoch %d", len(l.news), l.news[0].epoch)
	}
}

func TestTooManyClients(t *testing.T) {
	s := stage(t, orders(), 2, nil)
	first, second := call(t, s.addr), call(t, s.addr)
	first.ask("PING")
	second.ask("PING")
	third := call(t, s.addr)
	if got := third.next(1); got != "-ERR max number of clients reached\n" {
		t.Errorf("%q", got)
	}
	third.closed()
	first.ask("PING")
}

func TestNonsenseEndsTheConnection(t *testing.T) {
	s := stage(t, orders(), 0, nil)
	for _, nonsense := range []string{"*1\r\n+PING\r\n", "*100000\r\n", "*1\r\n$999999999\r\n", "\"open\r\n", strings.Repeat("x", 70<<10)} {
		c := call(t, s.addr)
		// The face may close before it has read all of it.
		_, _ = io.WriteString(c.conn, nonsense)
		c.closed()
	}
	call(t, s.addr).ask("PING")
}

func TestPipelining(t *testing.T) {
	s := stage(t, orders(), 0, nil)
	c := call(t, s.addr)
	_, _ = io.WriteString(c.conn, strings.Repeat("PING\r\n", 1000))
	if got := c.next(1000); got != strings.Repeat("+PONG\n", 1000) {
		t.Errorf("%d bytes", len(got))
	}
}

func TestSubscriptionsAreBounded(t *testing.T) {
	s := stage(t, orders(), 0, nil)
	c := call(t, s.addr)
	if got := c.ask("SUBSCRIBE " + strings.Repeat("c", maxChannel+1)); !strings.HasPrefix(got, "-ERR") {
		t.Errorf("%q", got)
	}
	for i := range maxSubscriptions {
		c.ask("SUBSCRIBE c" + itoa(i))
	}
	if got := c.ask("PSUBSCRIBE more"); !strings.HasPrefix(got, "-ERR") {
		t.Errorf("%q", got)
	}
	if got := c.ask("SUBSCRIBE c1"); !strings.Contains(got, ":256") {
		t.Errorf("a channel that is known: %q", got)
	}
}

// TestAPauseIsTold: Sentinel's word for watching on without acting is tilt.
func TestAPauseIsTold(t *testing.T) {
	n := picture.Node{Groups: []picture.Group{{Name: "orders"}, {Name: "carts"}}}
	_, f := NewLease(LeaseConfig{Picture: func() *picture.Node { now := n; return &now }}, 0)
	if got := f.infoSentinel(); !strings.Contains(got, "sentinel_tilt:0\r\nsentinel_tilt_since_seconds:-1\r\n") {
		t.Errorf("%q", got)
	}
	n.Groups[1].Pause = picture.Pause{By: "h3", For: time.Hour, Left: 59 * time.Minute}
	if got := f.infoSentinel(); !strings.Contains(got, "sentinel_tilt:1\r\nsentinel_tilt_since_seconds:60\r\n") {
		t.Errorf("%q", got)
	}
}
