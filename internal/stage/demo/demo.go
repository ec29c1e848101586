package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/writer"
)

// Options are the choices for a demo. Program and Out must be set.
type Options struct {
	// Program is the path of redkeep itself, of which each host runs one.
	Program string
	Out     io.Writer
	// Bold and Faint change how a text looks on a terminal; nil leaves it plain.
	Bold, Faint func(string) string
	// Keep leaves the directory with configuration, logs and data.
	Keep bool
}

const (
	// lease is short enough to wait for, and long beside the stalls of a busy laptop.
	lease = time.Second
	// settleLimit bounds each wait for the group to be whole.
	settleLimit = 15 * time.Second
	// measureLimit is how long the agents have to measure their gates.
	measureLimit = 5 * time.Second
	// easy is how long writes go on before and after a fault, for people to see that they do.
	easy = time.Second
)

// Run builds the site, breaks it, and tells what happens. It takes about ten seconds. A signal, or the end of whoever
// reads Out, ends it early, and is no error; nothing is left then either.
func Run(ctx context.Context, o Options) error {
	if o.Bold == nil {
		o.Bold = func(s string) string { return s }
	}
	if o.Faint == nil {
		o.Faint = func(s string) string { return s }
	}
	if _, err := stage.FindRedis(); err != nil {
		return err
	}
	ctx, gone := context.WithCancel(ctx)
	defer gone()
	interrupted := false
	err := stage.Run(ctx, stage.Options{Keep: o.Keep}, func(ctx context.Context, st *stage.Stage) error {
		err := show(ctx, o, st, gone)
		interrupted = ctx.Err() != nil
		return err
	})
	if interrupted && (errors.Is(err, context.Canceled) || errors.Is(err, errGone)) {
		_, _ = fmt.Fprintln(o.Out, "\ninterrupted; everything is taken away again")
		return nil
	}
	return err
}

// show is the whole story, on a stage that its caller takes away; gone is called when nobody reads it any more.
func show(ctx context.Context, o Options, st *stage.Stage, gone func()) error {
	s := &story{page: page{out: o.Out, gone: gone, bold: o.Bold, faint: o.Faint}, begun: time.Now()}
	s.say("%s", s.bold("redkeep demo: three hosts on this machine, each with a Redis and an agent"))
	var err error
	if s.site, err = open(ctx, st, o.Program); err != nil {
		return err
	}
	if err := s.introduce(ctx); err != nil {
		return err
	}
	finder := st.FindBySentinel(group)
	defer finder.Close()
	if s.client, err = st.Write(ctx, writer.Options{Finder: finder, Interval: time.Millisecond}); err != nil {
		return err
	}
	defer s.client.Stop()
	for _, act := range []func(context.Context) error{s.kill, s.cut, s.switchover, s.summary} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	if o.Keep {
		s.say("configuration, logs and data are in %s", st.Dir())
	}
	return nil
}
