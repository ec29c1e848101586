package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"redkeep/internal/words"
)

// birth is what a server's file makes it at its start: a replica of host and port, or a master where host is "".
type birth struct{ host, port string }

// deadEndBirth is that of a born-fenced server (rule born-fenced): started by anybody but the agent, it takes no write
// and hands its data to nobody.
var deadEndBirth = birth{host: words.DeadEnd, port: strconv.Itoa(words.DeadEndPort)}

// FenceBirth makes the server's own file start it as a replica of the dead end, and verifies that. The file is edited in
// place where it can be; else a server that follows the dead end at present is told to write it (CONFIG REWRITE).
func (h *Hand) FenceBirth(ctx context.Context) (words.Server, error) {
	return h.setBirth(ctx, "fence the server's birth", func(words.Server) birth { return deadEndBirth })
}

// UnfenceBirth gives the file the role that the server has now: for leaving.
func (h *Hand) UnfenceBirth(ctx context.Context) (words.Server, error) {
	return h.setBirth(ctx, "give the server's birth back", func(s words.Server) birth {
		if s.Role != words.RoleReplica {
			return birth{}
		}
		return birth{host: s.Master, port: strconv.Itoa(int(s.MasterPort))}
	})
}

func (h *Hand) setBirth(ctx context.Context, name string, want func(words.Server) birth) (words.Server, error) {
	server, err := h.order(ctx, name, func(ctx context.Context, l *link) error {
		b, path := want(l.server), l.process.ConfigFile
		if path == "" {
			return errors.New("it was started without a file; give it one, with the line \"" + b.line("replicaof") + "\"")
		}
		if int(h.proven.Load()) != l.process.PID {
			return fmt.Errorf("%s may be another file for the server: its process %d is not proven", path, l.process.PID)
		}
		if err := ownFile(path, l.process.PID); err != nil {
			return err
		}
		if err := h.writeBirth(ctx, l, path, b); err != nil {
			return fmt.Errorf("%w; write the line %q into %s", err, b.line("replicaof"), path)
		}
		found, err := readBirth(path)
		if err != nil {
			return err
		}
		if found != b {
			return fmt.Errorf("%s makes it a replica of %q afterwards; look for an include", path, found.host)
		}
		h.born.Store(b == deadEndBirth)
		l.server.BornFenced = b == deadEndBirth
		return nil
	})
	return server, err
}

// writeBirth edits the file, or has the server write it where the agent may not and the server's present role is the one
// wanted.
func (h *Hand) writeBirth(ctx context.Context, l *link, path string, b birth) error {
	errEdit := editFile(path, b, h.able.ReplicaOf, l.process.PID)
	if errEdit == nil {
		return nil
	}
	now := birth{}
	if l.server.Role == words.RoleReplica {
		now = birth{host: l.server.Master, port: strconv.Itoa(int(l.server.MasterPort))}
	}
	if now != b || !h.able.Rewrite {
		return errEdit
	}
	replies, err := l.do(ctx, h.cfg.command("CONFIG", "REWRITE"))
	if err != nil {
		return err
	}
	if err := accepted(replies[0]); err != nil {
		return fmt.Errorf("%w; nor can the server: %w", errEdit, err)
	}
	return nil
}
