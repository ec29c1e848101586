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

	"golang.org/x/sys/unix"

	"redkeep/internal/speak/seal"
	"redkeep/internal/words"
)

// AnswerError is what an agent says when it can't or won't do what it was asked.
type AnswerError struct {
	// Node is the agent's name, and Text its reason, for a person.
	Node, Text string
}

// Error returns the agent's name and reason.
func (e *AnswerError) Error() string { return e.Node + ": " + e.Text }

// Conn is a caller's connection to an agent. Its methods may be called from any goroutine; requests take their turns. The
// agent ends a connection on which nothing was asked for a minute.
type Conn struct {
	server string
	wire   *wire
	turn   chan struct{} // holds one token: the right to use the wire
	broken error         // guarded by turn
}

// Dial connects to the agent at addr ("host:port"), proves the secret and has it proven. as is the caller's name: a
// node's, or CommandLine. It ends with ctx, and after two seconds at the latest once connected.
func Dial(ctx context.Context, addr string, secret []byte, as string) (*Conn, error) {
	return dial(ctx, &net.Dialer{KeepAliveConfig: keepAlive}, addr, secret, as)
}

// Dial connects to a peer from this node's own address, and checks that it is that node which answers.
func (p *Peer) Dial(ctx context.Context, to words.Node) (*Conn, error) {
	r, ok := p.remotes[to]
	if !ok {
		return nil, fmt.Errorf("dial %s: no such peer", to)
	}
	dialer := &net.Dialer{
		KeepAliveConfig: keepAlive,
		LocalAddr:       net.TCPAddrFromAddrPort(netip.AddrPortFrom(p.addr.Addr(), 0)),
		Control:         control(p.config.Mark),
	}
	c, err := dial(ctx, dialer, r.addr.String(), p.config.Secret, string(p.config.Self))
	if err != nil {
		return nil, err
	}
	if c.server != string(to) {
		return nil, errors.Join(fmt.Errorf("dial %s at %s: it calls itself %s; compare nodes on both sides",
			to, r.addr, c.server), c.Close())
	}
	return c, nil
}

func dial(ctx context.Context, dialer *net.Dialer, addr string, secret []byte, as string) (*Conn, error) {
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if errors.Is(err, unix.ECONNREFUSED) {
		return nil, fmt.Errorf("dial %s: %w; is the agent running there?", addr, err)
	}
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", addr, err)
	}
	c := &Conn{wire: newWire(conn), turn: make(chan struct{}, 1)}
	if err := c.handshake(ctx, secret, as); err != nil {
		return nil, errors.Join(fmt.Errorf("dial %s: %w", addr, explainEnd(ctx, err)), conn.Close())
	}
	c.turn <- struct{}{}
	return c, nil
}

// explainEnd replaces the deadline that stands for the context's end by the context's own error, and says what an early
// end of the connection mostly means.
func explainEnd(ctx context.Context, err error) error {
	deadline, bounded := ctx.Deadline()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, os.ErrDeadlineExceeded) && bounded && !time.Now().Before(deadline):
		// The connection's timer was faster than the context's.
		return context.DeadlineExceeded
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: the agent took the connection and does not answer", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: the agent closed the connection; its log says why", err)
	default:
		return err
	}
}

// handshake is the client's side. The server proves itself first; the client's proof leaves with its first request.
func (c *Conn) handshake(ctx context.Context, secret []byte, as string) error {
	release := c.bind(ctx, time.Now().Add(handshakeTime))
	defer release()
	client, err := introduce(as)
	if err != nil {
		return err
	}
	if _, err := c.wire.conn.Write(client); err != nil {
		return fmt.Errorf("write introduction: %w", err)
	}
	server, name, err := c.wire.readIntroduction()
	if err != nil {
		return err
	}
	stream, err := seal.NewStream(secret, client, server)
	if err != nil {
		return err
	}
	proof, err := c.wire.readProof()
	if err != nil {
		return err
	}
	if err := stream.CheckServer(proof); err != nil {
		return err
	}
	c.server = name
	c.wire.writer, c.wire.reader = stream.Client()
	_, err = c.wire.conn.Write(stream.ClientProof())
	return err
}

// bind makes reads and writes end with ctx, and at limit at the latest if limit is not zero.
func (c *Conn) bind(ctx context.Context, limit time.Time) (release func()) {
	if deadline, ok := ctx.Deadline(); ok && (limit.IsZero() || deadline.Before(limit)) {
		limit = deadline
	}
	_ = c.wire.conn.SetDeadline(limit)
	cancelled := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(cancelled)
		_ = c.wire.conn.SetDeadline(time.Unix(1, 0))
	})
	return func() {
		if !stop() {
			<-cancelled
		}
	}
}

// Server returns the name that the agent gave itself, vouched for by the secret.
func (c *Conn) Server() string { return c.server }

// Ask sends a request and returns its one part of answer, which is nil if the agent had nothing to say. It waits as
// long as ctx allows. An *AnswerError is the agent's own refusal, after which the Conn goes on; after any other error
// it is of no further use.
func (c *Conn) Ask(ctx context.Context, request []byte) ([]byte, error) {
	var answer []byte
	parts := 0
	err := c.Stream(ctx, request, func(part []byte) error {
		if parts++; parts > 1 {
			return errors.New("more than one part of an answer")
		}
		answer = append(answer, part...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// Stream sends a request and calls each for every part of the answer, which is valid until each returns. An error from
// each ends the Conn and is returned. See Ask for the rest.
func (c *Conn) Stream(ctx context.Context, request []byte, each func(part []byte) error) error {
	select {
	case <-c.turn:
		defer func() { c.turn <- struct{}{} }()
	case <-ctx.Done():
		return fmt.Errorf("ask %s: %w", c.server, context.Cause(ctx))
	}
	if c.broken != nil {
		return fmt.Errorf("ask %s: an earlier request failed: %w", c.server, c.broken)
	}
	err := c.exchange(ctx, request, each)
	if refusal := (*AnswerError)(nil); err == nil || errors.As(err, &refusal) {
		return err
	}
	c.broken = explainEnd(ctx, err)
	c.wire.conn.Close()
	return fmt.Errorf("ask %s: %w", c.server, c.broken)
}

// exchange sends one request and reads its answer to the end.
func (c *Conn) exchange(ctx context.Context, request []byte, each func(part []byte) error) error {
	release := c.bind(ctx, time.Time{})
	defer release()
	if err := c.wire.writeFrame(seal.Request, request); err != nil {
		return err
	}
	for {
		kind, payload, err := c.readPart(ctx)
		switch {
		case err != nil:
			return err
		case kind == seal.End:
			return nil
		case kind == seal.Failure:
			return &AnswerError{Node: c.server, Text: string(payload)}
		case kind != seal.Part:
			return seal.ErrFrame
		}
		if err := each(payload); err != nil {
			return err
		}
	}
}

// readPart waits for the next frame as long as ctx allows.
func (c *Conn) readPart(ctx context.Context) (seal.Kind, []byte, error) {
	limit, _ := ctx.Deadline()
	if err := c.wire.conn.SetReadDeadline(limit); err != nil {
		return 0, nil, err
	}
	// The context may have ended between its end's own deadline and the one just set.
	if ctx.Err() != nil {
		return 0, nil, context.Cause(ctx)
	}
	return c.wire.readFrame(limit)
}

// Close ends the connection, and with it a request that is under way.
func (c *Conn) Close() error { return c.wire.conn.Close() }
