package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage"
)

// Options are the choices for a demo. Program and Out must be set.
type Options struct {
	// Program is the path of redkeep itself, of which each host runs one, and Name how its user calls it.
	Program, Name string
	Out           io.Writer
	// Bold and Faint change how a text looks on a terminal; nil leaves it plain.
	Bold, Faint func(string) string
	// Blocks says that Out shows Unicode's block elements.
	Blocks bool
	// Keep leaves the hosts running after the story, for commands by hand, until the context ends.
	Keep bool
	// Socket is where commands come in, with Keep.
	Socket string
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

// thirdHost is the host from which the address is watched. It does nothing else.
const thirdHost = "observer"

// plain leaves a text as it is.
func plain(s string) string { return s }

func (o Options) withDefaults() Options {
	if o.Bold == nil {
		o.Bold = plain
	}
	if o.Faint == nil {
		o.Faint = plain
	}
	if o.Name == "" {
		o.Name = "redkeep"
	}
	return o
}

// Run builds the site, breaks it, and tells what happens. It takes about ten seconds, and with Keep until a signal. A
// signal, or the end of whoever reads Out, ends it early, and is no error; nothing is left then either.
func Run(ctx context.Context, o Options) error {
	o = o.withDefaults()
	if _, err := stage.FindRedis(); err != nil {
		return err
	}
	d, err := openDesk(o)
	if err != nil {
		return err
	}
	defer d.close()
	return play(ctx, o, func(ctx context.Context, gone func()) error {
		return stage.Run(ctx, stage.Options{Guests: []string{thirdHost}}, func(ctx context.Context, st *stage.Stage) error {
			err := tell(ctx, o, st, d, gone)
			if err != nil && ctx.Err() == nil && o.Keep {
				st.Keep()
				return fmt.Errorf("%w\nconfiguration, logs and data are left in %s", err, st.Dir())
			}
			return err
		})
	})
}

// play calls f with a context that also ends with a signal, and when nobody reads any more what is told. An end that
// somebody wanted is no error.
func play(ctx context.Context, o Options, f func(ctx context.Context, gone func()) error) error {
	ctx, stop := signal.NotifyContext(ctx, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	ctx, gone := context.WithCancel(ctx)
	defer gone()
	err := f(ctx, gone)
	if errors.Is(err, context.Canceled) {
		_, _ = fmt.Fprintln(o.Out, "\ninterrupted; everything is taken away again")
		return nil
	}
	return err
}

// tell is the whole story, on a stage that its caller takes away; gone is called when nobody reads it any more.
func tell(ctx context.Context, o Options, st *stage.Stage, d *desk, gone func()) error {
	s := &story{page: page{out: o.Out, gone: gone, bold: o.Bold, faint: o.Faint, blocks: o.Blocks}, begun: time.Now()}
	s.say("%s", s.bold("redkeep demo: three hosts on this machine, each with a Redis and an agent"))
	var err error
	if s.site, err = open(ctx, st, o.Program); err != nil {
		return err
	}
	if err := s.introduce(ctx); err != nil {
		return err
	}
	if s.witnesses, err = s.watch(ctx, witnessing{name: "key", interval: time.Millisecond, local: 5 * time.Millisecond}); err != nil {
		return err
	}
	defer func() { s.witnesses.stop() }()
	for _, act := range []func(context.Context) error{s.kill, s.cut, s.switchover, s.summary} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	if o.Keep {
		return s.live(ctx, d, o.Name)
	}
	return nil
}
