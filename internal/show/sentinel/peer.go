package sentinel

// Peer is the other end of a conversation, as its transport carries it. A transport calls Receive with what came, and Gone once
// when the connection has ended; the face calls these, on the same goroutine.
type Peer interface {
	// Addrs are the addresses of the peer and of this side, as text.
	Addrs() (remote, local string)
	// Send has bytes sent, behind those of earlier calls; they are the face's again when it returns. It does not wait: a peer that
	// reads too slowly, or for which too much waits already, is closed by the transport.
	Send(b []byte)
	// Close ends the connection, after what was sent has been taken if that is wanted, and within a bound. Gone follows, but not
	// from within the call.
	Close(afterSent bool)
	// Hold has Receive called no more until Resume; then with what it has left, and not from within the call.
	Hold()
	Resume()
	// Listens says whether the peer listens to something: such a one may ask for nothing for ever.
	Listens(bool)
}
