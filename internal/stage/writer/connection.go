package writer

import (
	"context"
	"net/netip"

	"redkeep/internal/stage/wire"
)

// connected returns the writer's connection, and makes one if there is none: to the master that was announced, or else
// to the one that the finder names.
func (w *Writer) connected(ctx context.Context) (*wire.Conn, bool) {
	ctx, abort := context.WithCancel(ctx)
	defer abort()
	w.mu.Lock()
	conn, target := w.conn, w.target
	w.abort, w.target = abort, netip.AddrPort{}
	w.mu.Unlock()
	if conn != nil {
		return conn, true
	}
	if !target.IsValid() {
		found, err := w.options.Finder.Find(ctx)
		if err != nil {
			return nil, false
		}
		target = found
	}
	conn, err := wire.Dial(ctx, w.options.dialer(), target, w.options.DialTimeout)
	if err != nil {
		return nil, false
	}
	if !w.identify(conn) {
		conn.Close()
		return nil, false
	}
	return conn, w.adopt(ctx, conn)
}

// identify notes whose server a new connection leads to.
func (w *Writer) identify(conn *wire.Conn) bool {
	w.node = conn.Peer()
	if w.options.Identify == nil {
		return true
	}
	node, err := w.options.Identify(conn, w.options.RequestTimeout)
	w.node = node
	return err == nil
}

// adopt makes the connection the writer's, unless another master was announced or the writer was stopped meanwhile.
func (w *Writer) adopt(ctx context.Context, conn *wire.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.abort = nil
	if ctx.Err() != nil {
		conn.Close()
		return false
	}
	w.conn = conn
	return true
}

// drop gives up the connection.
func (w *Writer) drop(conn *wire.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	conn.Close()
	if w.conn == conn {
		w.conn = nil
	}
}

// follow hears which master is announced, and turns the writer to it at once, whatever it waits for.
func (w *Writer) follow(ctx context.Context) {
	switched := w.options.Finder.Switched()
	for {
		select {
		case target := <-switched:
			w.turn(target)
		case <-ctx.Done():
			return
		}
	}
}

func (w *Writer) turn(target netip.AddrPort) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil && w.conn.Peer() == target {
		return
	}
	w.target = target
	w.leave()
}

// interrupt ends whatever the writer waits for.
func (w *Writer) interrupt() {
	w.pacer.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leave()
}

// leave closes the connection and ends a search. w.mu must be held.
func (w *Writer) leave() {
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
	if w.abort != nil {
		w.abort()
	}
}
