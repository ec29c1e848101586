package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/writer"
	"redkeep/internal/words"
)

const (
	// liveInterval is the client's when the story is over: two megabytes of keys a minute. After liveLimit writes, some two
	// minutes, its log is begun anew.
	liveInterval, liveLimit = 2 * time.Millisecond, 1 << 16
	// glance is how often it is looked for news.
	glance = 25 * time.Millisecond
	// noticed is the shortest pause in the client's writes that is told, without what this machine itself stalled.
	noticed = 4 * liveInterval
	// calm is how long writes have gone on when the cost of a fault is reckoned, and quiet the time after which what
	// happens is no longer told as a fault's consequence.
	calm, quiet = time.Second, 20 * time.Second
)

// live is what happens after the story: whatever the user does, and what comes of it.
type live struct {
	*story
	hands  *hands
	line   *timeline
	rounds int
	stalls *clock.Watcher
	meter  meter
	// untold says that nobody has said yet whether the line's fault stopped the writes.
	untold bool
}

// live lets the user break the hosts until the context ends.
func (s *story) live(ctx context.Context, d *desk, name string) error {
	stalls, err := clock.Watch()
	if err != nil {
		return err
	}
	defer stalls.Stop()
	l := &live{story: s, hands: &hands{site: s.site, done: map[words.Node]damage{}}, stalls: stalls}
	s.instruct(name)
	if err := l.renew(ctx); err != nil {
		return err
	}
	l.line = l.timeline(now())
	d.open()
	again := time.NewTicker(glance)
	defer again.Stop()
	for {
		select {
		case r := <-d.orders:
			r.answer <- l.serve(ctx, r)
		case <-again.C:
			if err := l.look(ctx); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// instruct says what can be done.
func (s *story) instruct(name string) {
	s.say("")
	s.say("%s", s.bold("The hosts are yours now, until Ctrl-C here. In another terminal:"))
	s.say("   %s demo kill h1     SIGKILL for its redis-server", name)
	s.say("   %s demo cut h1      pull its network cable", name)
	s.say("   %s demo freeze h1   stop every program on it", name)
	s.say("   %s demo heal h1     mend whatever is wrong with it", name)
	s.say("   %s demo shell h1    a shell on it, as root: redis-cli, %s status -c FILE", name, name)
	s.say("")
	s.say("   a shell without redkeep's help:")
	for _, h := range s.Hosts() {
		s.say("   %s  %s", h.Name(), strings.Join(Enter(h.Namespace(), ownUser()), " "))
	}
	s.say("   configuration: %s   logs: %s", s.file, s.Dir())
}

// renew begins the witnesses' logs anew.
func (l *live) renew(ctx context.Context) (err error) {
	l.witnesses.stop()
	l.rounds++
	l.witnesses, err = l.watch(ctx, witnessing{
		name: fmt.Sprintf("round-%d", l.rounds), interval: liveInterval, local: 5 * liveInterval, limit: liveLimit,
	})
	l.meter = meter{stalls: l.stalls}
	return err
}

// timeline begins one at a fault.
func (l *live) timeline(fault moment) *timeline {
	t := &timeline{story: l.story, fault: fault}
	t.look(l.promotion(t))
	return t
}

// serve carries a command out.
func (l *live) serve(ctx context.Context, r order) reply {
	h, ok := l.find(r.Host)
	if !ok {
		return reply{Code: Misused, Text: fmt.Sprintf("there is no host %q; there are %s", r.Host, l.names())}
	}
	if r.Word == "shell" {
		return reply{Place: l.place(h)}
	}
	do, ok := l.hands.of(r.Word)
	if !ok {
		return reply{Code: Misused, Text: fmt.Sprintf("a demo does not know %q", r.Word)}
	}
	l.line.flush(time.Hour)
	next := l.timeline(now())
	did, err := do(ctx, h)
	if err != nil {
		return failed(err)
	}
	l.say("")
	l.line, l.untold = next, true
	l.line.print(event{who: h.Name(), what: l.bold(did)})
	return reply{Text: h.Name() + ": " + did}
}

// look prints the news.
func (l *live) look(ctx context.Context) error {
	if l.witnesses.full() {
		if err := l.renew(ctx); err != nil {
			return err
		}
	}
	for _, gap := range l.meter.read(l.witnesses.client.Writes()) {
		l.line.note(gap.to.Acked, "client", "acknowledged", fmt.Sprintf("by %s, the first write after %s", l.nameOf(gap.to), ms(gap.to.Acked.Sub(gap.from))))
		l.untold = false
	}
	l.rebase()
	since := time.Since(l.line.fault.wall)
	l.line.flush(since - settle)
	if begun, due := l.meter.due(clock.Now()); due {
		return l.cost(ctx, begun)
	}
	if l.untold && since > 2*lease {
		l.untold = false
		l.say("   %9s  %-8s  %-12s  %s", ms(since), "client", "", l.meter.standing(clock.Now()))
	}
	return nil
}

// rebase begins a new timeline for what happens long after the last: somebody did something that the demo does not know.
func (l *live) rebase() {
	for _, e := range l.journal.since(l.line.fault.wall.Add(quiet)) {
		if _, ok := e.event(l.line.fault); !ok {
			continue
		}
		l.line.flush(quiet)
		at := now()
		l.say("")
		l.say("   %s", l.bold("at "+e.at.Local().Format(time.TimeOnly)+", not by a command of the demo:"))
		l.line = l.timeline(moment{wall: e.at, boot: at.boot.Add(-at.wall.Sub(e.at))})
		return
	}
}

// cost says what the last pause in the writes has cost, now that they go on.
func (l *live) cost(ctx context.Context, begun clock.Instant) error {
	o, err := l.measure(ctx, begun)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		l.say("   %s", l.faint(err.Error()))
		return nil // the next fault may have come meanwhile
	}
	l.conclude(begun, o)
	return nil
}

// meter notes the pauses in a client's writes, as they end.
type meter struct {
	stalls *clock.Watcher
	seen   int
	last   clock.Instant
	// begun and ended are those of the pauses whose cost is not told yet, the first one's and the last one's.
	begun, ended clock.Instant
}

// pauseInWrites is one that was long enough to be told.
type pauseInWrites struct {
	from clock.Instant
	to   writer.Write
}

// read takes what the log has more than at the last call.
func (m *meter) read(log []writer.Write) (found []pauseInWrites) {
	for _, w := range log[min(m.seen, len(log)):] {
		if !w.OK() {
			continue
		}
		if m.last != 0 && w.Acked.Sub(m.last)-m.stalls.Worst(m.last, w.Acked) >= noticed {
			found = append(found, pauseInWrites{m.last, w})
			m.ended = w.Acked
			if m.begun == 0 {
				m.begun = m.last
			}
		}
		m.last = w.Acked
	}
	m.seen = len(log)
	return found
}

// due reports, once for each row of pauses, that writes have gone on for long enough to reckon, and when the row began.
func (m *meter) due(at clock.Instant) (begun clock.Instant, due bool) {
	if m.begun == 0 || m.last.Sub(m.ended) < calm || at.Sub(m.last) > glance {
		return 0, false
	}
	begun, m.begun = m.begun, 0
	return begun, true
}

// standing says whether writes go on.
func (m *meter) standing(at clock.Instant) string {
	if at.Sub(m.last) > 10*glance {
		return "no write is acknowledged"
	}
	return "writes go on without a pause"
}

// find returns a node's host by its name.
func (l *live) find(name string) (*stage.Host, bool) {
	for _, h := range l.Hosts() {
		if h.Name() == name {
			return h, true
		}
	}
	return nil, false
}

// names lists the nodes.
func (l *live) names() string {
	var names []string
	for _, h := range l.Hosts() {
		names = append(names, h.Name())
	}
	return strings.Join(names, ", ")
}
