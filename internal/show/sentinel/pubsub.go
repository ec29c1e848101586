package sentinel

import (
	"slices"

	"redkeep/internal/syntax"
)

const (
	// maxSubscriptions bounds the channels and patterns of one client, maxChannel the length of each.
	maxSubscriptions = 256
	maxChannel       = 256
	// allSubscriptions bounds those of all clients, since each message is held against all patterns before the next vote is given. Whoever
	// has no more than fewSubscriptions may enter some always.
	allSubscriptions = 1 << 16
	fewSubscriptions = 8
)

// Publish gives a message to all who have subscribed to its channel, as often as each has.
func (f *Face) Publish(channel, payload string) {
	if len(f.listeners) == 0 {
		return
	}
	m := message{channel: channel, payload: payload}
	for c := range f.listeners {
		if _, ok := c.channels[channel]; ok {
			c.push(m.plain(c.resp3))
		}
		for p := range c.patterns {
			if b := m.matched(p, c.resp3); b != nil {
				c.push(b)
			}
		}
	}
}

// message is one that is being published. It is encoded once for all who have subscribed to the same in the same protocol.
type message struct {
	channel, payload string
	plains           [2][]byte
	byPattern        map[string]*[2][]byte // nil for a pattern that does not match
}

// plain is the message for those who have subscribed to its channel.
func (m *message) plain(resp3 bool) []byte {
	b := &m.plains[protocol(resp3)-2]
	if *b == nil {
		r := reply{resp3: resp3}
		r.push(3)
		r.strings("message", m.channel, m.payload)
		*b = r.buf
	}
	return *b
}

// matched is the message for those who have subscribed to a pattern; nil where that does not cover its channel.
func (m *message) matched(pattern string, resp3 bool) []byte {
	if m.byPattern == nil {
		m.byPattern = map[string]*[2][]byte{}
	}
	both, known := m.byPattern[pattern]
	if !known {
		if syntax.Match(pattern, m.channel) {
			both = new([2][]byte)
		}
		m.byPattern[pattern] = both
	}
	if both == nil {
		return nil
	}
	b := &both[protocol(resp3)-2]
	if *b == nil {
		r := reply{resp3: resp3}
		r.push(4)
		r.strings("pmessage", pattern, m.channel, m.payload)
		*b = r.buf
	}
	return *b
}

// push sends what nobody asked for, behind the replies that the client has been given.
func (c *Client) push(b []byte) {
	switch {
	case c.leaving || c.gone:
	case c.batch == nil:
		c.send(b)
	default:
		r := &c.batch.reply
		c.unmuted(r, func() { r.buf = append(r.buf, b...) })
	}
}

// unmuted has something said that CLIENT REPLY does not hold back.
func (c *Client) unmuted(r *reply, say func()) {
	c.settle(r, c.batch.start)
	say()
	c.batch.start = len(r.buf)
}

func (c *Client) subscribe(names []string, r *reply) {
	if c.channels == nil {
		c.channels = map[string]struct{}{}
	}
	c.unmuted(r, func() { c.enter("subscribe", c.channels, names, r) })
}

func (c *Client) psubscribe(names []string, r *reply) {
	if c.patterns == nil {
		c.patterns = map[string]struct{}{}
	}
	c.unmuted(r, func() { c.enter("psubscribe", c.patterns, names, r) })
}

func (c *Client) unsubscribe(names []string, r *reply) {
	c.unmuted(r, func() { c.leave("unsubscribe", c.channels, names, r) })
}

func (c *Client) punsubscribe(names []string, r *reply) {
	c.unmuted(r, func() { c.leave("punsubscribe", c.patterns, names, r) })
}

// enter subscribes.
func (c *Client) enter(word string, set map[string]struct{}, names []string, r *reply) {
	for _, name := range names {
		if _, known := set[name]; !known {
			if problem := c.mayEnter(name); problem != "" {
				r.error(problem)
				c.face.counts.errors++
				continue
			}
		}
		set[name] = struct{}{}
		r.push(3)
		r.strings(word, name)
		r.integer(int64(c.subscriptions()))
	}
	c.recount()
}

// mayEnter returns the text of an error where a client can't subscribe to one more.
func (c *Client) mayEnter(name string) (problem string) {
	has := c.subscriptions()
	switch all := c.face.subscribed - c.counted + has; {
	case has >= maxSubscriptions || len(name) > maxChannel:
		return "ERR at most 256 channels and patterns of 256 bytes can be subscribed to"
	case has >= fewSubscriptions && all >= allSubscriptions:
		return "ERR all clients together have subscribed to too many channels and patterns"
	default:
		return ""
	}
}

// leave unsubscribes from the names, or from all where there are none.
func (c *Client) leave(word string, set map[string]struct{}, names []string, r *reply) {
	if len(names) == 0 {
		for name := range set {
			names = append(names, name)
		}
		slices.Sort(names)
	}
	for _, name := range names {
		delete(set, name)
		r.push(3)
		r.strings(word, name)
		r.integer(int64(c.subscriptions()))
	}
	if len(names) == 0 {
		r.push(3)
		r.bulk(word)
		r.null()
		r.integer(int64(c.subscriptions()))
	}
	c.recount()
}

// subscriptions returns how many channels and patterns the client listens to.
func (c *Client) subscriptions() int { return len(c.channels) + len(c.patterns) }

// recount keeps who listens, and to how much.
func (c *Client) recount() {
	f := c.face
	f.subscribed += c.subscriptions() - c.counted
	c.counted = c.subscriptions()
	_, listened := f.listeners[c]
	listens := c.subscriptions() > 0
	switch {
	case listens == listened:
		return
	case listens:
		f.listeners[c] = struct{}{}
	default:
		delete(f.listeners, c)
	}
	if !c.gone {
		c.peer.Listens(listens)
	}
	if n := len(f.listeners); n == 0 || n == 1 && listens {
		f.config.Listened(listens)
	}
}

// greetings is the channel on which Sentinels greet each other.
const greetings = "__sentinel__:hello"

// publish takes the greeting of another Sentinel. It says that one has heard it, whatever it was.
func (c *Client) publish(args []string, r *reply) {
	if args[0] != greetings {
		r.error("ERR Only HELLO messages are accepted by Sentinel instances.")
		return
	}
	c.face.source.Greeting(args[1])
	r.integer(1)
}
