package sockets

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestSilentHandshakesHoldUpNobody: who says nothing, or half of its first message, has no turn.
func TestSilentHandshakesHoldUpNobody(t *testing.T) {
	server, client := secured(t)
	var at string
	running(t, Config{}, func(l *Loop) {
		l.turns = make(turns, 1)
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
		l.turns = make(turns, 1)
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
