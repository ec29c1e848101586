package gate

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"redkeep/internal/stage/cell"
)

func TestElementEndsOpenConnectionInTime(t *testing.T) {
	here := cell.Open(t)
	there := neighbour(t, here)
	s := serve(t, "[::]:0", false)
	h := hand(t, Config{})
	for _, r := range routes {
		must(t, h.Set(group, Want{Ports: []uint16{s.port}, Mode: Shut}))
		start := time.Now()
		must(t, h.Arm(group, 1, 300*time.Millisecond))
		must(t, h.Activate(group, 1))
		c, err := r.dial(there, s.port, 0)
		must(t, err)
		// The sending counts: what a busy machine does to the test after that is no lateness of the kernel's.
		last, sent := time.Duration(0), time.Since(start)
		for err = say(c, "x"); err == nil; err = say(c, "x") {
			last, sent = sent, time.Since(start)
		}
		ended := time.Since(start)
		wantRefused(t, err)
		t.Logf("%s: last echo at %v, reset at %v", r.name, last, ended)
		if last > 300*time.Millisecond+jiffies || ended < 200*time.Millisecond {
			t.Errorf("%s: last echo at %v, reset at %v, of 300ms", r.name, last, ended)
		}
		_ = c.Close()
	}
}

func TestLateActivationStaysShut(t *testing.T) {
	cell.Open(t)
	s := serve(t, "127.0.0.1:0", false)
	h := hand(t, Config{})
	addr := s.ln.Addr().String()
	must(t, h.Set(group, Want{Ports: []uint16{s.port}, Mode: Shut}))
	must(t, h.Arm(group, 0, 20*time.Millisecond))
	<-time.After(40 * time.Millisecond)
	must(t, h.Activate(group, 0))
	wantRefused(t, try(addr, 0))
}

func TestActiveSlotIsNotArmed(t *testing.T) {
	cell.Open(t)
	h := hand(t, Config{})
	must(t, h.Set(group, Want{Ports: []uint16{6379}, Mode: Leased, Slot: 2}))
	if err := h.Arm(group, 2, time.Second); !errors.Is(err, ErrActive) {
		t.Errorf("got %v", err)
	}
	must(t, h.Arm(group, 3, time.Second))
	must(t, h.Arm(group, 3, time.Second))
	if err := h.Arm(group, Slots, time.Second); err == nil {
		t.Error("armed a slot that does not exist")
	}
	if err := h.Arm("other", 0, time.Second); err == nil {
		t.Error("armed a group that nobody knows")
	}
}

// TestQueuedWritesAreNotAcknowledged is the reply-gate: a server that was stopped with requests in its socket answers
// them after the element has run out, and nobody hears it, then or later.
func TestQueuedWritesAreNotAcknowledged(t *testing.T) {
	here := cell.Open(t)
	there := neighbour(t, here)
	s := serve(t, "[::]:0", true)
	h := hand(t, Config{})
	for _, r := range routes {
		must(t, h.Set(group, Want{Ports: []uint16{s.port}, Mode: Shut}))
		must(t, h.Arm(group, 1, 500*time.Millisecond))
		must(t, h.Activate(group, 1))
		c, err := r.dial(there, s.port, 0)
		must(t, err)
		server := <-s.conn
		_, err = io.WriteString(c, strings.Repeat("SET a b\n", 4000))
		must(t, err)
		<-time.After(520 * time.Millisecond)
		ended := make(chan error, 1)
		go func() { // The server goes on, and answers. It ends when its connection does.
			_, err := io.Copy(server, server)
			ended <- errors.Join(err, server.Close())
		}()
		must(t, c.SetReadDeadline(time.Now().Add(patience)))
		n, err := c.Read(make([]byte, 1<<16))
		if n != 0 {
			t.Errorf("%s: %d bytes of answers after the end", r.name, n)
		}
		wantRefused(t, err)
		// A later opening lets the server's repetition of the answers out, and it finds nobody who waits for them.
		must(t, h.Set(group, Want{Ports: []uint16{s.port}, Mode: Opened}))
		select {
		case err := <-ended:
			wantRefused(t, err)
		case <-time.After(patience):
			t.Error(r.name, "the old connection lives on at the server")
		}
		_ = c.Close()
	}
}
