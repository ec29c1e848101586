package reception

import (
	"errors"
	"io"
	"net"
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
