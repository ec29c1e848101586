package sockets

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestSilentHandshakesHoldUpNobody: who says nothing, or half of its first message, has no turn.
func TestSilentHandshakesHoldUpNobody(t *testing.T) {
	server, client := secured(t)
	var at string
	running(t, Config{}, func(l *Loop) {
		l.turns = turnsOf(1)
		at = servingTLS(t, l, server, func(*Conn) Handler { return telling(make(chan error, 100), echo) })
	})
	for i := range 20 {
		silent, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
		if i%2 == 0 {
			_, _ = silent.Write([]byte{22, 3, 1, 2, 0, 1}) // a record of 512 bytes begins
		}
	}
	conn := dialledTLS(t, at, client)
	if _, err := conn.Write([]byte("x\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 2)); err != nil {
		t.Error(err)
	}
}

// TestHandshakesTakeTurns has many come at once, and looks how many of them compute together.
func TestHandshakesTakeTurns(t *testing.T) {
	server, client := secured(t)
	var now, most atomic.Int32
	counted := server.Clone()
	counted.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		n := now.Add(1)
		defer now.Add(-1)
		if n > most.Load() {
			most.Store(n)
		}
		for began := time.Now(); time.Since(began) < time.Millisecond; { // as a signature does
		}
		return nil, nil
	}
	var at string
	running(t, Config{}, func(l *Loop) {
		l.turns = turnsOf(1)
		at = servingTLS(t, l, counted, func(*Conn) Handler { return telling(make(chan error, 100), echo) })
	})
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			conn, err := tls.Dial("tcp", at, client)
			if err != nil {
				t.Error(err)
				return
			}
			conn.Close()
		})
	}
	all.Wait()
	if most.Load() != 1 {
		t.Errorf("%d computed at once", most.Load())
	}
}

// ready is a network that never has anybody wait.
type ready struct{ net.Conn }

func (ready) Read(b []byte) (int, error)  { return len(b), nil }
func (ready) Write(b []byte) (int, error) { return len(b), nil }

// TestWhoHasBegunGoesOn before many others begin, so that most are done in good time whatever there is for all to compute.
func TestWhoHasBegunGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := turnsOf(1)
		shared.all <- struct{}{} // until all have come
		now, most, done := 0, 0, 0
		for range 50 {
			s := &shaker{Conn: ready{}, turns: shared}
			go func() {
				err := s.shake(func() error {
					_, _ = s.Read(nil)
					now++ // whoever has a turn has it alone
					most = max(most, now)
					_, err := s.Write(nil)
					now--
					done++
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		<-shared.all
		synctest.Wait()
		if most > 5 || done != 50 {
			t.Errorf("%d had begun and not ended, %d are done", most, done)
		}
	})
}

// TestNobodyComputesForWhoHasGone: who waits for a turn until its time is up needs none any more.
func TestNobodyComputesForWhoHasGone(t *testing.T) {
	server, client := secured(t)
	whys := make(chan error, 10)
	var at string
	running(t, Config{Handshake: 200 * time.Millisecond}, func(l *Loop) {
		l.turns = turnsOf(1)
		l.turns.all <- struct{}{} // for good
		at = servingTLS(t, l, server, func(*Conn) Handler { return telling(whys, echo) })
	})
	const clients = 3
	for range clients {
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patience))
		if err := tls.Client(conn, client).Handshake(); err == nil {
			t.Error("hands were shaken without a turn")
		}
	}
	for range clients {
		select {
		case why := <-whys:
			if !errors.Is(why, ErrTimeout) {
				t.Error(why)
			}
		case <-time.After(patience):
			t.Fatal("it is not closed")
		}
	}
}

// TestHalvesOfHandshakesAreBounded together: who sends long ones and ends none is dropped, and who comes to use the port is not.
func TestHalvesOfHandshakesAreBounded(t *testing.T) {
	server, client := secured(t)
	whys := make(chan error, 100)
	var at string
	l := running(t, Config{}, func(l *Loop) {
		l.turns.heard.Store(mostHeard - 64<<10) // of others
		at = servingTLS(t, l, server, func(*Conn) Handler { return telling(whys, echo) })
	})
	half := []byte{1, 0, 0xff, 0xff} // a ClientHello of 65535 bytes begins
	half = append(half, make([]byte, 16<<10-len(half))...)
	half = append([]byte{22, 3, 1, 0x40, 0}, half...)
	for range 10 {
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write(half); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case why := <-whys:
		if !errors.Is(why, errHeard) {
			t.Error(why)
		}
	case <-time.After(patience):
		t.Error("nobody is dropped")
	}
	if heard := l.turns.heard.Load(); heard > mostHeard+64<<10 {
		t.Errorf("%d bytes were heard", heard)
	}
	if err := ask(dialledTLS(t, at, client), "x\n"); err != nil {
		t.Error(err)
	}
}

// TestNobodyDialledWaitsBehindStrangers: neither at the door, nor for what they have begun.
func TestNobodyDialledWaitsBehindStrangers(t *testing.T) {
	shared := turnsOf(1)
	shared.door <- struct{}{}
	shared.heard.Store(mostHeard)
	s := &shaker{Conn: ready{}, turns: shared, dialled: true}
	ended := make(chan error, 1)
	go func() {
		ended <- s.shake(func() error {
			_, err := io.CopyN(io.Discard, s, 2*fairHeard)
			return err
		})
	}()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("it waits")
	}
}
