package sentinel

import (
	"context"
	"testing"
	"time"

	"redkeep/internal/act/sockets"
)

// TestNothingIsLostOnAFullLoop: what a goroutine has to tell waits for room, and for no longer than the loop lives.
func TestNothingIsLostOnAFullLoop(t *testing.T) {
	loop, err := sockets.New(sockets.Config{Now: now, Queue: 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	p := &process{loop: loop, over: ctx.Done()}
	if !loop.Post(func() { /* takes the room */ }) || loop.Post(func() { t.Error("there was room") }) {
		t.Fatal("the loop has room for more than one")
	}
	heard, over := make(chan struct{}), make(chan struct{})
	go func() { p.deliver(func() { close(heard) }) }()
	go func() { _ = loop.Run(ctx); close(over) }()
	for _, what := range []chan struct{}{heard, over} {
		select {
		case <-what:
		case <-time.After(20 * time.Second):
			t.Fatal("it was not told")
		}
		end()
	}
	p.deliver(func() { t.Error("the loop has ended") }) // and does not wait
}
