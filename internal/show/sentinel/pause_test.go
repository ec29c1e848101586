package sentinel

import (
	"strings"
	"testing"
	"time"

	"redkeep/internal/words"
)

// pausable is a face whose clock is the test's.
func pausable(t *testing.T) (*staged, *words.Instant) {
	t.Helper()
	s := stage(t, orders(), 0, nil)
	clock := new(words.Instant)
	*clock = words.Instant(time.Hour)
	s.within(func() { s.face.config.Now = func() words.Instant { return *clock } })
	return s, clock
}

// pass lets time go by, and calls Tick as a transport does.
func (s *staged) pass(clock *words.Instant, d time.Duration) {
	s.within(func() {
		if *clock = clock.Add(d); s.face.Wake() <= *clock {
			s.face.Tick(*clock)
		}
	})
}

// silent checks that nothing has come, by which the face has looked at what the caller sent.
func (s *staged) silent(c *caller) {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if b, err := c.ahead.ReadByte(); err == nil {
		c.t.Errorf("it is told %q", b)
	}
}

func TestPause(t *testing.T) {
	s, clock := pausable(t)
	c, other, peer := call(t, s.addr), call(t, s.addr), call(t, s.addr)
	other.send("PING 0\r\nCLIENT REPLY SKIP")
	other.next(1)
	if got := c.ask("CLIENT PAUSE 1000"); got != "+OK\n" {
		t.Fatalf("%q", got)
	}
	c.send("ROLE\r\nPING 1")
	other.send("SENTINEL MYID\r\nPING 2")
	s.silent(c)
	s.silent(other)
	for _, q := range []string{
		"CLIENT SETNAME sentinel-01234567-cmd", "PING", "PUBLISH __sentinel__:hello x", "SENTINEL IS-MASTER-DOWN-BY-ADDR 127.0.0.1 6379 0 *", "AUTH x",
	} {
		peer.ask(q) // it is answered, or the test ends
	}
	// What is wrong in itself is told at once, too.
	if got := peer.ask("NOSUCH") + peer.ask("ROLE x"); strings.Count(got, "-ERR") != 2 {
		t.Errorf("%q", got)
	}
	s.pass(clock, 999*time.Millisecond)
	s.silent(c)
	s.pass(clock, time.Millisecond)
	if got := c.next(2); !strings.HasPrefix(got, "*2\n$8\nsentinel\n") || !strings.HasSuffix(got, "$1\n1\n") {
		t.Errorf("%q", got)
	}
	if got := other.next(1); got != "$1\n2\n" {
		t.Errorf("%q", got) // the reply to the one that waited is not wanted
	}
}

// TestPauseEnds early, by CLIENT UNPAUSE, and after an hour whatever it was asked for.
func TestPauseEnds(t *testing.T) {
	s, clock := pausable(t)
	c, other := call(t, s.addr), call(t, s.addr)
	other.ask("CLIENT PAUSE 9223372036854775807 all")
	c.send("ROLE")
	s.silent(c)
	other.ask("CLIENT UNPAUSE")
	c.next(1)
	other.ask("CLIENT PAUSE 9223372036854775807")
	c.send("ROLE")
	s.silent(c)
	s.pass(clock, longestPause)
	c.next(1)
	// Nobody waits: the first who asks afterwards finds it over.
	other.ask("CLIENT PAUSE 1000")
	s.pass(clock, time.Second)
	c.ask("ROLE")
}

// TestPausesAddUp: a later one makes none shorter; those of writes hold nothing, and end.
func TestPausesAddUp(t *testing.T) {
	s, clock := pausable(t)
	c := call(t, s.addr)
	c.ask("CLIENT PAUSE 2000 WRITE")
	c.ask("ROLE")
	c.ask("CLIENT PAUSE 1000 ALL")
	c.send("ROLE")
	s.pass(clock, time.Second)
	s.silent(c)
	s.pass(clock, time.Second)
	c.next(1)
	c.ask("CLIENT PAUSE 1000 WRITE")
	c.ask("ROLE")
}

// TestWhoWaitsIsBounded: who sends more and more is read no further, and who goes is forgotten.
func TestWhoWaitsIsBounded(t *testing.T) {
	s, clock := pausable(t)
	c, gone := call(t, s.addr), call(t, s.addr)
	c.ask("CLIENT PAUSE 1000")
	c.send(strings.Repeat("PING x\r\n", 10) + "ROLE" + strings.Repeat("\r\nROLE", held))
	c.next(10)
	gone.send("ROLE")
	s.silent(c)
	s.silent(gone)
	gone.conn.Close()
	waiting, stopped := 2, false
	for limit := time.Now().Add(5 * time.Second); waiting > 1 && time.Now().Before(limit); {
		s.within(func() {
			waiting = len(s.face.pause.clients)
			for w := range s.face.pause.clients {
				stopped = w.peer.(*wire).held
			}
		})
	}
	if waiting != 1 || !stopped {
		t.Errorf("%d wait; the one that sends more is stopped: %v", waiting, stopped)
	}
	s.pass(clock, time.Second)
	c.next(held + 1)
}
