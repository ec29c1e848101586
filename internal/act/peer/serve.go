package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"redkeep/internal/speak/seal"
)

// acceptPause is the wait after a failed accept, which is mostly that of a process without free file descriptors.
const acceptPause = 50 * time.Millisecond

var errFull = fmt.Errorf("the agent serves %d connections already; close some, for example of status --watch", maxSeated)

// accept takes connections until the listener is closed.
func (p *Peer) accept() {
	for {
		conn, err := p.listener.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			p.log.complain(netip.Addr{}, "no connection accepted", err)
			if !p.pause(acceptPause) {
				return
			}
			continue
		}
		evicted, ok := p.guests.knock(conn)
		if evicted != nil {
			evicted.Close()
		}
		if !ok {
			conn.Close()
			return
		}
		p.running.Go(func() { p.serve(conn) })
	}
}

// pause waits, and reports whether the Peer is still open.
func (p *Peer) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.ctx.Done():
		return false
	}
}

// serve answers one connection until its caller hangs up, breaks the protocol or is idle for too long.
func (p *Peer) serve(conn *net.TCPConn) {
	defer conn.Close()
	defer p.guests.leave(conn)
	from := conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap()
	w, who, err := p.welcome(conn)
	if err != nil {
		p.count.turned.Add(1)
		if p.ctx.Err() == nil && !errors.Is(err, net.ErrClosed) {
			p.log.complain(from, "connection refused", err)
		}
		return
	}
	if !p.guests.seat(conn) {
		p.count.turned.Add(1)
		_ = w.writeFrame(seal.Failure, []byte(errFull.Error()))
		return
	}
	p.count.connections.Add(1)
	for err == nil {
		err = p.answer(w, who)
	}
	if !quiet(err) {
		p.log.complain(from, "connection broken", err, "who", who)
	}
}

// quiet reports whether a connection ended as connections do.
func quiet(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded)
}

// welcome is the server's side of the handshake: it proves the secret and has it proven, in no more than handshakeTime.
func (p *Peer) welcome(conn *net.TCPConn) (*wire, string, error) {
	if err := conn.SetDeadline(time.Now().Add(handshakeTime)); err != nil {
		return nil, "", err
	}
	w := newWire(conn)
	client, who, err := w.readIntroduction()
	if err != nil {
		return nil, "", err
	}
	server, err := introduce(string(p.config.Self))
	if err != nil {
		return nil, "", err
	}
	stream, err := seal.NewStream(p.config.Secret, client, server)
	if err != nil {
		return nil, "", err
	}
	if _, err := conn.Write(append(server, stream.ServerProof()...)); err != nil {
		return nil, "", fmt.Errorf("write introduction: %w", err)
	}
	proof, err := w.readProof()
	if err != nil {
		return nil, "", err
	}
	if err := stream.CheckClient(proof); err != nil {
		return nil, "", err
	}
	w.writer, w.reader = stream.Server()
	return w, who, nil
}

// answer reads one request and answers it.
func (p *Peer) answer(w *wire, who string) error {
	if err := w.conn.SetReadDeadline(time.Now().Add(idleTime)); err != nil {
		return err
	}
	kind, request, err := w.readFrame(time.Time{})
	if err != nil {
		return err
	}
	if kind != seal.Request {
		return seal.ErrFrame
	}
	ctx, stop := p.watch(w)
	reply := func(part []byte) error {
		if err := w.writeFrame(seal.Part, part); err != nil {
			return fmt.Errorf("reply to %s: %w", who, err)
		}
		return nil
	}
	failed := errors.New("this agent takes no requests")
	if p.config.OnAsk != nil {
		failed = p.config.OnAsk(ctx, who, request, reply)
	}
	if err := stop(); err != nil {
		return err
	}
	if failed != nil {
		text := failed.Error()
		return w.writeFrame(seal.Failure, []byte(text[:min(len(text), seal.MaxPayload)]))
	}
	return w.writeFrame(seal.End, nil)
}

// watch returns a context for the time that a request is answered in, which ends when the caller hangs up. stop ends the
// watching goroutine and waits for it; its error is the caller's end.
func (p *Peer) watch(w *wire) (ctx context.Context, stop func() error) {
	ctx, cancel := context.WithCancel(p.ctx)
	ended := make(chan error, 1)
	// There is no bound on this wait, since an answer may take as long as status --watch is looked at. What ends it is
	// the caller's end, stop, or Close.
	_ = w.conn.SetReadDeadline(time.Time{})
	p.running.Go(func() {
		// The next request's first byte stays in the buffer.
		_, err := w.buffer.Peek(1)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			cancel()
			ended <- err
			return
		}
		ended <- nil
	})
	return ctx, func() error {
		defer cancel()
		_ = w.conn.SetReadDeadline(time.Unix(1, 0))
		return <-ended
	}
}
