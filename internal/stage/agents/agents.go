package agents

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"time"

	"redkeep/internal/act/peer"
	"redkeep/internal/client"
	"redkeep/internal/picture"
	"redkeep/internal/speak/config"
	"redkeep/internal/stage"
	"redkeep/internal/words"
)

// askLimit bounds one question, with its connection.
const askLimit = 10 * time.Second

// Start starts a host's agent with a configuration file. Its log goes to redkeep.log in the host's directory, and to
// output if that is not nil.
func Start(h *stage.Host, program, file string, output io.Writer) (*stage.Process, error) {
	return h.Start(stage.Command{
		Name: "redkeep", Path: program, Output: output,
		Args: []string{"run", "-c", file, "--node", h.Name(), "--state-dir", filepath.Join(h.Dir(), "state")},
	})
}

// Ask connects to a host's agent from its own host, as the command line does, and has f ask. It takes 10 s at the most.
func Ask(ctx context.Context, h *stage.Host, secret string, f func(context.Context, *client.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	var conn *peer.Conn
	var err error
	gone := h.Do(func() {
		conn, err = peer.Dial(ctx, h.Port(config.DefaultPeerPort).String(), []byte(secret), peer.CommandLine)
	})
	if err = errors.Join(gone, err); err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return f(ctx, client.New(conn))
}

// Status asks a host's agent what it sees of a group.
func Status(ctx context.Context, h *stage.Host, secret string, group words.Group) (g picture.Group, err error) {
	err = Ask(ctx, h, secret, func(ctx context.Context, c *client.Client) error {
		node, err := c.Status(ctx)
		g, _ = node.Group(group)
		return err
	})
	return g, err
}

// Whole reports whether the picture is the master's own, and nothing is missing in it: a failover could succeed now, to
// any of the others, with nothing lost.
func Whole(g picture.Group) bool {
	if g.State != picture.StateHolder || !g.Writable || !g.Ready {
		return false
	}
	self, _ := g.Member(g.Self)
	for _, m := range g.Members {
		if m.Data && m.Node != g.Self && (!m.InSync || !m.Fit || m.Server.ReplID != self.Server.ReplID) {
			return false
		}
	}
	return true
}
