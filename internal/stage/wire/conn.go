package wire

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"redkeep/internal/speak/resp"
)

// Dialer connects to an address from wherever the client is, as namespace.Thread.Dial does.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Conn is one connection.
type Conn struct {
	peer   netip.AddrPort
	conn   net.Conn
	reader *resp.Reader
	buffer []byte
}

// Dial connects within the time given.
func Dial(ctx context.Context, dial Dialer, address netip.AddrPort, within time.Duration) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	conn, err := dial(ctx, "tcp", address.String())
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", address, err)
	}
	return &Conn{peer: address, conn: conn, reader: resp.NewReader(conn, resp.Limits{})}, nil
}

// Peer returns the address that was dialled.
func (c *Conn) Peer() netip.AddrPort { return c.peer }

// Do sends a command and returns its answer. An error reply is returned as a *resp.ReplyError, and the connection goes
// on; after any other error it is of no use, and whether the command was executed is not known.
func (c *Conn) Do(within time.Duration, args ...string) (resp.Value, error) {
	if err := c.conn.SetDeadline(time.Now().Add(within)); err != nil {
		return resp.Value{}, fmt.Errorf("set deadline: %w", err)
	}
	c.buffer = resp.AppendCommand(c.buffer[:0], args...)
	if _, err := c.conn.Write(c.buffer); err != nil {
		return resp.Value{}, fmt.Errorf("send %s to %s: %w", args[0], c.peer, err)
	}
	return c.read()
}

// Next waits for a message that was not asked for: one of a subscription.
func (c *Conn) Next(within time.Duration) (resp.Value, error) {
	if err := c.conn.SetDeadline(time.Now().Add(within)); err != nil {
		return resp.Value{}, fmt.Errorf("set deadline: %w", err)
	}
	return c.read()
}

// Pipeline sends all commands at once and returns their answers in order, error replies among them as values.
func (c *Conn) Pipeline(within time.Duration, commands [][]string) ([]resp.Value, error) {
	if err := c.conn.SetDeadline(time.Now().Add(within)); err != nil {
		return nil, fmt.Errorf("set deadline: %w", err)
	}
	c.buffer = c.buffer[:0]
	for _, args := range commands {
		c.buffer = resp.AppendCommand(c.buffer, args...)
	}
	if _, err := c.conn.Write(c.buffer); err != nil {
		return nil, fmt.Errorf("send %d commands to %s: %w", len(commands), c.peer, err)
	}
	answers := make([]resp.Value, 0, len(commands))
	for range commands {
		v, err := c.reader.Read()
		if err != nil {
			return nil, fmt.Errorf("read answer of %s: %w", c.peer, err)
		}
		answers = append(answers, v)
	}
	return answers, nil
}

func (c *Conn) read() (resp.Value, error) {
	v, err := c.reader.Read()
	if err != nil {
		return resp.Value{}, fmt.Errorf("read answer of %s: %w", c.peer, err)
	}
	return v, v.Err()
}

// Close ends the connection.
func (c *Conn) Close() { c.conn.Close() }
