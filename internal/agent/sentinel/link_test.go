package sentinel

import (
	"context"
	"testing"

	"redkeep/internal/act/sockets"
	core "redkeep/internal/decide/sentinel"
)

// TestQuestionsAreForgotten when they are answered, also where another is always open: a link lives for years.
func TestQuestionsAreForgotten(t *testing.T) {
	w := &wire{}
	next := core.InstanceID(1)
	for i := range core.InstanceID(100_000) {
		w.expect(question{kind: askedInfo, instance: i + 1, count: 1})
		for len(w.asked)-w.head > 3 {
			if got := w.asked[w.head].instance; got != next {
				t.Fatalf("the answer after that to %d is taken for that to %d", next-1, got)
			}
			next++
			w.head++
		}
	}
	if cap(w.asked) > 1000 {
		t.Errorf("there is room for %d questions, of which %d are open", cap(w.asked), len(w.asked)-w.head)
	}
}

// TestLinksAreForgotten with their last connection, however that ends: the machine hangs up only what stands.
func TestLinksAreForgotten(t *testing.T) {
	loop, err := sockets.New(sockets.Config{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	over, end := context.WithCancel(t.Context())
	end()
	defer func() { _ = loop.Run(over) }() // gives back what it took
	p := &process{loop: loop, links: map[core.LinkID]*link{}, machine: core.New(core.Setup{Random: func() uint64 { return 1 }}, core.State{})}
	for _, hungUp := range []bool{false, true} {
		commands, hellos := &wire{p: p, link: 7}, &wire{p: p, link: 7, channel: core.PubSub}
		p.links[7] = &link{commands, hellos}
		commands.Closed(nil, nil)
		if p.links[7] == nil {
			t.Error("it is forgotten with a connection that stands")
		}
		if hungUp {
			p.hangUp(core.HangUp{Link: 7, Channel: core.PubSub})
		} else {
			hellos.Closed(nil, nil)
		}
		if len(p.links) != 0 {
			t.Errorf("hung up %v: there are %d links", hungUp, len(p.links))
		}
	}
}
