package demo

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"redkeep/internal/client"
	"redkeep/internal/picture"
	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/writer"
	"redkeep/internal/words"
)

// page is where the story is told.
type page struct {
	out io.Writer
	// gone is told that the page can't be written; nil is nobody.
	gone        func()
	bold, faint func(string) string
}

// say prints one line.
func (p *page) say(format string, args ...any) {
	_, err := io.WriteString(p.out, strings.TrimRight(fmt.Sprintf(format, args...), " ")+"\n")
	if err != nil && p.gone != nil {
		p.gone()
	}
}

// story is the acts and what they share.
type story struct {
	page
	*site
	begun  time.Time
	client *writer.Writer
	acts   []outcome
}

// outcome is what one act cost the client.
type outcome struct {
	name  string
	gap   time.Duration
	acked int
	lost  int
	// note says what else was lost, where something was.
	note string
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
	s.say("   lease %v; a client finds the master as Sentinel's clients do, and writes every millisecond", g.Lease)
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
	h := s.Host(string(old))
	island, err := writer.Start(ctx, writer.Options{
		Dial: h.Dial, Finder: writer.Fixed(h.Port(stage.DefaultPort)), Name: "island", Keys: 1, Stay: true, Interval: 5 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	defer island.Stop()
	t, err := s.begin("network cable pulled", string(old), func() error { return s.Cut(string(old)) })
	if err != nil {
		return err
	}
	shut := false
	err = s.moved(ctx, t, old, func() {
		last, refused := lastAck(island.Writes())
		if !shut && refused != 0 && clock.Now().Sub(last) > settle/3 {
			shut = true
			t.note(last, string(old), "acknowledged", "the last write of a client on its own side of the cut")
			t.note(refused, string(old), "refused", "the next one: the gate answers with a reset")
		}
	})
	if err != nil {
		return err
	}
	count := acks(island.Stop(), t.fault.boot)
	note := fmt.Sprintf("and the %d that %s took on its own side until its lease ended", count, old)
	if err := s.reckon(ctx, t, "master's host cut off", note); err != nil {
		return err
	}
	back, err := s.begin("cable plugged in again", string(old), func() error { return s.Heal(string(old)) })
	if err != nil {
		return err
	}
	return s.returned(ctx, back, old)
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
	err = s.ask(ctx, old, func(ctx context.Context, c *client.Client) error {
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

// moved prints until the client has a write acknowledged by another master than the old one. What else is to be looked at
// is called every few milliseconds.
func (s *story) moved(ctx context.Context, t *timeline, old words.Node, meanwhile ...func()) error {
	return t.follow(ctx, "a new master", settleLimit, func() bool {
		for _, f := range meanwhile {
			f()
		}
		first, ok := firstAck(s.client.Writes(), t.fault.boot, s.Host(string(old)))
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
			if seen, err := s.status(ctx, words.Node(h.Name())); err == nil && isWhole(seen) && seen.Master != old {
				g = seen
				return true
			}
		}
		return false
	})
	if err == nil {
		s.say("   %9s  %-6s  %-12s  %s", ms(time.Since(t.fault.wall)), old, "in sync", "as a replica of "+string(g.Master))
	}
	return err
}

// reckon measures what the act cost, and says so.
func (s *story) reckon(ctx context.Context, t *timeline, name, note string) error {
	if err := pause(ctx, easy/2); err != nil {
		return err
	}
	writes := s.client.Writes()
	gap := writer.Longest(writes, t.fault.boot, clock.Now())
	last := writes[len(writes)-1]
	report, err := s.client.Audit(ctx, last.Node)
	if err != nil {
		return err
	}
	o := outcome{name: name, gap: gap.Length(), acked: report.Acked, lost: report.Lost(), note: note}
	s.acts = append(s.acts, o)
	s.say("   %s", s.bold(fmt.Sprintf("writes stopped for %s; of %d acknowledged writes %d are lost", ms(o.gap), o.acked, o.lost)))
	if note != "" {
		s.say("   %s", s.faint(note))
	}
	return nil
}

// summary is the last page.
func (s *story) summary(context.Context) error {
	s.say("")
	s.say("%s", s.bold("   what happened           writes stopped  acknowledged writes lost"))
	for _, o := range s.acts {
		s.say("   %-22s  %14s  %d  %s", o.name, ms(o.gap), o.lost, s.faint(o.note))
	}
	total := s.acts[len(s.acts)-1].acked
	s.say("   %d writes were acknowledged to the client and read back at the end; %.0f s in all", total, time.Since(s.begun).Seconds())
	return nil
}

// nameOf is the host of the server that took a write.
func (s *story) nameOf(w writer.Write) string {
	for _, h := range s.Hosts() {
		if h.Addr() == w.Node.Addr() {
			return h.Name()
		}
	}
	return w.Node.String()
}

// firstAck is the first write after an instant that another host than the old one acknowledged.
func firstAck(writes []writer.Write, after clock.Instant, old *stage.Host) (first writer.Write, ok bool) {
	for i := len(writes) - 1; i >= 0 && writes[i].Sent >= after; i-- {
		if writes[i].OK() && writes[i].Node.Addr() != old.Addr() {
			first, ok = writes[i], true
		}
	}
	return first, ok
}

// lastAck is when the last write was acknowledged, and when the first after it that was not had been sent: 0 for none.
func lastAck(writes []writer.Write) (last, refused clock.Instant) {
	for i := len(writes) - 1; i >= 0; i-- {
		if writes[i].OK() {
			return writes[i].Acked, refused
		}
		refused = writes[i].Sent
	}
	return 0, refused
}

// acks counts the writes that were acknowledged after an instant.
func acks(writes []writer.Write, after clock.Instant) (count int) {
	for _, w := range writes {
		if w.OK() && w.Acked >= after {
			count++
		}
	}
	return count
}
