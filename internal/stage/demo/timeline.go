package demo

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"redkeep/internal/stage/clock"
	"redkeep/internal/words"
)

// step is how one reason shows in a timeline: under a label, with words of its own where the log's sentence is long.
type step struct{ label, what string }

// steps are those of a failover, and what the return of a server is told by. Other reasons are left to the logs.
var steps = map[words.Code]step{
	words.ServerGone:    {"detected", "its redis-server has ended; the gate is shut"},
	words.LeaseLapsed:   {"let go", "its lease has run out, and with it the kernel's gate"},
	words.HandedOver:    {"handed over", ""},
	words.Superseded:    {"let go", ""},
	words.Released:      {"released", ""},
	words.HolderLost:    {"lease ended", ""},
	words.Sealed:        {"sealed", "its redis-server is cut from the old master's"},
	words.Elected:       {"voted", ""},
	words.Writable:      {"writable", "its redis-server has taken a write that changes nothing"},
	words.VIPHeld:       {"address set", ""},
	words.VIPBroken:     {"address lost", ""},
	words.VIPClaimed:    {"address taken", ""},
	words.Following:     {"follows", ""},
	words.LosesBytes:    {"gives up", ""},
	words.LossyElection: {"lossy", ""},
}

// event puts a line of a log into a timeline, without its advice; ok is false for what is left to the logs.
func (e entry) event(fault moment) (ev event, ok bool) {
	s, ok := steps[e.code]
	if s.what == "" {
		s.what, _, _ = strings.Cut(e.what, ";")
	}
	return event{after: e.at.Sub(fault.wall), who: string(e.node), label: s.label, what: s.what}, ok
}

// moment is the instant of a fault on both clocks: the agents log by the one, the client by the other.
type moment struct {
	wall time.Time
	boot clock.Instant
}

func now() moment { return moment{wall: time.Now(), boot: clock.Now()} }

// event is one line of a timeline.
type event struct {
	after time.Duration // since the fault
	who   string
	label string
	what  string
}

// settle is how long a line waits for one that happened before it: the logs come through three pipes, and a
// client's last write is known for the last only when none follows.
const settle = 150 * time.Millisecond

// timeline prints what happens after a fault, in order, while it happens.
type timeline struct {
	story *story
	fault moment
	// only, if set, keeps out what is not of interest.
	only func(entry) bool
	// looks are called before each print: they note what no agent logs.
	looks []func()
	// taken is how many entries of the journal since the fault have been looked at.
	taken  int
	queued []event
}

// begin starts a timeline with its fault, which do brings about. The instant is the one just before.
func (s *story) begin(what, who string, do func() error) (*timeline, error) {
	t := &timeline{story: s, fault: now()}
	if err := do(); err != nil {
		return nil, err
	}
	t.print(event{who: who, what: s.bold(what)})
	return t, nil
}

// note adds what the demo itself has seen at an instant of the client's clock.
func (t *timeline) note(at clock.Instant, who, label, what string) {
	t.queued = append(t.queued, event{at.Sub(t.fault.boot), who, label, what})
}

// look adds what is to be looked at while the timeline is printed.
func (t *timeline) look(more ...func()) { t.looks = append(t.looks, more...) }

// follow prints until ok says that it is over, and then what is still on its way.
func (t *timeline) follow(ctx context.Context, what string, limit time.Duration, ok func() bool) error {
	err := t.story.await(ctx, what, limit, func() bool {
		over := ok()
		t.flush(time.Since(t.fault.wall) - settle)
		return over
	})
	if err == nil {
		err = pause(ctx, settle)
	}
	t.flush(time.Hour)
	return err
}

// flush prints what happened up to then.
func (t *timeline) flush(upTo time.Duration) {
	entries := t.story.journal.since(t.fault.wall)
	for _, e := range entries[min(t.taken, len(entries)):] {
		if ev, ok := e.event(t.fault); ok && (t.only == nil || t.only(e)) {
			t.queued = append(t.queued, ev)
		}
	}
	t.taken = len(entries)
	for _, look := range t.looks {
		look()
	}
	slices.SortStableFunc(t.queued, func(a, b event) int { return cmp.Compare(a.after, b.after) })
	for len(t.queued) > 0 && t.queued[0].after <= upTo {
		t.print(t.queued[0])
		t.queued = t.queued[1:]
	}
}

func (t *timeline) print(e event) {
	t.story.say("   %9s  %-8s  %-12s  %s", ms(e.after), e.who, e.label, e.what)
}

// pause waits, unless the context ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
