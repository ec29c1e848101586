package sockets

import (
	"math/rand/v2"
	"testing"
	"time"

	"redkeep/internal/words"
)

// TestWheel holds the wheel against a list: nobody is looked at early unless it is put back, and nobody late by more than a tick.
func TestWheel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	now := words.Instant(12345 * time.Second)
	w := wheel{at: int64(now) >> grain}
	due := map[*Conn]words.Instant{}
	conns := make([]Conn, 200)
	for range 20000 {
		c := &conns[random.IntN(len(conns))]
		switch random.IntN(10) {
		case 0:
			w.remove(c)
			delete(due, c)
		default:
			at := now.Add(time.Duration(random.Int64N(int64(200 * time.Second))))
			if d, ok := due[c]; !ok || at < d {
				due[c] = at
			}
			w.put(c, at)
		}
		step := time.Duration(random.Int64N(int64(100 * time.Millisecond)))
		if random.IntN(1000) == 0 {
			step *= 2000
		}
		if next := w.next(); len(due) == 0 != (next == words.Never) {
			t.Fatalf("%d wait, the next at %v", len(due), next)
		}
		now = now.Add(step)
		w.turn(now, func(c *Conn) {
			if now >= due[c] {
				delete(due, c)
			} else {
				w.put(c, due[c])
			}
		})
		for c, at := range due {
			if now.Sub(at) > 1<<grain {
				t.Fatalf("%v late (tick %d of %d)", now.Sub(at), c.tick, w.at)
			}
		}
		if next := w.next(); next <= now {
			t.Fatalf("the next at %v, now %v", next, now)
		}
	}
}

func TestPool(t *testing.T) {
	var p pool
	b := p.extend(nil, make([]byte, 100))
	if cap(b) != 512 {
		t.Errorf("capacity %d", cap(b))
	}
	first := &b[0]
	p.give(b)
	if b = p.extend(nil, []byte("x")); &b[0] != first {
		t.Error("not the same buffer")
	}
	b = p.extend(b, make([]byte, 3000))
	if len(b) != 3001 || b[0] != 'x' || cap(b) != 4096 {
		t.Errorf("length %d, capacity %d, first %q", len(b), cap(b), b[0])
	}
	if c := p.take(512); &c[:1][0] != first {
		t.Error("the smaller one was not given back")
	}
	if big := p.take(100 << 10); cap(big) != 128<<10 {
		t.Errorf("capacity %d", cap(big))
	}
	for range 10000 {
		p.give(make([]byte, 0, 1024))
	}
	if n := len(p.free[1]); n != spare/1024 {
		t.Errorf("%d buffers of 1 KB stay", n)
	}
}
