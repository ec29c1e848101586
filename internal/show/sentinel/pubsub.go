package sentinel

import (
	"context"
	"net/netip"
	"path"
	"slices"
	"strings"

	"redkeep/internal/words"
)

const (
	// maxSubscriptions bounds the channels and patterns of one client, maxChannel the length of each.
	maxSubscriptions = 256
	maxChannel       = 256
)

const switchMaster = "+switch-master"

// event is a switch that subscribers are to be told of.
type event struct {
	group    words.Group
	from, to netip.AddrPort
}

// maxNews bounds the events that are not published yet: far more than the groups of a node.
const maxNews = 10_000

// queue appends an event. Each counts, also one that takes back the last: somebody may have asked in between.
func queue(waiting []event, e event) []event {
	if len(waiting) >= maxNews {
		waiting = waiting[1:]
	}
	return append(waiting, e)
}

// payload is what clients of Sentinel parse.
func (e event) payload() string {
	return strings.Join([]string{
		string(e.group), e.from.Addr().String(), itoa(e.from.Port()), e.to.Addr().String(), itoa(e.to.Port()),
	}, " ")
}

// publish tells the news to the subscribers, until ctx ends. It is a goroutine of its own, since the agent's loop has no
// time to go through ten thousand of them.
func (f *Face) publish(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
		}
		f.known.Lock()
		news := f.news
		f.news = nil
		f.known.Unlock()
		for _, e := range news {
			f.deliver(switchMaster, e.payload())
		}
	}
}

// deliver gives a message to all who have subscribed to its channel.
func (f *Face) deliver(channel, payload string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.clients {
		c.deliver(channel, payload)
	}
}

// deliver gives a message to the client as often as it has subscribed to it. The face's lock is held.
func (c *client) deliver(channel, payload string) {
	r := reply{resp3: c.pushes}
	if _, ok := c.channels[channel]; ok {
		r.push(3)
		r.strings("message", channel, payload)
	}
	for p := range c.patterns {
		if matches(p, channel) {
			r.push(4)
			r.strings("pmessage", p, channel, payload)
		}
	}
	if len(r.buf) > 0 && !c.out.put(r.buf) {
		c.conn.Close()
	}
}

// matches reports whether a pattern of PSUBSCRIBE covers the channel. Redis' patterns are those of path.Match as far as
// names have no slash, and none of ours has.
func matches(pattern, channel string) bool {
	ok, err := path.Match(pattern, channel)
	return ok && err == nil
}

func (c *client) subscribe(names []string, r *reply)  { c.enter("subscribe", c.channels, names, r) }
func (c *client) psubscribe(names []string, r *reply) { c.enter("psubscribe", c.patterns, names, r) }

func (c *client) unsubscribe(names []string, r *reply) { c.leave("unsubscribe", c.channels, names, r) }
func (c *client) punsubscribe(names []string, r *reply) {
	c.leave("punsubscribe", c.patterns, names, r)
}

// enter subscribes. The confirmation is in the outbox before a message can be.
func (c *client) enter(word string, set map[string]struct{}, names []string, r *reply) {
	c.face.mu.Lock()
	defer c.face.mu.Unlock()
	c.pushes = c.resp3
	for _, name := range names {
		if _, known := set[name]; !known && (len(c.channels)+len(c.patterns) >= maxSubscriptions || len(name) > maxChannel) {
			r.error("ERR at most 256 channels and patterns of 256 bytes can be subscribed to")
			continue
		}
		set[name] = struct{}{}
		r.push(3)
		r.strings(word, name)
		r.integer(int64(len(c.channels) + len(c.patterns)))
	}
	c.out.put(r.buf)
	r.buf = nil
}

// leave unsubscribes from the names, or from all where there are none.
func (c *client) leave(word string, set map[string]struct{}, names []string, r *reply) {
	c.face.mu.Lock()
	defer c.face.mu.Unlock()
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
		r.integer(int64(len(c.channels) + len(c.patterns)))
	}
	if len(names) == 0 {
		r.push(3)
		r.bulk(word)
		r.null()
		r.integer(int64(len(c.channels) + len(c.patterns)))
	}
}

// subscriptions returns how many channels and patterns the client listens to.
func (c *client) subscriptions() int {
	c.face.mu.Lock()
	defer c.face.mu.Unlock()
	return len(c.channels) + len(c.patterns)
}
