package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/show/api"
	"redkeep/internal/words"
)

// Asker sends a request to an agent and calls each for every part of its answer; a part is valid until each returns. An
// error from each ends the exchange and is returned.
type Asker interface {
	Stream(ctx context.Context, request []byte, each func(part []byte) error) error
}

// Client asks one agent. Its errors are *api.Error, whose fault says what kind it is.
type Client struct{ asker Asker }

// New returns a Client over a connection that is open and proven.
func New(a Asker) *Client { return &Client{asker: a} }

// Status returns what the agent sees.
func (c *Client) Status(ctx context.Context) (picture.Node, error) {
	var node api.NodeStatus
	err := c.ask(ctx, api.Request{Verb: api.Status}, func(p api.Part) {
		if p.Node != nil {
			node = *p.Node
		}
		if p.Group != nil {
			node.Groups = append(node.Groups, *p.Group)
		}
	})
	if err != nil {
		return picture.Node{}, err
	}
	return node.Picture(), nil
}

// History returns what the group's store remembers, oldest first: the last entries, or all of them where last is 0, of an age
// up to since, or of any where that is 0. An empty group is the agent's only one, here and in the methods below.
func (c *Client) History(ctx context.Context, g words.Group, last int, since time.Duration) ([]picture.Noted, error) {
	var out []picture.Noted
	err := c.ask(ctx, api.Request{Verb: api.History, Group: g, Last: last, SinceMS: since.Milliseconds()}, func(p api.Part) {
		if p.Noted != nil {
			out = append(out, p.Noted.Picture())
		}
	})
	return out, err
}

// Definition returns what a node's file says of a group, line by line; that of the asked agent itself where of is empty.
func (c *Client) Definition(ctx context.Context, g words.Group, of words.Node) ([]string, error) {
	var lines []string
	err := c.ask(ctx, api.Request{Verb: api.Definition, Group: g, Node: of}, func(p api.Part) {
		if p.Definition != "" {
			lines = append(lines, p.Definition)
		}
	})
	return lines, err
}

// Switchover moves the master to a node, or to the best one where to is empty. It returns when that is done or called
// off; progress gets each line meanwhile, and the last one.
func (c *Client) Switchover(ctx context.Context, g words.Group, to words.Node, progress func(string)) error {
	return c.change(ctx, api.Request{Verb: api.Switchover, Group: g, Node: to}, progress)
}

// Bootstrap makes the node's server the first master of a group that can't choose by itself.
func (c *Client) Bootstrap(ctx context.Context, g words.Group, master words.Node, acceptLoss bool, progress func(string)) error {
	return c.change(ctx, api.Request{Verb: api.Bootstrap, Group: g, Node: master, AcceptLoss: acceptLoss}, progress)
}

// Recover makes the asked node the group's only voter.
func (c *Client) Recover(ctx context.Context, g words.Group, acceptLoss bool, progress func(string)) error {
	return c.change(ctx, api.Request{Verb: api.Recover, Group: g, AcceptLoss: acceptLoss}, progress)
}

// Leave takes Redkeep away from the group, on all nodes.
func (c *Client) Leave(ctx context.Context, g words.Group, progress func(string)) error {
	return c.change(ctx, api.Request{Verb: api.Leave, Group: g}, progress)
}

// Pause has nobody elected unasked, for a while and with a reason that may be empty.
func (c *Client) Pause(ctx context.Context, g words.Group, length time.Duration, text string) error {
	return c.change(ctx, api.Request{Verb: api.Pause, Group: g, ForMS: length.Milliseconds(), Text: text}, func(string) {})
}

// Resume ends a pause.
func (c *Client) Resume(ctx context.Context, g words.Group) error {
	return c.change(ctx, api.Request{Verb: api.Resume, Group: g}, func(string) {})
}

// change asks for something that may report progress.
func (c *Client) change(ctx context.Context, r api.Request, progress func(string)) error {
	return c.ask(ctx, r, func(p api.Part) {
		if p.Progress != "" {
			progress(p.Progress)
		}
		if p.Done != nil && p.Done.Text != "" {
			progress(p.Done.Text)
		}
	})
}

// ask sends the request and hands on each part, until the last one.
func (c *Client) ask(ctx context.Context, r api.Request, each func(api.Part)) error {
	request, err := api.MarshalRequest(r)
	if err != nil {
		return err
	}
	ended := false
	var refusal *api.Error
	err = c.asker.Stream(ctx, request, func(b []byte) error {
		p, err := api.ParsePart(b)
		if err != nil {
			return err
		}
		ended = ended || p.Done != nil || p.Error != nil
		if refusal = p.Error; refusal == nil {
			each(p)
		}
		return nil
	})
	switch {
	case refusal != nil:
		return refusal
	case err != nil:
		return fault(r, err)
	case !ended:
		return &api.Error{Fault: api.Unreachable, Text: fmt.Sprintf("%s: the agent's answer has no end; look with: redkeep status", r.Verb)}
	}
	return nil
}

// fault gives an error of the way there its kind.
func fault(r api.Request, err error) error {
	var known *api.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, context.DeadlineExceeded):
		return &api.Error{Fault: api.Timeout, Text: fmt.Sprintf("%s: no answer in time; what was asked for may still happen, look with: redkeep status", r.Verb)}
	default:
		return &api.Error{Fault: api.Unreachable, Text: fmt.Sprintf("%s: %v", r.Verb, err)}
	}
}
