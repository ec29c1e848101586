package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"redkeep/internal/speak/resp"
	"redkeep/internal/words"
)

// Promote makes the server the master and verifies that it takes writes. It ends a pause. A server that is the master
// already is only verified. The answer has the new history, and with it the one that it continues and from where.
func (h *Hand) Promote(ctx context.Context, id words.RunID) (words.Server, error) {
	return h.order(ctx, "promote the server", func(ctx context.Context, l *link) error {
		if err := l.same(id); err != nil {
			return err
		}
		if l.server.Role == words.RoleUnknown {
			return errors.New("it doesn't say what it is")
		}
		commands := [][]string{h.replicaOf("NO", "ONE")}
		if h.able.PauseWrite {
			// A pause would hold the write below back.
			commands = append(commands, h.cfg.command("CLIENT", "UNPAUSE"))
		}
		commands = append(commands, h.writeProbe(), h.cfg.command("INFO", "replication"))
		replies, err := l.do(ctx, commands...)
		if err != nil {
			return err
		}
		n := len(replies)
		if err := l.roleGiven(replies[0], replies[n-1]); err != nil {
			return err
		}
		if l.server.Role != words.RoleMaster {
			return fmt.Errorf("it is a %v of %s:%d afterwards", l.server.Role, l.server.Master, l.server.MasterPort)
		}
		return h.writable(replies[n-2])
	})
}

// Writable asks the server whether it would take a client's write now.
func (h *Hand) Writable(ctx context.Context) (words.Server, error) {
	return h.order(ctx, "probe for writes", func(ctx context.Context, l *link) error {
		replies, err := l.do(ctx, h.writeProbe())
		if err != nil {
			return err
		}
		return h.writable(replies[0])
	})
}

// writeProbe returns a command that is refused exactly when a client's write would be, and that changes nothing: an
// empty value written over a part of a key that doesn't exist leaves it so, and is neither logged nor replicated.
func (h *Hand) writeProbe() []string {
	return h.cfg.command("SETRANGE", "redkeep:probe:"+rand.Text(), "0", "")
}

// writable reads the answer to the probe. What the users have asked for themselves, a limit of memory or a number of
// replicas to write to, makes no bad master: such a server serves again as soon as its condition holds.
func (h *Hand) writable(v resp.Value) error {
	err := v.Err()
	var reply *resp.ReplyError
	if errors.As(err, &reply) && (reply.Code == "NOREPLICAS" || reply.Code == "OOM") {
		h.remark("the master refuses writes: " + reply.Text)
		return nil
	}
	if err != nil {
		return fmt.Errorf("it refuses writes: %w", err)
	}
	if v.Kind != resp.Integer || v.Int != 0 {
		return fmt.Errorf("it answered the write probe with %d %.40q", v.Int, v.Text)
	}
	return nil
}
