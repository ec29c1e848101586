package reception

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"redkeep/internal/act/sockets"
)

// said is one message of so many bytes, payload a part of it.
const said, payload = 64<<10 + 34, 64 << 10

// publish gives one to whoever has subscribed to x, and returns when it is on its way.
func (s *staged) publish(t testing.TB) {
	t.Helper()
	done := make(chan struct{})
	s.loop.Post(func() { s.face.Publish("x", strings.Repeat("y", payload)); close(done) })
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("the loop does nothing any more")
	}
}

// listener has subscribed to x, and reads nothing.
func (s *staged) listener(t testing.TB) net.Conn {
	t.Helper()
	c := dial(t, s.addr)
	ask(t, c, "SUBSCRIBE x\r\n", "*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n")
	return c
}

// longSlow is as long as a client may take nothing where that is not what ends it.
const longSlow = 20 * time.Second

// TestAListenerThatReadsLateHasAll: a burst of events is no reason to lose those who listen.
func TestAListenerThatReadsLateHasAll(t *testing.T) {
	s := stageWith(t, 1, longSlow, Options{})
	c := s.listener(t)
	const messages = 16 << 20 / said // some of them wait in the kernel
	for range messages {
		s.publish(t)
	}
	if n, err := io.CopyN(io.Discard, c, messages*said); err != nil {
		t.Errorf("%v after %d bytes of %d", err, n, messages*said)
	}
	ask(t, c, "UNSUBSCRIBE x\r\n", "*3\r\n$11\r\nunsubscribe\r\n$1\r\nx\r\n:0\r\n")
}

// TestListenersHaveBounds: one that is passed ends it at once, the other one after its time.
func TestListenersHaveBounds(t *testing.T) {
	for name, bound := range map[string]Bound{"hard": {Hard: 1 << 20}, "soft": {Soft: 1 << 20, Time: 200 * time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			s := stageWith(t, 1, longSlow, Options{Listeners: bound})
			_ = s.listener(t)
			for range 10 << 20 / said {
				s.publish(t)
			}
			again := time.NewTicker(100 * time.Millisecond) // too few messages for the other bound
			defer again.Stop()
			for limit := time.After(longSlow / 2); ; {
				select {
				case why := <-s.dropped:
					if !errors.Is(why, sockets.ErrSlow) {
						t.Errorf("dropped: %v", why)
					}
					return
				case <-again.C:
					s.publish(t)
				case <-limit:
					t.Fatal("it is not dropped")
				}
			}
		})
	}
}

func TestBoundsAsConfigured(t *testing.T) {
	for _, c := range []struct{ has, want Bound }{
		{Bound{}, usual}, {Bound{Hard: 1}, Bound{Hard: 1}}, {Bound{Hard: 1 << 30, Soft: 5, Time: 7}, Bound{Hard: 32 << 20, Soft: 5, Time: 7}},
	} {
		if got := c.has.orUsual(); got != c.want {
			t.Errorf("%+v: %+v", c.has, got)
		}
	}
}

// visited has a client of the face's whose visitor the test knows.
func (s *staged) visited(t testing.TB) (net.Conn, *visitor) {
	t.Helper()
	met, at := make(chan *visitor, 1), make(chan string, 1)
	s.loop.Post(func() {
		hall := newHall(s.loop, s.options)
		ln, err := s.loop.Listen(netip.MustParseAddrPort("127.0.0.1:0"), 1, nil, func(c *sockets.Conn) sockets.Handler {
			v := hall.admit(c, s.face)
			met <- v
			return v
		})
		if err != nil {
			t.Error(err)
			close(at)
			return
		}
		at <- ln.Addr().String()
	})
	c := dial(t, awaited(t, at))
	return c, awaited(t, met)
}

// awaited is what comes from the loop.
func awaited[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("the loop does nothing any more")
		panic("unreachable")
	}
}

// pending is how much waits for a visitor, after f is done.
func (s *staged) pending(t testing.TB, v *visitor, f func()) int {
	t.Helper()
	waits := make(chan int, 1)
	s.loop.Post(func() { f(); waits <- v.conn.Pending() })
	return awaited(t, waits)
}

// TestAListenerThatAsksIsSlowedDown as everybody is: that it may be told more than it reads is not for what it asks. And it has no more than
// the others when it no longer listens.
func TestAListenerThatAsksIsSlowedDown(t *testing.T) {
	s := stageWith(t, 200, longSlow, Options{})
	c, v := s.visited(t)
	const times = 500
	ask(t, c, "HELLO 3\r\nSUBSCRIBE x\r\n"+strings.Repeat("SENTINEL MASTERS\r\n", times), "")
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	most := 0
	for range 50 {
		<-look.C
		most = max(most, s.pending(t, v, func() { /* it asks on */ }))
	}
	t.Logf("at most %d bytes waited", most)
	if most == 0 || most > 1<<20 {
		t.Errorf("%d bytes waited", most)
	}
	began := time.Now()
	s.pending(t, v, func() {
		v.Listens(false)
		for range 16 << 20 / payload {
			v.Send(make([]byte, payload))
		}
	})
	s.awaitDrop(t, sockets.ErrSlow)
	if took := time.Since(began); took > longSlow/2 {
		t.Errorf("it was dropped after %v, and not for what waits", took)
	}
}
