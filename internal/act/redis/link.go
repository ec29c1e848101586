package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"redkeep/internal/speak/info"
	"redkeep/internal/speak/resp"
	"redkeep/internal/words"
)

// errAway says that a command was taken away from the server by rename-command.
var errAway = errors.New("the server has no such command; tell its name under rename")

// link is one connection on which commands are answered before the next are sent. One goroutine uses it at a time.
type link struct {
	conn   net.Conn
	reader *resp.Reader
	out    []byte
	// server and process are what the server at the other end said of itself last. A connection's server is one process
	// for as long as the connection lives.
	server  words.Server
	process info.Process
	// secret must not be in an error reply: Redis repeats the arguments of a command that it doesn't know.
	secret string
	// broken is set by every error after which it isn't known which replies are still to come.
	broken bool
}

func newLink(conn net.Conn, secret string) *link {
	return &link{conn: conn, secret: secret, reader: resp.NewReader(conn, resp.Limits{}), server: info.Unknown()}
}

// do sends the commands at once and returns their replies in order, error replies among them. It is bounded by the
// context, whose end breaks the link.
func (l *link) do(ctx context.Context, commands ...[]string) ([]resp.Value, error) {
	if len(commands) == 0 {
		return nil, nil
	}
	l.out = l.out[:0]
	for _, c := range commands {
		if len(c) == 0 {
			return nil, errAway
		}
		l.out = resp.AppendCommand(l.out, c...)
	}
	stop := context.AfterFunc(ctx, func() { _ = l.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	replies, err := l.exchange(len(commands))
	if err != nil {
		l.broken = true
		if ctx.Err() != nil {
			err = fmt.Errorf("wait for the server's answer: %w", ctx.Err())
		}
		return nil, err
	}
	return replies, nil
}

func (l *link) exchange(n int) ([]resp.Value, error) {
	if _, err := l.conn.Write(l.out); err != nil {
		return nil, fmt.Errorf("send to the server: %w", err)
	}
	replies := make([]resp.Value, 0, n)
	for len(replies) < n {
		v, err := l.reader.Read()
		if err != nil {
			return nil, err
		}
		if v.Kind != resp.Push {
			replies = append(replies, redact(v, l.secret))
		}
	}
	return replies, nil
}

// redact takes a secret out of an error reply.
func redact(v resp.Value, secret string) resp.Value {
	if v.IsError() && secret != "" {
		v.Text = strings.ReplaceAll(v.Text, secret, "***")
	}
	return v
}

// absorb merges an answer to INFO into what is known of the server.
func (l *link) absorb(v resp.Value) error {
	if err := v.Err(); err != nil {
		return fmt.Errorf("ask for INFO: %w", err)
	}
	report := info.Parse(v.Text)
	report.Merge(&l.server)
	if p := report.Process(); p.PID != 0 {
		l.process = p
	}
	return nil
}

// accepted returns the error of a reply that should have been a status OK or a number.
func accepted(v resp.Value) error {
	if err := v.Err(); err != nil {
		return err
	}
	if !v.IsOK() && v.Kind != resp.Integer {
		return fmt.Errorf("the server answered %.40q", v.Text)
	}
	return nil
}
