package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/signal"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"redkeep/internal/act/peer"
	"redkeep/internal/client"
	"redkeep/internal/picture"
	"redkeep/internal/show/api"
	"redkeep/internal/show/table"
)

// watching is how `redkeep status --watch` is to look.
type watching struct {
	group  string
	output format
	every  time.Duration
}

const (
	// The bounds of --interval.
	watchLeast, watchMost = 100 * time.Millisecond, time.Hour
	// watchLimit is how long one look may take: an agent that does not answer is news, and is to be seen soon.
	watchLimit = 2 * time.Second
)

// watch shows an agent's status until the person ends it. An agent that is lost is shown as such, and asked again.
func watch(cmd *cobra.Command, s streams, flags *reachFlags, w watching) error {
	if w.every < watchLeast || w.every > watchMost {
		return withCode(exitUsage, fmt.Errorf("--interval %v: choose from %v to %v", w.every, watchLeast, watchMost))
	}
	d, err := flags.door(cmd)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	look := &lookout{door: d, group: w.group}
	defer look.close()
	out := openScreen(s.out, w.output == formatText && terminal(s.out))
	defer out.close()
	pace := time.NewTicker(w.every)
	defer pace.Stop()
	for {
		n, err := look.look(ctx)
		if ctx.Err() != nil {
			return nil // ended by the person
		}
		if c, _ := codeOf(err); err != nil && c == exitUsage {
			return err // a group that there is not, or another secret: to wait is of no use
		}
		if err := out.show(w.frame(n, err, look.since, table.Style{Colour: coloured(s.out)})); err != nil {
			return err
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// lookout is a lasting way to an agent.
type lookout struct {
	door  door
	group string
	conn  *peer.Conn
	// since is since when the agent has not been heard; the zero time while it is.
	since time.Time
	files comparison
}

// look asks once. A connection that has ended is made anew at once: the agent may only have been restarted.
func (l *lookout) look(ctx context.Context) (picture.Node, error) {
	ctx, cancel := context.WithTimeout(ctx, watchLimit)
	defer cancel()
	lasting := l.conn != nil
	n, err := l.ask(ctx)
	if err != nil && lasting && ctx.Err() == nil {
		n, err = l.ask(ctx)
	}
	switch {
	case err == nil:
		l.since = time.Time{}
		return only(n, l.group)
	case l.since.IsZero():
		l.since = time.Now()
	}
	return n, err
}

func (l *lookout) ask(ctx context.Context) (n picture.Node, err error) {
	if l.conn == nil {
		if l.conn, err = l.door.dial(ctx); err != nil {
			l.conn = nil
			return n, err
		}
	}
	c := client.New(l.conn)
	if n, err = c.Status(ctx); err != nil {
		l.close()
		return n, withCode(exitNoAgent, err)
	}
	l.files.fill(ctx, c, &n)
	return n, nil
}

func (l *lookout) close() {
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}

// frame is one look as it is shown. What was seen before is not shown once the agent is lost: it may be wrong by now.
func (w watching) frame(n picture.Node, lost error, since time.Time, style table.Style) []byte {
	var b bytes.Buffer
	if w.output == formatJSON {
		return w.document(n, lost)
	}
	now := time.Now()
	fmt.Fprintf(&b, "%s  every %v, Ctrl-C ends it\n", now.Format(time.TimeOnly), w.every)
	if lost != nil {
		_ = table.Lost(&b, lost, now.Sub(since), style)
		return b.Bytes()
	}
	_ = table.Status(&b, n, style) // A buffer takes all that is written.
	return b.Bytes()
}

// document is one look as one line of JSON; an error has the form that it has among the agents.
func (w watching) document(n picture.Node, lost error) []byte {
	var v any = api.FromPicture(n)
	if lost != nil {
		v = api.Part{Version: api.Version, Error: &api.Error{Fault: api.Unreachable, Text: lost.Error()}}
	}
	line, err := json.Marshal(v)
	if err != nil {
		return []byte(err.Error())
	}
	return line
}
