package sockets

import (
	"errors"
	"net"
	"runtime"
	"sync/atomic"
)

// turns are how many connections may compute for a handshake at once. One takes a processor for some milliseconds, and all clients come
// back at once after a failover: as many goroutines that may all run would keep every other one waiting for as long as they take together.
type turns struct {
	all chan struct{}
	// door lets one at a time wait for its first turn, and the others wait for the door. So who has begun goes on before the next but one
	// begins: else they would all be done at the very end, when none of them has any patience left.
	door chan struct{}
	// heard is how many bytes have come of the handshakes that are under way.
	heard *atomic.Int64
}

// newTurns leaves one of Go's processors to others, where there are several.
func newTurns() turns { return turnsOf(max(1, runtime.GOMAXPROCS(0)-1)) }

func turnsOf(n int) turns {
	return turns{make(chan struct{}, n), make(chan struct{}, 1), new(atomic.Int64)}
}

// Together handshakes may have heard so many bytes, which TLS keeps several times over. Beyond that, one of more than an ordinary client
// sends, its certificate included, is ended when more of it comes: whoever is a stranger until then must not use up the host's memory.
const (
	mostHeard = 16 << 20
	fairHeard = 8 << 10
)

var errHeard = errors.New("too much of handshakes was begun and not ended")

// shaker is a connection below TLS. Who shakes hands has a turn, but while it waits for the network, which may take as long as the peer
// likes. Until that is over no other goroutine reads or writes here.
type shaker struct {
	net.Conn
	turns turns
	// ending is closed at the connection's end: from then on nobody computes for it.
	ending <-chan struct{}
	// dialled is one to whom this side has come, and no stranger: it neither waits at the door nor is what it hears bounded.
	dialled bool
	begun   bool // has had a turn
	has     bool // has one
	over    bool
	heard   int64
}

// shake runs the handshake. Who accepts has nothing to compute before the peer has spoken.
func (s *shaker) shake(handshake func() error) error {
	if s.dialled {
		if err := s.take(); err != nil {
			return err
		}
	}
	err := handshake()
	s.over = true
	s.turns.heard.Add(-s.heard)
	s.leave()
	return err
}

func (s *shaker) Read(b []byte) (int, error) {
	n, err := s.away(s.Conn.Read, b)
	if s.over || s.dialled {
		return n, err
	}
	s.heard += int64(n)
	if s.turns.heard.Add(int64(n)) > mostHeard && s.heard > fairHeard {
		err = errHeard
	}
	return n, err
}

func (s *shaker) Write(b []byte) (int, error) { return s.away(s.Conn.Write, b) }

// away does what may wait.
func (s *shaker) away(do func([]byte) (int, error), b []byte) (int, error) {
	if s.over {
		return do(b)
	}
	s.leave()
	n, err := do(b)
	if err == nil {
		err = s.take()
	}
	return n, err
}

// take waits for a turn. It has no bound of its own, since those who have one compute, and wait for nobody; but it fails at the
// connection's end.
func (s *shaker) take() error {
	if !s.begun && !s.dialled {
		select {
		case s.turns.door <- struct{}{}:
			defer func() { <-s.turns.door }()
		case <-s.ending:
			return net.ErrClosed
		}
	}
	select {
	case s.turns.all <- struct{}{}:
		s.begun, s.has = true, true
		return nil
	case <-s.ending:
		return net.ErrClosed
	}
}

// leave gives the turn back, if there is one.
func (s *shaker) leave() {
	if s.has {
		s.has = false
		<-s.turns.all
	}
}
