package reception

import (
	"crypto/tls"
	"errors"
	"io/fs"
	"net/netip"
	"time"

	"redkeep/internal/act/sockets"
	"redkeep/internal/show/sentinel"
	"redkeep/internal/speak/resp"
	"redkeep/internal/words"
)

// usualBacklog is how many connections wait in the kernel to be accepted, as in Redis.
const usualBacklog = 511

// Options are what may differ between the two owners.
type Options struct {
	// Idle ends a connection that asks for nothing and has subscribed to nothing for as long; zero is never.
	Idle time.Duration
	// TLS is nil for plain connections.
	TLS *tls.Config
	// Backlog is how many connections wait in the kernel to be accepted; zero is 511. The kernel has a bound of its own.
	Backlog int
	// Refuse says why nobody from an address is served, "" for who is; nil is nobody. It is told to them as an error.
	Refuse func(from netip.Addr) string
	// Listeners is what may wait for one that has subscribed.
	Listeners Bound
	// Dropped is called with a client that was not well, and why; nil is nobody.
	Dropped func(client netip.AddrPort, why error)
}

// Bound is Redis' client-output-buffer-limit for one class of clients.
type Bound struct {
	// Hard is how many bytes may wait: zero, and whatever is more than 32 MB, is that much.
	Hard int
	// Soft is how many may wait for as long as Time; zero is no such bound.
	Soft int
	Time time.Duration
}

// usual is what redis-sentinel has where its file says nothing, and the most that there is here.
var usual = Bound{Hard: 32 << 20, Soft: 8 << 20, Time: time.Minute}

// orUsual fills in what was left out.
func (b Bound) orUsual() Bound {
	if b == (Bound{}) {
		return usual
	}
	if b.Hard <= 0 || b.Hard > usual.Hard {
		b.Hard = usual.Hard
	}
	return b
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
	loop    *sockets.Loop
	options Options
	// path is the file that they connect to, "" where that is an address.
	path string
	// halves are the bytes of requests that were begun.
	halves int
}

// Listen has the face's clients served at an address, by the loop. It is called before the loop runs, or on its goroutine.
func Listen(loop *sockets.Loop, at netip.AddrPort, face *sentinel.Face, o Options) (*sockets.Listener, error) {
	in := newHall(loop, o)
	return loop.Listen(at, in.options.Backlog, o.TLS, func(c *sockets.Conn) sockets.Handler {
		if o.Refuse != nil {
			if why := o.Refuse(c.Remote().Addr().Unmap()); why != "" {
				c.Write(resp.AppendError(nil, why))
				c.Close()
				return &visitor{conn: c, hall: in}
			}
		}
		return in.admit(c, face)
	})
}

// ListenLocal is Listen for clients of this host at a file of that mode, which nobody of them is refused at: the file's mode says who may.
// They have no TLS.
func ListenLocal(loop *sockets.Loop, path string, mode fs.FileMode, face *sentinel.Face, o Options) (*sockets.Listener, error) {
	in := newHall(loop, o)
	in.path = path
	return loop.ListenLocal(path, mode, in.options.Backlog, func(c *sockets.Conn) sockets.Handler { return in.admit(c, face) })
}

func newHall(loop *sockets.Loop, o Options) *hall {
	o.Listeners = o.Listeners.orUsual()
	if o.Backlog <= 0 {
		o.Backlog = usualBacklog
	}
	return &hall{loop: loop, options: o}
}

// admit has a connection be a client.
func (h *hall) admit(c *sockets.Conn, face *sentinel.Face) *visitor {
	v := &visitor{conn: c, hall: h}
	c.SetIdle(h.options.Idle)
	v.client = face.Open(v)
	return v
}

// visitor is one connection: what comes is its conversation's, and what that says goes back.
type visitor struct {
	conn   *sockets.Conn
	client *sentinel.Client // nil for one that there was no room for
	hall   *hall
	// half is how many bytes of the hall's are this one's.
	half int
	why  error // it is dropped; nil while it is not
	// listens says that it has subscribed, and behind since when more waits for it than the soft bound; zero is not.
	listens bool
	behind  words.Instant
}

// Opened has nothing to do: a client speaks first.
func (v *visitor) Opened(*sockets.Conn) { /* the face has been told by admit */ }

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

// Addrs are both ends; as with Redis both are the file where one is.
func (v *visitor) Addrs() (remote, local string) {
	if file := v.hall.path; file != "" {
		return file + ":0", file + ":0"
	}
	return v.conn.Remote().String(), v.conn.Local().String()
}

// Send has bytes sent at the end of the loop's turn.
func (v *visitor) Send(b []byte) {
	v.conn.Write(b)
	if v.listens {
		v.lag()
	}
}

// lag drops one that is told more than it reads for too long.
func (v *visitor) lag() {
	bound, now := v.hall.options.Listeners, v.hall.loop.Now()
	switch {
	case bound.Soft <= 0 || v.conn.Pending() <= bound.Soft:
		v.behind = 0
	case v.behind == 0:
		v.behind = now
	case now.Sub(v.behind) > bound.Time:
		v.why = sockets.ErrSlow
		v.conn.Abort()
	}
}

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

// Listens lets one that listens be silent for ever, since the kernel finds those whose host has gone; and be told more than it reads at
// once, since it can't be asked to wait like one that asks for it. What it does ask for waits as for everybody.
func (v *visitor) Listens(yes bool) {
	v.listens, v.behind = yes, 0
	if yes {
		v.conn.SetIdle(0)
		v.conn.Allow(v.hall.options.Listeners.Hard)
		return
	}
	v.conn.SetIdle(v.hall.options.Idle)
	v.conn.Allow(0)
}
