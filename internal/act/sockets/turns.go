package sockets

import (
	"net"
	"runtime"
)

// turns are how many connections may compute for a handshake at once. One takes a processor for about a millisecond, and all clients come
// back at once after a failover: as many goroutines that may all run would keep every other one waiting for as long as they take together.
type turns chan struct{}

// newTurns leaves one of Go's processors to others, where there are several.
func newTurns() turns { return make(turns, max(1, runtime.GOMAXPROCS(0)-1)) }

func (t turns) take()  { t <- struct{}{} }
func (t turns) leave() { <-t }

// shaker is a connection below TLS. Who shakes hands has a turn, but while it waits for the network, which may take as long as the peer
// likes. Until that is over no other goroutine reads or writes here.
type shaker struct {
	net.Conn
	turns turns
	over  bool
}

// shake runs the handshake. Waiting for a turn has no bound of its own: those who have one compute, and wait for nobody.
func (s *shaker) shake(handshake func() error) error {
	s.turns.take()
	defer s.turns.leave()
	err := handshake()
	s.over = true
	return err
}

func (s *shaker) Read(b []byte) (int, error)  { return s.away(s.Conn.Read, b) }
func (s *shaker) Write(b []byte) (int, error) { return s.away(s.Conn.Write, b) }

// away does what may wait.
func (s *shaker) away(do func([]byte) (int, error), b []byte) (int, error) {
	if s.over {
		return do(b)
	}
	s.turns.leave()
	defer s.turns.take()
	return do(b)
}
