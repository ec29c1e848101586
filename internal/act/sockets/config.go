package sockets

import (
	"errors"
	"time"

	"redkeep/internal/words"
)

// Why a connection ended, as its Handler's Closed is told. The peer's own end is io.EOF, the owner's nil, and what the kernel
// says is wrapped.
var (
	ErrSlow    = errors.New("the peer reads too slowly: too much waits for it, or nothing was taken for too long")
	ErrIdle    = errors.New("nothing came for longer than the connection may be idle")
	ErrLong    = errors.New("more bytes came than one request may have")
	ErrTimeout = errors.New("the connection was not ready in time")
	ErrEnded   = errors.New("the loop has ended")
)

// Config is what a Loop is told once. Zero values mean the defaults that are named here.
type Config struct {
	// Now reads the clock that the owner reckons with; it is called a few times each turn. It must be given.
	Now func() words.Instant
	// Woken is called when the instant given to SetWake has come, with the turn's instant.
	Woken func(now words.Instant)
	// Turn is called at the end of each turn, after all callbacks and before anything is written.
	Turn func()

	// Queue is how many functions given to Post may wait: 4096.
	Queue int
	// InLimit is how many bytes a Handler may leave unused for a connection, unless Conn.SetLimits says otherwise: 1 MB.
	InLimit int
	// OutLimit is how many bytes may wait for a connection before a further Write drops it, unless Conn.Allow says otherwise: 256 KB. One
	// Write may be larger.
	OutLimit int
	// Waiting is how many bytes may wait for all connections together: 64 MB. Beyond that, one that has more than 4 KB is
	// dropped when there is more for it.
	Waiting int
	// Slow is how long a peer may take nothing of what waits for it, and how long Close lets it take the rest: 5 s.
	Slow time.Duration
	// Handshake is how long one of TLS may take on an accepted connection: 10 s.
	Handshake time.Duration
	// KeepAlive is how long a connection is silent before the kernel asks whether its peer is there; three questions
	// unanswered, each after a third of it, end the connection. Zero is never; the kernel counts whole seconds.
	KeepAlive time.Duration
	// Batch is how long news of connections that this side dialled may wait for more of it while there is much: zero is not at
	// all, 1 ms saves a third of the work. It holds up nothing else: accepted connections, what is posted and the wake come at once.
	// See Loop.Hurry.
	Batch time.Duration
}

// fair is how many bytes a connection may have waiting even when Waiting is used up.
const fair = 4 << 10

// withDefaults fills in what was left out.
func (c Config) withDefaults() Config {
	fill(&c.Queue, 4096)
	fill(&c.InLimit, 1<<20)
	fill(&c.OutLimit, 256<<10)
	fill(&c.Waiting, 64<<20)
	fill(&c.Slow, 5*time.Second)
	fill(&c.Handshake, 10*time.Second)
	if c.Woken == nil {
		c.Woken = func(words.Instant) {}
	}
	if c.Turn == nil {
		c.Turn = func() {}
	}
	return c
}

// fill sets what was left out.
func fill[T int | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}
