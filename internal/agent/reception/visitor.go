package reception

import (
	"crypto/tls"
	"net/netip"
	"time"

	"redkeep/internal/act/sockets"
	"redkeep/internal/show/sentinel"
)

// backlog is how many connections wait in the kernel to be accepted, as in Redis.
const backlog = 511

// Options are what may differ between the two owners.
type Options struct {
	// Idle ends a connection that asks for nothing and has subscribed to nothing for as long; zero is never.
	Idle time.Duration
	// TLS is nil for plain connections.
	TLS *tls.Config
	// Dropped is called with a client that was not well, and why; nil is nobody.
	Dropped func(client netip.AddrPort, why error)
}

// Listen has the face's clients served at an address, by the loop. It is called before the loop runs, or on its goroutine.
func Listen(loop *sockets.Loop, at netip.AddrPort, face *sentinel.Face, o Options) (*sockets.Listener, error) {
	return loop.Listen(at, backlog, o.TLS, func(c *sockets.Conn) sockets.Handler {
		v := &visitor{conn: c, options: &o}
		c.SetIdle(o.Idle)
		v.client = face.Open(v)
		return v
	})
}

// visitor is one connection: what comes is its conversation's, and what that says goes back.
type visitor struct {
	conn    *sockets.Conn
	client  *sentinel.Client // nil for one that there was no room for
	options *Options
}

// Opened has nothing to do: a client speaks first.
func (v *visitor) Opened(*sockets.Conn) { /* the face has been told by Listen */ }

// Received hands over what came.
func (v *visitor) Received(_ *sockets.Conn, b []byte) (used int) {
	if v.client == nil {
		return len(b)
	}
	return v.client.Receive(b)
}

// Closed says that the client has gone.
func (v *visitor) Closed(c *sockets.Conn, why error) {
	if v.client == nil {
		return
	}
	v.client.Gone()
	if why != nil && v.options.Dropped != nil {
		v.options.Dropped(c.Remote(), why)
	}
}

// Addrs are both ends.
func (v *visitor) Addrs() (remote, local string) {
	return v.conn.Remote().String(), v.conn.Local().String()
}

// Send has bytes sent at the end of the loop's turn.
func (v *visitor) Send(b []byte) { v.conn.Write(b) }

// Close ends the connection.
func (v *visitor) Close(afterSent bool) {
	if afterSent {
		v.conn.Close()
		return
	}
	v.conn.Abort()
}

// Hold and Resume have a client wait for its answer.
func (v *visitor) Hold()   { v.conn.Hold() }
func (v *visitor) Resume() { v.conn.Resume() }

// Listens lets one that listens be silent for ever: the kernel finds those whose host has gone.
func (v *visitor) Listens(yes bool) {
	if yes {
		v.conn.SetIdle(0)
		return
	}
	v.conn.SetIdle(v.options.Idle)
}
