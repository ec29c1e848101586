package peer

import (
	"net"
	"slices"
	"sync"
)

const (
	// maxSeated is how many proven connections are served at once.
	maxSeated = 64
	// maxKnocking is how many connections may be in their handshake at once. A further one takes the place of the
	// oldest: an honest caller needs one round trip, so who holds places without proving anything loses them first.
	maxKnocking = 16
)

// guests are the connections that others have opened to us.
type guests struct {
	mu       sync.Mutex // guards what follows
	knocking []net.Conn // oldest first
	seated   map[net.Conn]struct{}
	closed   bool
}

// knock takes a new connection in, and reports whether it may stay. It returns the one that had to go for it, if any.
func (g *guests) knock(conn net.Conn) (evicted net.Conn, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, false
	}
	if len(g.knocking) >= maxKnocking {
		evicted = g.knocking[0]
		g.knocking = slices.Delete(g.knocking, 0, 1)
	}
	g.knocking = append(g.knocking, conn)
	return evicted, true
}

// seat moves a connection that has proven itself to the served ones, and reports whether there was room.
func (g *guests) seat(conn net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.remove(conn)
	if g.closed || len(g.seated) >= maxSeated {
		return false
	}
	if g.seated == nil {
		g.seated = make(map[net.Conn]struct{})
	}
	g.seated[conn] = struct{}{}
	return true
}

// leave forgets a connection.
func (g *guests) leave(conn net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.remove(conn)
	delete(g.seated, conn)
}

// remove takes a connection out of those that knock, unless it was evicted already.
func (g *guests) remove(conn net.Conn) {
	if i := slices.Index(g.knocking, conn); i >= 0 {
		g.knocking = slices.Delete(g.knocking, i, i+1)
	}
}

// closeAll closes every connection, and lets no other in.
func (g *guests) closeAll() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for _, conn := range g.knocking {
		conn.Close()
	}
	for conn := range g.seated {
		conn.Close()
	}
}
