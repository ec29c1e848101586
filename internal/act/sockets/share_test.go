package sockets

import (
	"sync/atomic"
	"testing"
	"time"

	"redkeep/internal/words"
)

// TestThoseThatGoOnLetOthersIn: whoever comes while many connections go on at once does not wait until all have had their turn.
func TestThoseThatGoOnLetOthersIn(t *testing.T) {
	const many = 50
	var passed atomic.Int64 // on top of the clock: each takes half of what is for all
	slow := func() words.Instant { return clock().Add(time.Duration(passed.Load())) }
	left := many
	held, done := make(chan struct{}), make(chan int, 1)
	var conns []*Conn
	var at string
	l := running(t, Config{Now: slow}, func(l *Loop) {
		at = serving(t, l, func(*Conn) Handler {
			first := true
			return &played{received: func(c *Conn, b []byte) int {
				if first {
					first = false
					c.Hold()
					if conns = append(conns, c); len(conns) == many {
						close(held)
					}
					return 0
				}
				passed.Add(int64(share / 2))
				if left--; left == many-1 {
					l.Post(func() { done <- left })
				}
				return len(b)
			}}
		})
	})
	for range many {
		if _, err := dialled(t, at).Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	within(t, held, "the last request")
	on(t, l, func() {
		for _, c := range conns {
			c.Resume()
		}
	})
	if n := within(t, done, "what was posted"); n < many/2 {
		t.Errorf("it came when %d of %d had not gone on", n, many)
	}
}
