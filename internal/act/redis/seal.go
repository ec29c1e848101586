package redis

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"redkeep/internal/speak/resp"
	"redkeep/internal/words"
)

// step is the pause between two looks of an order that waits for something in the server.
const step = time.Millisecond

// Look asks the server what it is, now.
func (h *Hand) Look(ctx context.Context) (words.Server, error) {
	return h.order(ctx, "look at the server", func(context.Context, *link) error { return nil })
}

// Seal makes a replica follow the dead end, with its position kept. For at most drain it waits first for the link to
// end by itself, which is how a server says that it has applied all that its dead master had sent. A link that still
// stands when drain is over is cut once the offset has stood still for a moment, and after twice drain in any case.
// A server that follows the dead end already is left alone; a master is not demoted by this.
func (h *Hand) Seal(ctx context.Context, id words.RunID, drain time.Duration) (words.Server, error) {
	return h.order(ctx, "seal the server", func(ctx context.Context, l *link) error {
		if err := l.same(id); err != nil {
			return err
		}
		if l.server.Role != words.RoleReplica {
			return fmt.Errorf("it is a %v", l.server.Role)
		}
		if l.server.Fenced() {
			return nil
		}
		if err := l.drain(ctx, h, drain); err != nil {
			return err
		}
		return h.deadEnd(ctx, l)
	})
}

// Demote makes the server, a master too, follow the dead end, and ends a pause of its clients. A master's position is
// kept: it can continue from there as a replica.
func (h *Hand) Demote(ctx context.Context, id words.RunID) (words.Server, error) {
	return h.order(ctx, "demote the server", func(ctx context.Context, l *link) error {
		if err := l.same(id); err != nil {
			return err
		}
		return h.deadEnd(ctx, l)
	})
}

// drain waits until the link is down, or until the time is over and the offset stands still.
func (l *link) drain(ctx context.Context, h *Hand, limit time.Duration) error {
	began := time.Now()
	for last := words.Offset(-1); l.server.LinkUp; last = l.server.Offset {
		waited := time.Since(began)
		if waited >= 2*limit || waited >= limit && last == l.server.Offset {
			return nil
		}
		if err := l.lookAgain(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// lookAgain looks after a step.
func (l *link) lookAgain(ctx context.Context, h *Hand) error {
	timer := time.NewTimer(step)
	defer timer.Stop()
	select {
	case <-timer.C:
		return l.look(ctx, h)
	case <-ctx.Done():
		return fmt.Errorf("wait for the server: %w", ctx.Err())
	}
}

// deadEnd gives the order and verifies it. REPLICAOF ends the link to the old master itself, in the same step in which
// it forgets the old address; a CLIENT KILL TYPE master before it would have the server connect anew at once.
func (h *Hand) deadEnd(ctx context.Context, l *link) error {
	if err := h.giveRole(ctx, l, words.DeadEnd, strconv.Itoa(words.DeadEndPort)); err != nil {
		return err
	}
	if !l.server.Fenced() {
		return fmt.Errorf("it is a %v of %s:%d afterwards", l.server.Role, l.server.Master, l.server.MasterPort)
	}
	return nil
}

// giveRole sends REPLICAOF with the end of a pause behind it, and looks, all in one round trip. A pause would outlive the
// change of the role, for what is left of its time.
func (h *Hand) giveRole(ctx context.Context, l *link, host, port string) error {
	commands := [][]string{h.replicaOf(host, port)}
	if h.able.PauseWrite {
		commands = append(commands, h.cfg.command("CLIENT", "UNPAUSE"))
	}
	commands = append(commands, h.cfg.command("INFO", "replication"))
	replies, err := l.do(ctx, commands...)
	if err != nil {
		return err
	}
	return l.roleGiven(replies[0], replies[len(replies)-1])
}

// roleGiven reads the answers to a change of role and to the look behind it.
func (l *link) roleGiven(order, look resp.Value) error {
	if err := l.absorb(look); err != nil {
		return err
	}
	if err := accepted(order); err != nil {
		return fmt.Errorf("give it its role: %w", err)
	}
	return nil
}
