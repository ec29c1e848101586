package peer

import (
	"errors"
	"sync/atomic"

	"redkeep/internal/speak/seal"
)

// Counters are totals since Open.
type Counters struct {
	// Sent and Received are genuine datagrams, hellos among them.
	Sent, Received uint64
	// Dropped are datagrams and items that were never sent.
	Dropped uint64
	// Unproven are genuine datagrams that were answered with a hello, since their sender had not heard from this start.
	Unproven uint64
	// Malformed, Forged, OldSession, Twin and Replayed are datagrams refused, by reason; senders that are no node count
	// as Malformed.
	Malformed, Forged, OldSession, Twin, Replayed uint64
	// Connections are TCP connections that proved the secret, and Turned those that did not, in time or at all, or found
	// no room.
	Connections, Turned uint64
}

// counters is Counters while they grow, from any goroutine.
type counters struct {
	sent, received, dropped, unproven             atomic.Uint64
	malformed, forged, oldSession, twin, replayed atomic.Uint64
	connections, turned                           atomic.Uint64
}

// Counters returns the totals of this moment.
func (p *Peer) Counters() Counters {
	c := &p.count
	return Counters{
		Sent: c.sent.Load(), Received: c.received.Load(), Dropped: c.dropped.Load(), Unproven: c.unproven.Load(),
		Malformed: c.malformed.Load(), Forged: c.forged.Load(), OldSession: c.oldSession.Load(),
		Twin: c.twin.Load(), Replayed: c.replayed.Load(),
		Connections: c.connections.Load(), Turned: c.turned.Load(),
	}
}

// refuse counts a refused datagram by its reason.
func (c *counters) refuse(err error) {
	switch {
	case errors.Is(err, seal.ErrForged):
		c.forged.Add(1)
	case errors.Is(err, seal.ErrOldSession):
		c.oldSession.Add(1)
	case errors.Is(err, seal.ErrTwin):
		c.twin.Add(1)
	case errors.Is(err, seal.ErrReplayed):
		c.replayed.Add(1)
	default:
		c.malformed.Add(1)
	}
}
