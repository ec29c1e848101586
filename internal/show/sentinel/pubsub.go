package sentinel

import (
	"context"
	"slices"
	"time"
)

const (
	// maxSubscriptions bounds the channels and patterns of one client, maxChannel the length of each.
	maxSubscriptions = 256
	maxChannel       = 256
)

// maxNews bounds the events that are not published yet: far more than the groups of a node.
const maxNews = 10_000

// queue appends events. Each counts, also one that takes back the last: somebody may have asked in between.
func queue(waiting []event, news ...event) []event {
	waiting = append(waiting, news...)
	return waiting[max(0, len(waiting)-maxNews):]
}

// lookEvery is how often pictures are compared while somebody listens. A switch does not wait for it.
const lookEvery = 100 * time.Millisecond

// publish tells the news to the subscribers, until ctx ends. It is a goroutine of its own, since the agent's loop has no
// time to go through ten thousand of them.
func (f *Face) publish(ctx context.Context) {
	timer := time.NewTimer(lookEvery)
	defer timer.Stop()
	timer.Stop()
	var last sight
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
		case <-timer.C:
		}
		f.known.Lock()
		news := f.news
		f.news = nil
		f.known.Unlock()
		for _, e := range news {
			f.deliver(e.channel, e.payload)
		}
		if !f.listened() {
			last = sight{} // who listens next is not told what was before
			continue
		}
		timer.Reset(lookEvery)
		var seen []event
		last, seen = f.compare(last)
		for _, e := range seen {
			f.deliver(e.channel, e.payload)
		}
	}
}

// listened reports whether somebody has subscribed to anything.
func (f *Face) listened() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.listeners > 0
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
	defer c.face.recount(c)
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
	defer c.face.recount(c)
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

// recount keeps the number of clients that listen. The face's lock is held.
func (f *Face) recount(c *client) {
	listens := len(c.channels)+len(c.patterns) > 0
	switch {
	case listens && !c.listens:
		f.listeners++
		f.nudge()
	case !listens && c.listens:
		f.listeners--
	}
	c.listens = listens
}

// nudge wakes the publisher.
func (f *Face) nudge() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// hello is the channel on which Sentinels greet each other.
const hello = "__sentinel__:hello"

// publish takes greetings of Sentinels, as one does that has no use for them: nodes of a group are those of its file.
func (c *client) publish(args []string, r *reply) {
	if args[0] != hello {
		r.error("ERR Only HELLO messages are accepted by Sentinel instances.")
		return
	}
	r.integer(1)
}
