package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The names under which CLIENT LIST shows the hand's connections.
const (
	watchName  = "redkeep-watch"
	ordersName = "redkeep-orders"
)

// fenced returns the orders connection, freshly looked at. One that has died is replaced: its orders are dead with it.
// The turn is the caller's.
func (h *Hand) fenced(ctx context.Context) (*link, error) {
	if h.orders != nil {
		if err := h.orders.look(ctx, h); err == nil {
			return h.orders, nil
		} else if !h.orders.broken {
			return nil, err
		}
		h.dropOrders()
	}
	conn, err := h.dialer.dial(ctx, soon)
	if err != nil {
		return nil, err
	}
	l := newLink(conn, h.cfg.Password)
	if err := h.fence(ctx, l); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("fence the connection for orders: %w", err)
	}
	h.orders = l
	h.news.settle(time.Now())
	return l, nil
}

// fence makes sure that no order of an older connection can come after those of this one (rule order-fence). The older
// connection may be of a killed agent, with an order in a socket buffer that the server has not read yet; the server
// reads its sockets in any order.
//
// No order leaves before its connection's name was acknowledged, so the older connection is in CLIENT LIST by name, and
// killing it throws the unread order away; if the server read it first, it was executed before ours. Clients of users
// are left alone.
func (h *Hand) fence(ctx context.Context, l *link) error {
	if err := h.introduce(ctx, l); err != nil {
		return err
	}
	replies, err := l.do(ctx, h.cfg.command("CLIENT", "LIST"))
	if err != nil {
		return err
	}
	if err := replies[0].Err(); err != nil {
		return fmt.Errorf("list clients: %w", err)
	}
	var kills [][]string
	for _, c := range parseClients(replies[0].Text) {
		if c.name == ordersName && c.addr != l.conn.LocalAddr().String() {
			kills = append(kills, h.cfg.command("CLIENT", "KILL", "ID", c.id))
		}
	}
	if replies, err = l.do(ctx, kills...); err != nil {
		return err
	}
	for _, v := range replies {
		// Its end may have come before: then 0 were killed.
		if err := accepted(v); err != nil {
			return fmt.Errorf("kill an older connection for orders: %w", err)
		}
	}
	return h.greet(ctx, l)
}

// introduce authenticates and names the connection, and waits until the server knows the name.
func (h *Hand) introduce(ctx context.Context, l *link) error {
	var commands [][]string
	if auth := h.authentication(); auth != nil {
		commands = append(commands, auth)
	}
	replies, err := l.do(ctx, append(commands, h.cfg.command("CLIENT", "SETNAME", ordersName))...)
	if err != nil {
		return err
	}
	for _, v := range replies {
		if err := v.Err(); err != nil {
			h.noteDenial(v.Text)
			return fmt.Errorf("introduce the agent: %w", err)
		}
	}
	_, err = l.do(ctx, h.cfg.command("CLIENT", "NO-EVICT", "ON")) // refused before 7.0, where there is no eviction of clients.
	return err
}

// noteDenial drops the dedicated source address where the server denies it.
func (h *Hand) noteDenial(text string) {
	if strings.HasPrefix(text, "DENIED") && h.dialer.dedicated() {
		h.dialer.giveUpSource("the server's protected mode denies it")
	}
}

// authentication returns AUTH in the form that fits; nil without a password.
func (h *Hand) authentication() []string {
	switch {
	case h.cfg.Password == "":
		return nil
	case h.cfg.User == "":
		return h.cfg.command("AUTH", h.cfg.Password)
	default:
		return h.cfg.command("AUTH", h.cfg.User, h.cfg.Password)
	}
}

// greet learns what the server can do, and ends a pause that an earlier agent may have left. It looks at the server whole.
func (h *Hand) greet(ctx context.Context, l *link) error {
	replies, err := l.do(ctx, h.cfg.command("INFO", "server"), h.cfg.command("INFO", "replication"),
		h.cfg.command("INFO", "persistence"), h.cfg.command("INFO", "keyspace"))
	if err != nil {
		return err
	}
	for _, v := range replies {
		if err := l.absorb(v); err != nil {
			return err
		}
	}
	if err := h.probe(ctx, l); err != nil {
		return err
	}
	if !h.greeted && h.able.PauseWrite && l.server.Unkept() == "" {
		if _, err := l.do(ctx, h.cfg.command("CLIENT", "UNPAUSE")); err != nil {
			return err
		}
	}
	h.greeted = true
	return nil
}

// look asks what decisions rest on most. A server that was loading when the connection was greeted is asked whether it
// still does: each order's result would call it unfit otherwise, for as long as the connection lasts.
func (l *link) look(ctx context.Context, h *Hand) error {
	commands := [][]string{h.cfg.command("INFO", "keyspace"), h.cfg.command("INFO", "replication")}
	if l.server.Loading {
		commands = append(commands, h.cfg.command("INFO", "persistence"))
	}
	replies, err := l.do(ctx, commands...)
	if err != nil {
		return err
	}
	l.server.BornFenced, l.server.DiskFails = h.born.Load(), h.diskFails.Load()
	for _, v := range replies {
		err = errors.Join(err, l.absorb(v))
	}
	return err
}

// client is one line of CLIENT LIST.
type client struct{ id, addr, name, flags string }

// parseClients reads the lines: id=3 addr=10.0.0.1:50 laddr=10.0.0.2:6379 fd=8 name=x ... flags=N ... A name has no spaces.
func parseClients(text string) []client {
	var out []client
	for line := range strings.Lines(text) {
		var c client
		for field := range strings.FieldsSeq(line) {
			name, value, _ := strings.Cut(field, "=")
			switch name {
			case "id":
				c.id = value
			case "addr":
				c.addr = value
			case "name":
				c.name = value
			case "flags":
				c.flags = value
			}
		}
		out = append(out, c)
	}
	return out
}
