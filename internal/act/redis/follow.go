package redis

import (
	"context"
	"fmt"
	"strconv"

	"redkeep/internal/words"
)

// Follow makes the server a replica of the master at host and port, and ends a pause. It returns when the server says
// that it follows, and doesn't wait for its synchronisation.
func (h *Hand) Follow(ctx context.Context, id words.RunID, host string, port uint16) (words.Server, error) {
	return h.order(ctx, "follow the master", func(ctx context.Context, l *link) error {
		if err := l.same(id); err != nil {
			return err
		}
		if err := h.masterAuth(ctx, l); err != nil {
			return err
		}
		if err := h.giveRole(ctx, l, host, strconv.Itoa(int(port))); err != nil {
			return err
		}
		if l.server.Role != words.RoleReplica || l.server.Master != host || l.server.MasterPort != port {
			return fmt.Errorf("it is a %v of %s:%d afterwards", l.server.Role, l.server.Master, l.server.MasterPort)
		}
		return nil
	})
}

// masterAuth tells the server how to authenticate at a master of its group, where the group has a password. It comes
// before REPLICAOF: a replica that is refused tries again a second later only.
func (h *Hand) masterAuth(ctx context.Context, l *link) error {
	if h.cfg.Password == "" {
		return nil
	}
	commands := [][]string{h.cfg.command("CONFIG", "SET", "masterauth", h.cfg.Password)}
	if h.cfg.User != "" {
		commands = append(commands, h.cfg.command("CONFIG", "SET", "masteruser", h.cfg.User))
	}
	replies, err := l.do(ctx, commands...)
	if err != nil {
		return err
	}
	for _, v := range replies {
		if err := accepted(v); err != nil {
			return fmt.Errorf("set masterauth: %w", err)
		}
	}
	return nil
}
