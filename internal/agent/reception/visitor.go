package reception

import (
	"crypto/tls"
	"errors"
	"net/netip"
	"time"

	"redkeep/internal/act/sockets"
	"redkeep/internal/show/sentinel"
	"redkeep/internal/speak/resp"
)

// backlog is how many connections wait in the kernel to be accepted, as in Redis.
const backlog = 511

// Options are what may differ between the two owners.
type Options struct {
	// Idle ends a connection that asks for nothing and has subscribed to nothing for as long; zero is never.
	Idle time.Duration
	// TLS is nil for plain connections.
	TLS *tls.Config
	// Refuse says why nobody from an address is served, "" for who is; nil is nobody. It is told to them as an error.
	Refuse func(from netip.Addr) string
	// Dropped is called with a client that was not well, and why; nil is nobody.
	Dropped func(client netip.AddrPort, why error)
}

// Together the visitors of one address may have halves of requests waiting, of so many bytes. Beyond that, one of more than fair is
// dropped when more of it comes: ten thousand that begin long requests and end none cost this much and no more.
const (
	unfinished = 64 << 20
	fair       = 4 << 10
)

// ErrUnfinished is why a visitor was dropped then.
var ErrUnfinished = errors.New("too many requests were begun and not ended")

// hall is what the visitors of one address have in common.
type hall struct {
	options Options
	// halves are the bytes of requests that were begun.
	halves int
}

// Listen has the face's clients served at an address, by the loop. It is called before the loop runs, or on its goroutine.
func Listen(loop *sockets.Loop, at netip.AddrPort, face *sentinel.Face, o Options) (*sockets.Listener, error) {
	in := &hall{options: o}
	return loop.Listen(at, backlog, o.TLS, func(c *sockets.Conn) sockets.Handler {
		v := &visitor{conn: c, hall: in}
		if o.Refuse != nil {
			if why := o.Refuse(c.Remote().Addr().Unmap()); why != "" {
				c.Write(resp.AppendError(nil, why))
				c.Close()
				return v
			}
		}
		c.SetIdle(o.Idle)
		v.client = face.Open(v)
		return v
	})
}

// visitor is one connection: what comes is its conversation's, and what that says goes back.
type visitor struct {
	conn   *sockets.Conn
	client *sentinel.Client // nil for one that there was no room for
	hall   *hall
	// half is how many bytes of the hall's are this one's.
	half int
	why  error // it is dropped; nil while it is not
}

// Opened has nothing to do: a client speaks first.
func (v *visitor) Opened(*sockets.Conn) { /* the face has been told by Listen */ }

// Received hands over what came.
func (v *visitor) Received(_ *sockets.Conn, b []byte) (used int) {
	if v.client == nil {
		return len(b)
	}
	used = v.client.Receive(b)
	v.owes(len(b) - used)
	if v.half > fair && v.hall.halves > unfinished {
		v.why = ErrUnfinished
		v.conn.Abort()
	}
	return used
}

// owes says how many bytes of a request have come that is not whole.
func (v *visitor) owes(bytes int) {
	v.hall.halves += bytes - v.half
	v.half = bytes
}

// Closed says that the client has gone.
func (v *visitor) Closed(c *sockets.Conn, why error) {
	if v.client == nil {
		return
	}
	v.owes(0)
	v.client.Gone()
	if v.why != nil {
		why = v.why
	}
	if why != nil && v.hall.options.Dropped != nil {
		v.hall.options.Dropped(c.Remote(), why)
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
	v.conn.SetIdle(v.hall.options.Idle)
}
