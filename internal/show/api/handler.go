package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// DefaultLimit is how long a request that changes something is waited for.
const DefaultLimit = 2 * time.Minute

// Answer is what the agent's loop says to a posted request: progress any number of times, then one final answer.
type Answer struct {
	Final bool
	// Text is the line of progress, or what a final answer says besides success.
	Text string
	// Error is why it did not go well, on a final answer.
	Error *Error
}

// Config is what a Handler stands on.
type Config struct {
	// Picture returns the newest picture; it must not block.
	Picture func() picture.Node
	// Post hands a request of a checked group to the agent's loop. The answers come through the channel, which has room
	// for them or drops progress: the loop never waits for a reader. The channel may be closed after the final answer.
	// ctx ends when the asker has gone; what has begun goes on without him.
	Post func(ctx context.Context, r Request) (<-chan Answer, error)
	// History reads what a group's store remembers, oldest first; it may take as long as a disk does. Without it, the picture's
	// own memory is told, which begins with the agent's start.
	History func(words.Group) ([]picture.Noted, error)
	// Definition returns what this agent's file says of a group, one labelled line for each value. It must not block.
	Definition func(words.Group) []string
	// Limit replaces DefaultLimit if it is not zero.
	Limit time.Duration
}

// Handler answers requests.
type Handler struct{ config Config }

// New returns a Handler.
func New(c Config) *Handler {
	if c.Limit == 0 {
		c.Limit = DefaultLimit
	}
	return &Handler{config: c}
}

// Ask answers one request through reply, part by part. Its error is only ever that of a reply which could not be
// delivered; what is wrong with the request is told to the asker. Its signature is that of act/peer's OnAsk, whose second
// argument, the asker's name, is vouched for by nothing but the secret and so decides nothing.
func (h *Handler) Ask(ctx context.Context, _ string, request []byte, reply func(part []byte) error) error {
	send := func(p Part) error {
		b, err := marshalPart(p)
		if err != nil {
			return err
		}
		return reply(b)
	}
	r, bad := parseRequest(request)
	if bad != nil {
		return send(Part{Error: bad})
	}
	if r.Verb == Status {
		return h.status(send)
	}
	group, bad := h.group(r.Group)
	if bad != nil {
		return send(Part{Error: bad})
	}
	r.Group = group.Name
	switch r.Verb {
	case History:
		return h.history(group, r, send)
	case Definition:
		return h.definition(group, r, send)
	}
	if bad := checkNode(group, r.Node); bad != nil {
		return send(Part{Error: bad})
	}
	return h.change(ctx, r, send)
}

// status sends the picture, one part for each group.
func (h *Handler) status(send func(Part) error) error {
	n := h.config.Picture()
	head := fromNode(n)
	if err := send(Part{Node: &head}); err != nil {
		return err
	}
	for _, g := range n.Groups {
		s := fromGroup(g)
		if err := send(Part{Group: &s}); err != nil {
			return err
		}
	}
	return send(Part{Done: &Done{}})
}

// history sends what the group remembers, oldest first.
func (h *Handler) history(g picture.Group, r Request, send func(Part) error) error {
	entries := g.Recent
	if h.config.History != nil {
		var err error
		if entries, err = h.config.History(g.Name); err != nil {
			return send(Part{Error: asError(err)})
		}
	}
	if oldest := time.Duration(r.SinceMS) * time.Millisecond; oldest > 0 {
		entries = slices.DeleteFunc(slices.Clone(entries), func(n picture.Noted) bool { return n.Ago > oldest })
	}
	if r.Last > 0 {
		entries = entries[max(0, len(entries)-r.Last):]
	}
	for _, n := range entries {
		e := fromNoted(n)
		if err := send(Part{Noted: &e}); err != nil {
			return err
		}
	}
	return send(Part{Done: &Done{}})
}

// definition sends what this agent's own file says. What another's says, that one's agent is asked, to which this one passes the
// request on if it can.
func (h *Handler) definition(g picture.Group, r Request, send func(Part) error) error {
	if r.Node != "" && r.Node != g.Self {
		return send(Part{Error: &Error{Unreachable, fmt.Sprintf("the agent of %s can't be asked from %s", r.Node, g.Self)}})
	}
	if h.config.Definition == nil {
		return send(Part{Error: &Error{Failed, "the agent does not say what its file says"}})
	}
	for _, line := range h.config.Definition(g.Name) {
		if err := send(Part{Definition: line}); err != nil {
			return err
		}
	}
	return send(Part{Done: &Done{}})
}

// group finds the group that is meant: the named one, or the only one.
func (h *Handler) group(name words.Group) (picture.Group, *Error) {
	n := h.config.Picture()
	if name == "" && len(n.Groups) == 1 {
		return n.Groups[0], nil
	}
	if g, ok := n.Group(name); ok {
		return g, nil
	}
	names := make([]string, len(n.Groups))
	for i, g := range n.Groups {
		names[i] = string(g.Name)
	}
	if name == "" {
		return picture.Group{}, &Error{Usage, fmt.Sprintf("%s has %d groups; name the one that is meant: %s", n.Node, len(names), strings.Join(names, ", "))}
	}
	return picture.Group{}, &Error{Usage, fmt.Sprintf("%s has no group %q; name one of: %s", n.Node, name, strings.Join(names, ", "))}
}

// checkNode refuses a node that can't be a master, before anything is started.
func checkNode(g picture.Group, n words.Node) *Error {
	if n == "" {
		return nil
	}
	if m, ok := g.Member(n); ok && m.Data {
		return nil
	}
	var data []string
	for _, m := range g.Members {
		if m.Data {
			data = append(data, string(m.Node))
		}
	}
	return &Error{Usage, fmt.Sprintf("%s has no server of group %s; name one of: %s", n, g.Name, strings.Join(data, ", "))}
}

// change posts the request and passes its answers on, for the limit's time at most.
func (h *Handler) change(ctx context.Context, r Request, send func(Part) error) error {
	ctx, cancel := context.WithTimeout(ctx, h.config.Limit)
	defer cancel()
	answers, err := h.config.Post(ctx, r)
	if err != nil {
		return send(Part{Error: asError(err)})
	}
	for {
		select {
		case <-ctx.Done():
			return send(Part{Error: &Error{Timeout, fmt.Sprintf(
				"%s of %s has not ended within %v and may still happen; look with: redkeep status", r.Verb, r.Group, h.config.Limit)}})
		case a, open := <-answers:
			if !open {
				return send(Part{Error: &Error{Failed, "the agent is stopping; ask another node: redkeep status --addr HOST:PORT"}})
			}
			if err := send(part(a)); err != nil || a.Final {
				return err
			}
		}
	}
}

// part is how an answer travels.
func part(a Answer) Part {
	switch {
	case !a.Final:
		return Part{Progress: a.Text}
	case a.Error != nil:
		return Part{Error: a.Error}
	default:
		return Part{Done: &Done{Text: a.Text}}
	}
}

// asError keeps a fault, and makes any other error a failure.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Failed, err.Error()}
}
