package sentinels

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/wire"
)

// Event is what a Sentinel told its subscribers.
type Event struct {
	// At is when it arrived.
	At clock.Instant
	// Channel and Payload are as they came.
	Channel, Payload string
}

// String prints the event as a log has it.
func (e Event) String() string { return e.Channel + " " + e.Payload }

const (
	// eventLimit bounds what is kept of one Sentinel.
	eventLimit = 100_000
	// silenceLimit bounds the wait for an event: longer than any test.
	silenceLimit = time.Hour
)

// diary is all that a Sentinel told, over all of its lives.
type diary struct {
	mu     sync.Mutex // guards both
	events []Event
	grown  chan struct{} // closed and made anew with each event
}

func (d *diary) add(e Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.events) < eventLimit {
		d.events = append(d.events, e)
	}
	close(d.grown)
	d.grown = make(chan struct{})
}

// since returns the events from the n-th on, and what is closed when there are more.
func (d *diary) since(n int) ([]Event, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.events[min(n, len(d.events)):len(d.events):len(d.events)], d.grown
}

// listen subscribes to everything, and has a goroutine keep it until the process ends. s.mu must be held.
func (s *Sentinel) listen(ctx context.Context) error {
	conn, err := s.Dial(ctx)
	if err != nil {
		return fmt.Errorf("listen to sentinel on %s: %w", s.host.Name(), err)
	}
	if _, err := conn.Do(askLimit, "PSUBSCRIBE", "*"); err != nil {
		conn.Close()
		return fmt.Errorf("listen to sentinel on %s: %w", s.host.Name(), err)
	}
	ctx, s.stop = context.WithCancel(context.Background())
	s.hearing.Go(func() { s.hear(ctx, conn) }) // ends with the connection, which ends with the process or the context
	return nil
}

// hear keeps events until the connection ends.
func (s *Sentinel) hear(ctx context.Context, conn *wire.Conn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)()
	for {
		message, err := conn.Next(silenceLimit)
		if err != nil {
			return
		}
		if len(message.Elems) == 4 && message.Elems[0].Text == "pmessage" {
			s.heard.add(Event{At: clock.Now(), Channel: message.Elems[2].Text, Payload: message.Elems[3].Text})
		}
	}
}

// hush ends the listening, once what has arrived is kept, and the connection for questions.
func (s *Sentinel) hush() {
	s.forget()
	s.mu.Lock()
	stop := s.stop
	s.mu.Unlock()
	if stop == nil {
		return
	}
	// The end of the process ends its connection; the context only a connection whose end never came.
	late := time.AfterFunc(time.Second, stop)
	defer late.Stop()
	s.hearing.Wait()
	stop()
}

// Mark returns how many events were heard so far, for Since and Await.
func (s *Sentinel) Mark() int {
	all, _ := s.heard.since(0)
	return len(all)
}

// Since returns the events from a mark on.
func (s *Sentinel) Since(mark int) []Event {
	all, _ := s.heard.since(mark)
	return all
}

// Await waits for an event of a channel from a mark on, whose payload begins with a text.
func (s *Sentinel) Await(mark int, within time.Duration, channel, payload string) (Event, error) {
	limit := time.NewTimer(within)
	defer limit.Stop()
	for {
		all, grown := s.heard.since(mark)
		for _, e := range all {
			if e.Channel == channel && strings.HasPrefix(e.Payload, payload) {
				return e, nil
			}
		}
		select {
		case <-grown:
		case <-limit.C:
			return Event{}, fmt.Errorf("wait for %s %s of sentinel on %s: not within %v", channel, payload, s.host.Name(), within)
		}
	}
}
