package demo

import (
	"context"
	"errors"
	"slices"
	"time"

	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/writer"
)

// outcome is what one act cost the client.
type outcome struct {
	name string
	gap  time.Duration
	// acked is how many writes were acknowledged from the fault on until all was well for half a second, lost how many
	// of all until then are not there any more, and two for how long two hosts took writes.
	acked, lost int
	two         time.Duration
	// note says what else was lost, where something was.
	note string
}

// reckon measures what the act cost, and says so.
func (s *story) reckon(ctx context.Context, t *timeline, name, note string) error {
	if err := pause(ctx, easy/2); err != nil {
		return err
	}
	o, err := s.measure(ctx, t.fault.boot)
	if err != nil {
		return err
	}
	o.name, o.note = name, note
	s.acts = append(s.acts, o)
	s.conclude(t.fault.boot, o)
	return nil
}

// measure reads from what the witnesses saw what a fault at an instant has cost until now.
func (s *story) measure(ctx context.Context, since clock.Instant) (outcome, error) {
	w := s.witnesses
	writes := w.client.Writes()
	last, ok := latest(writes)
	if !ok || clock.Now().Sub(last.Acked) > easy/4 {
		return outcome{}, errors.New("measure what the fault cost: writes do not go on")
	}
	gap := writer.Longest(writes, since, clock.Now())
	report, err := w.client.Audit(ctx, last.Node)
	if err != nil {
		return outcome{}, err
	}
	return outcome{gap: gap.Length(), acked: acks(writes, since), lost: report.Lost(), two: w.twoMasters(since)}, nil
}

// latest is the last write that was acknowledged.
func latest(writes []writer.Write) (writer.Write, bool) {
	for _, w := range slices.Backward(writes) {
		if w.OK() {
			return w, true
		}
	}
	return writer.Write{}, false
}

// conclude prints what a fault cost, and how the client's writes went meanwhile.
func (s *story) conclude(since clock.Instant, o outcome) {
	s.say("   %s", s.bold("writes stopped for "+ms(o.gap)+"; "+countOf(o.lost, "acknowledged write is", "acknowledged writes are")+" lost; two masters for "+ms(o.two)))
	if o.note != "" {
		s.say("   %s", s.faint(o.note))
	}
	s.say("   %s", s.faint("writes took "+histogram(from(s.witnesses.client.Writes(), since), s.blocks)))
}

// summary is the last page.
func (s *story) summary(context.Context) error {
	s.say("")
	s.say("%s", s.bold("   fault                  writes stopped  acknowledged  lost  two masters"))
	for _, o := range s.acts {
		s.say("   %-21s  %14s  %12d  %4d  %11s", o.name, ms(o.gap), o.acked, o.lost, ms(o.two))
		if o.note != "" {
			s.say("      %s", s.faint(o.note))
		}
	}
	writes := s.witnesses.client.Writes()
	s.say("   %s were acknowledged to the client, and read back at the end; %.0f s in all", countOf(acks(writes, 0), "write", "writes"), time.Since(s.begun).Seconds())
	return nil
}
