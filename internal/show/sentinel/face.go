package sentinel

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// The bounds of the face.
const (
	// DefaultClients is how many connections are served at once, as in Redis.
	DefaultClients = 10_000
	// idleTime ends a connection that asks for nothing and has subscribed to nothing.
	idleTime = 10 * time.Minute
	// writeTime bounds one write to a client that reads slowly.
	writeTime = 5 * time.Second
	// acceptPause is the wait after a failure to accept, such as too many open files.
	acceptPause = 50 * time.Millisecond
)

// keepAlive finds subscribers whose host has gone without a word.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 10 * time.Second, Count: 3}

// Config is what a Face stands on.
type Config struct {
	// Picture returns the newest picture; it must not block.
	Picture func() picture.Node
	// DownAfter is shown as down-after-milliseconds; an agent that was not heard for as long is shown as down.
	DownAfter time.Duration
	// Failover switches a group over to its best replica; it is called by the goroutines of clients, may block for a second or
	// two, and returns a *Refused where the group's master won't. Nil is a face that only tells.
	Failover func(words.Group) error
	// Clients replaces DefaultClients if it is not zero.
	Clients int
	Log     *slog.Logger
}

// Face answers the clients of the Sentinel protocol.
type Face struct {
	config Config
	wake   chan struct{} // tells the publisher that there is news

	mu      sync.Mutex // guards the clients and what each has subscribed to
	clients map[*client]struct{}
	lastID  int64
	// listeners is how many clients have subscribed to something, turnedAway how many there was no room for.
	listeners, turnedAway int

	// known has a lock of its own, since the agent's loop takes it: it is never held for longer than a map's access.
	known     sync.Mutex // guards what follows
	masters   map[words.Group]master
	news      []event
	switching map[words.Group]struct{} // the groups that a client has asked to be switched over, and waits

	requests, errors atomic.Int64 // since the start, for INFO
	waiting          atomic.Int64 // bytes in all outboxes
}

// New returns a Face.
func New(c Config) *Face {
	if c.Clients == 0 {
		c.Clients = DefaultClients
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Face{
		config: c, wake: make(chan struct{}, 1), clients: map[*client]struct{}{},
		masters: map[words.Group]master{}, switching: map[words.Group]struct{}{},
	}
}

// Serve answers the clients of l until ctx ends; then it closes l and all connections, and returns when all of its
// goroutines have ended. Its error is nil then, and otherwise the listener's. It is called once.
func (f *Face) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { f.publish(ctx) })
	running.Go(func() {
		<-ctx.Done()
		l.Close()
		f.closeAll()
	})
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				conn.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil:
			f.config.Log.Warn("accept sentinel client", "error", err)
			if !pause(ctx, acceptPause) {
				return nil
			}
		default:
			// The goroutine ends with its connection, which closeAll or the client closes.
			running.Go(func() { f.serve(ctx, conn) })
		}
	}
}

// pause waits, and reports whether it waited to the end.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// serve answers one client until either end closes.
func (f *Face) serve(ctx context.Context, conn net.Conn) {
	if t, ok := conn.(*net.TCPConn); ok {
		_ = t.SetKeepAliveConfig(keepAlive)
	}
	c := f.admit(ctx, conn)
	if c == nil {
		_ = conn.SetWriteDeadline(time.Now().Add(writeTime))
		_, _ = conn.Write([]byte("-ERR max number of clients reached\r\n"))
		conn.Close()
		return
	}
	var writer sync.WaitGroup
	writer.Go(func() { c.out.drain(conn) })
	c.answer()
	f.dismiss(c)
	c.out.end()
	writer.Wait()
	conn.Close()
}

// admit takes a connection in; it returns nil where there is no room, or no time.
func (f *Face) admit(ctx context.Context, conn net.Conn) *client {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.clients) >= f.config.Clients || ctx.Err() != nil {
		f.turnedAway++
		return nil
	}
	f.lastID++
	c := newClient(f, f.lastID, conn)
	f.clients[c] = struct{}{}
	return c
}

func (f *Face) dismiss(c *client) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.clients, c)
	if c.listens {
		f.listeners--
		c.listens = false
	}
}

func (f *Face) closeAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.clients {
		c.conn.Close()
	}
}
