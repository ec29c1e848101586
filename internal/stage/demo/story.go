package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"redkeep/internal/client"
	"redkeep/internal/picture"
	"redkeep/internal/stage"
	"redkeep/internal/stage/agents"
	"redkeep/internal/stage/clock"
	"redkeep/internal/words"
)

// story is the acts and what they share.
type story struct {
	page
	*site
	begun     time.Time
	witnesses *witnesses
	acts      []outcome
}

// introduce waits until the group is whole, and shows it.
func (s *story) introduce(ctx context.Context) error {
	g, err := s.measured(ctx)
	if err != nil {
		return err
	}
	for _, h := range s.Hosts() {
		m, _ := g.Member(words.Node(h.Name()))
		role := "replica, in sync"
		if m.Node == g.Master {
			role = "master, writable"
		}
		s.say("   %s  %s  %-16s  fence %s", h.Name(), h.Addr(), role, m.Fence)
	}
	s.say("   lease %v; a client that knows only the group's address, %s, writes every millisecond", g.Lease, stage.VIP)
	return nil
}

// scene starts an act: a title, and a second in which all is well.
func (s *story) scene(ctx context.Context, format string, args ...any) (master words.Node, err error) {
	g, err := s.settled(ctx)
	if err != nil {
		return "", err
	}
	s.say("")
	s.say("%s", s.bold(fmt.Sprintf("%d  ", len(s.acts)+1)+strings.ReplaceAll(fmt.Sprintf(format, args...), "MASTER", string(g.Master))))
	return g.Master, pause(ctx, easy)
}

// kill ends the master's server, as the kernel would when memory runs out.
func (s *story) kill(ctx context.Context) error {
	old, err := s.scene(ctx, "the master's Redis on MASTER is killed")
	if err != nil {
		return err
	}
	t, err := s.begin("kill -9 of its redis-server", string(old), func() error { _, err := s.servers[old].Kill(); return err })
	if err != nil {
		return err
	}
	if err := s.moved(ctx, t, old); err != nil {
		return err
	}
	if err := s.reckon(ctx, t, "master's Redis killed", ""); err != nil {
		return err
	}
	back, err := s.begin("its redis-server is started again, empty", string(old), func() error { return s.servers[old].Restart(ctx) })
	if err != nil {
		return err
	}
	return s.returned(ctx, back, old)
}

// cut takes the master's host off the network. A client on its side of the cut shows what the gate is for.
func (s *story) cut(ctx context.Context) error {
	old, err := s.scene(ctx, "the master's host MASTER is cut off; Redis and agent on it go on")
	if err != nil {
		return err
	}
	t, err := s.begin("network cable pulled", string(old), func() error { return s.Cut(string(old)) })
	if err != nil {
		return err
	}
	t.look(s.islandEnds(t, old))
	if err := s.moved(ctx, t, old); err != nil {
		return err
	}
	count := acks(s.witnesses.locals[old].Writes(), t.fault.boot)
	note := fmt.Sprintf("besides, %s took %d writes of a client on its own side, until its lease ended", old, count)
	if err := s.reckon(ctx, t, "master's host cut off", note); err != nil {
		return err
	}
	back, err := s.begin("cable plugged in again", string(old), func() error { return s.Heal(string(old)) })
	if err != nil {
		return err
	}
	return s.returned(ctx, back, old)
}

// islandEnds looks for the end of the writes on the cut-off side, and tells it once.
func (s *story) islandEnds(t *timeline, old words.Node) func() {
	told := false
	return func() {
		last, refused := lastAck(s.witnesses.locals[old].Writes())
		if told || refused == 0 || last < t.fault.boot || clock.Now().Sub(last) <= settle/3 {
			return
		}
		told = true
		t.note(last, string(old), "acknowledged", "the last write of a client on its own side of the cut")
		t.note(refused, string(old), "refused", "the next one: the gate answers with a reset")
	}
}

// switchover moves the master as an administrator would.
func (s *story) switchover(ctx context.Context) error {
	old, err := s.scene(ctx, "a planned move: redkeep switchover, asked of MASTER")
	if err != nil {
		return err
	}
	t, err := s.begin("redkeep switchover", string(old), func() error { return nil })
	if err != nil {
		return err
	}
	err = agents.Ask(ctx, s.Host(string(old)), secret, func(ctx context.Context, c *client.Client) error {
		return c.Switchover(ctx, group, "", func(string) {})
	})
	if err != nil {
		return fmt.Errorf("switch over: %w", err)
	}
	if err := s.moved(ctx, t, old); err != nil {
		return err
	}
	return s.reckon(ctx, t, "planned switchover", "")
}

// moved prints until the client has a write acknowledged by another master than the old one.
func (s *story) moved(ctx context.Context, t *timeline, old words.Node) error {
	t.look(s.promotion(t), s.announcement(t, old))
	return t.follow(ctx, "a new master", settleLimit, func() bool {
		first, ok := firstAck(s.witnesses.client.Writes(), t.fault.boot, s.Host(string(old)))
		if ok {
			t.note(first.Acked, "client", "acknowledged", "the first write, by "+s.nameOf(first))
		}
		return ok
	})
}

// returned prints until the group is whole again.
func (s *story) returned(ctx context.Context, t *timeline, old words.Node) error {
	t.only = func(e entry) bool { return e.node == old }
	var g picture.Group
	err := t.follow(ctx, string(old)+" to be back in sync", settleLimit, func() bool {
		for _, h := range s.Hosts() {
			if seen, err := s.status(ctx, words.Node(h.Name())); err == nil && agents.Whole(seen) && seen.Master != old {
				g = seen
				return true
			}
		}
		return false
	})
	if err == nil {
		s.say("   %9s  %-8s  %-12s  %s", ms(time.Since(t.fault.wall)), old, "in sync", "as a replica of "+string(g.Master))
	}
	return err
}
