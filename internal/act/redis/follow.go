package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"redkeep/internal/speak/resp"
	"redkeep/internal/words"
)

// Follow makes the server a replica of the master at host and port, and ends a pause. It returns when the server says
// that it follows, and doesn't wait for its synchronisation.
func (h *Hand) Follow(ctx context.Context, id words.RunID, host string, port uint16) (words.Server, error) {
	return h.order(ctx, "follow the master", func(ctx context.Context, l *link) error {
		if err := l.same(id); err != nil {
			return err
		}
		if err := h.linkable(ctx, l); err != nil {
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

// replicatesOverTLS is the server's setting that says how it reaches its master, from 6.0 on.
const replicatesOverTLS = "tls-replication"

// linkable refuses an order by which the server would speak TLS to a port without, or the other way round: that link would
// never come up, and the one that it gives up for it may stand. A server that doesn't tell is believed to be as it should.
func (h *Hand) linkable(ctx context.Context, l *link) error {
	ask := h.cfg.command("CONFIG", "GET", replicatesOverTLS)
	if majorOf(l.server.Version) < 6 || ask == nil {
		return nil
	}
	replies, err := l.do(ctx, ask)
	if err != nil {
		return err
	}
	if pair := replies[0].Strings(); len(pair) == 2 {
		return h.contradiction(pair[1])
	}
	return nil
}

// contradiction compares the server's tls-replication with the group's; "" is of a server that has no such setting.
func (h *Hand) contradiction(setting string) error {
	switch {
	case h.cfg.TLSReplication && setting == "no":
		return errors.New("redkeep.yaml has the group replicate over TLS, and the server's tls-replication is no: " +
			"set it to yes in the server's file and by CONFIG SET, on every node")
	case !h.cfg.TLSReplication && setting == "yes":
		return errors.New("the server's tls-replication is yes, and redkeep.yaml has the group replicate without TLS: " +
			"write replication: yes under tls in redkeep.yaml, or set tls-replication to no")
	}
	return nil
}

// masterAuth tells the server how to authenticate at a master of its group, where the group has a password. It comes
// before REPLICAOF: a replica that is refused tries again a second later only. A server on which the agent has no CONFIG
// follows all the same: its own file may have the masterauth that it needs.
func (h *Hand) masterAuth(ctx context.Context, l *link) error {
	if h.cfg.Password == "" {
		return nil
	}
	commands := [][]string{h.cfg.command("CONFIG", "SET", "masterauth", h.cfg.Password)}
	if h.cfg.User != "" {
		commands = append(commands, h.cfg.command("CONFIG", "SET", "masteruser", h.cfg.User))
	}
	replies, err := l.do(ctx, commands...)
	if errors.Is(err, errAway) {
		h.remarkAuth()
		return nil
	}
	if err != nil {
		return err
	}
	for _, v := range replies {
		switch err := accepted(v); {
		case err == nil:
		case withheld(v):
			h.remarkAuth()
		default:
			return fmt.Errorf("set masterauth: %w", err)
		}
	}
	return nil
}

func (h *Hand) remarkAuth() {
	h.remark("the agent can't set the server's masterauth: the masterauth in the server's own file has to be the group's password; " +
		"or give the agent CONFIG SET (the rename of CONFIG in redkeep.yaml, an ACL)")
}

// withheld reports whether a command was refused because there is none of its name, or not for this user.
func withheld(v resp.Value) bool {
	return v.IsError() && (strings.HasPrefix(v.Text, "NOPERM") || strings.HasPrefix(v.Text, "ERR unknown command"))
}
