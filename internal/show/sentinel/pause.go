package sentinel

import (
	"strings"
	"time"

	"redkeep/internal/words"
)

// longestPause bounds a pause, which everybody who may ask can order, and of which whoever runs into it knows nothing.
const longestPause = time.Hour

// held is how many bytes a client that waits may have sent; whoever sends more is read no further. Up to that its end is noticed.
const held = 4 << 10

// pause is CLIENT PAUSE: until an instant the requests of clients wait. Those of Sentinels never do: with redis-sentinel they wait too, so
// that the others find it down, and elections lack its vote.
type pause struct {
	until words.Instant
	// all says that any request waits. Otherwise only writes do, and of those a Sentinel has none but the greetings of others.
	all bool
	// clients are those with a request that waits.
	clients map[*Client]struct{}
}

// unpausable are what Sentinels send each other, and what ends a pause; with redis-sentinel that itself waits for the end.
var unpausable = map[string]bool{
	"auth": true, "client|setname": true, "ping": true, "publish": true, "client|unpause": true,
	"sentinel|is-master-down-by-addr": true, "sentinel|is-primary-down-by-addr": true,
}

func (c *Client) clientPause(args []string, r *reply) {
	all := len(args) == 1 || strings.EqualFold(args[1], "all")
	n, ok := integer(args[0])
	switch {
	case len(args) > 2:
		r.error(c.oddSubcommand())
	case !all && !strings.EqualFold(args[1], "write"):
		r.error("ERR CLIENT PAUSE mode must be WRITE or ALL")
	case !ok:
		r.error("ERR timeout is not an integer or out of range")
	case n < 0:
		r.error("ERR timeout is negative")
	case n > 0 && c.face.config.Now == nil:
		r.error("ERR CLIENT PAUSE is refused here, since it would hide the master from every client; hold back writes on the master itself")
	default:
		c.face.pauseFor(time.Duration(min(n, int64(longestPause/time.Millisecond)))*time.Millisecond, all)
		r.ok()
	}
}

func (c *Client) clientUnpause(_ []string, r *reply) {
	c.face.goOn()
	r.ok()
}

// pauseFor begins a pause. One that there is already becomes no shorter, and lets no more through.
func (f *Face) pauseFor(d time.Duration, all bool) {
	if d == 0 && f.pause.until == 0 {
		return
	}
	now := f.config.Now()
	if f.pause.until <= now {
		f.goOn()
	}
	f.pause.until, f.pause.all = max(f.pause.until, now.Add(d)), f.pause.all || all
}

// holdsBack reports whether a client's request has to wait.
func (f *Face) holdsBack(c *Client, request *command) bool {
	switch {
	case !f.pause.all || request.unpausable:
		return false
	case f.config.Now() >= f.pause.until:
		f.goOn()
		return false
	}
	if f.pause.clients == nil {
		f.pause.clients = map[*Client]struct{}{}
	}
	f.pause.clients[c] = struct{}{}
	return true
}

// stillPaused reports whether a client whose request waits has to wait on.
func (f *Face) stillPaused(c *Client, waiting int) bool {
	if _, c.paused = f.pause.clients[c]; !c.paused {
		return false
	}
	c.linger(waiting)
	return true
}

// linger has a client that waits read no further when it has sent enough.
func (c *Client) linger(waiting int) {
	if waiting > held {
		c.peer.Hold()
	}
}

// goOn ends a pause.
func (f *Face) goOn() {
	waited := f.pause.clients
	f.pause = pause{}
	for c := range waited {
		c.peer.Hold()
		c.peer.Resume()
	}
}

// Wake is when the face wants a Tick: when those who wait through a pause go on.
func (f *Face) Wake() words.Instant {
	if len(f.pause.clients) == 0 {
		return words.Never
	}
	return f.pause.until
}

// Tick ends a pause whose time is over.
func (f *Face) Tick(now words.Instant) {
	if len(f.pause.clients) > 0 && now >= f.pause.until {
		f.goOn()
	}
}
