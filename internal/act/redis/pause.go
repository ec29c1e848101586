package redis

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// Pause holds writes of clients back for at most d, where the server can; elsewhere it only looks. The answer has the
// offset behind the last write that was let through, and the source addresses of the replicas' links. The offset still
// moves under a pause: a master pings its replicas through the same stream.
func (h *Hand) Pause(ctx context.Context, id words.RunID, d time.Duration) (words.Server, []decide.Link, error) {
	var links []decide.Link
	server, err := h.order(ctx, "pause writes", func(ctx context.Context, l *link) error {
		if err := l.same(id); err != nil {
			return err
		}
		var commands [][]string
		if h.able.PauseWrite {
			commands = append(commands, h.cfg.command("CLIENT", "PAUSE", strconv.FormatInt(max(d.Milliseconds(), 1), 10), "WRITE"))
		}
		commands = append(commands, h.cfg.command("INFO", "replication"), h.cfg.command("CLIENT", "LIST"))
		replies, err := l.do(ctx, commands...)
		if err != nil {
			return err
		}
		n := len(replies)
		if n == 3 {
			if err := accepted(replies[0]); err != nil {
				return err
			}
		}
		if err := replies[n-1].Err(); err != nil {
			return fmt.Errorf("list replicas: %w", err)
		}
		links = replicaLinks(replies[n-1].Text)
		return l.absorb(replies[n-2])
	})
	return server, links, err
}

// Unpause ends a pause, whoever asked for it.
func (h *Hand) Unpause(ctx context.Context) (words.Server, error) {
	return h.order(ctx, "end the pause", func(ctx context.Context, l *link) error {
		if !h.able.PauseWrite {
			return nil
		}
		replies, err := l.do(ctx, h.cfg.command("CLIENT", "UNPAUSE"))
		if err != nil {
			return err
		}
		return accepted(replies[0])
	})
}

// AwaitOffset waits until the server has applied all before the offset. The context bounds it.
func (h *Hand) AwaitOffset(ctx context.Context, offset words.Offset) (words.Server, error) {
	return h.order(ctx, "await the offset", func(ctx context.Context, l *link) error {
		for l.server.Offset < offset {
			if err := l.lookAgain(ctx, h); err != nil {
				return fmt.Errorf("at %d of %d: %w", l.server.Offset, offset, err)
			}
		}
		return nil
	})
}

// Replicas returns the source addresses of the replicas' links, as the server sees them.
func (h *Hand) Replicas(ctx context.Context) (words.Server, []decide.Link, error) {
	var links []decide.Link
	server, err := h.order(ctx, "list replicas", func(ctx context.Context, l *link) error {
		replies, err := l.do(ctx, h.cfg.command("CLIENT", "LIST"))
		if err != nil {
			return err
		}
		links = replicaLinks(replies[0].Text)
		return replies[0].Err()
	})
	return server, links, err
}

// replicaLinks picks the replicas out of CLIENT LIST, by their flag S. The filter TYPE came with 5.0 only. A MONITOR of
// old versions has the flag too, beside O.
func replicaLinks(text string) []decide.Link {
	var links []decide.Link
	for _, c := range parseClients(text) {
		if !strings.Contains(c.flags, "S") || strings.Contains(c.flags, "O") {
			continue
		}
		if addr, err := netip.ParseAddrPort(c.addr); err == nil {
			links = append(links, addr)
		}
	}
	return links
}

// KillClients ends the connections of all clients in the server, subscribers too. Replicas stay, and so does this
// connection; the watch's own is ended with the others, and opens again without a word.
func (h *Hand) KillClients(ctx context.Context, id words.RunID) (words.Server, error) {
	return h.order(ctx, "kill clients", func(ctx context.Context, l *link) error {
		if err := l.same(id); err != nil {
			return err
		}
		// One command for all: to kill by ID takes the server a walk over its clients for each.
		h.killing.Store(true)
		replies, err := l.do(ctx, h.cfg.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"),
			h.cfg.command("CLIENT", "KILL", "TYPE", "pubsub", "SKIPME", "yes"))
		if err != nil {
			return err
		}
		for _, v := range replies {
			if err := accepted(v); err != nil {
				h.killing.Store(false)
				return err
			}
		}
		return nil
	})
}
