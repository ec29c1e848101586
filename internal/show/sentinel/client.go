package sentinel

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"redkeep/internal/speak/acl"
	"redkeep/internal/speak/resp"
)

// Client is one conversation.
type Client struct {
	face *Face
	peer Peer
	id   int64

	// since is when it came, at when it last asked for something, last what that was.
	since, at time.Time
	last      *command
	name      string
	// libName and libVersion are what the client's library has said of itself.
	libName, libVersion string
	// user is who it is, and known whether it has said so, or came when nobody had to.
	user  *acl.User
	known bool

	channels, patterns map[string]struct{} // what was subscribed to; nil until something is
	counted            int                 // how many of them the face has counted
	// batch is what is being answered, nil outside of Receive.
	batch *batch
	// asked counts the requests that were given to the source, so that each is answered once.
	asked uint64
	mute  mute
	// resp3 is whether it has asked for RESP3, noEvict and tracks what CLIENT NO-EVICT and TRACKING have set.
	resp3, noEvict bool
	tracks         *tracking
	// waits says that the source has not answered yet, owed how mute the client was when it asked.
	waits bool
	owed  mute
	// paused says that its next request waits for the end of a pause.
	paused bool
	// leaving says that it is being closed, and gone that it is.
	leaving, gone bool
}

// mute is what CLIENT REPLY has left of the replies.
type mute uint8

const (
	muteNone mute = iota
	muteNext      // the reply to the next request is held back
	muteAll
)

const (
	// gathered is how many bytes of replies to pipelined requests are gathered before they are sent, at most.
	gathered = 16 << 10
	// enough is how many bytes of replies one call of Receive gives. Who has asked for more goes on when the transport finds that
	// the peer reads them.
	enough = 64 << 10
	// stint is for how long one call of Receive begins requests that take long: with CLIENT REPLY OFF there are no replies to be counted, and
	// thousands of requests in one piece. What other Sentinels ask waits no longer for one client.
	stint = 2 * time.Millisecond
)

// batch is the memory that answering needs for the moment. A Face has one, and another while one client's request has it
// answer another's.
type batch struct {
	reply reply
	words [][]byte
	// start is where the reply to the request begins that is being executed, sent how much of the batch has left.
	start, sent int
	// late says that the batch has taken its stint.
	late   bool
	last   memory
	repeat repeat
}

// Receive answers the requests that are whole in b, in their order, and returns how many bytes they took: the rest is to be
// handed over again with what comes behind it. It does less than that where a request waits for its answer.
func (c *Client) Receive(b []byte) (used int) {
	if c.gone || c.leaving {
		return len(b)
	}
	if c.waits {
		c.peer.Hold()
		return 0
	}
	if c.paused && c.face.stillPaused(c, len(b)) {
		return 0
	}
	work := c.face.begin()
	c.batch, c.at = work, time.Now()
	for used < len(b) && !c.waits && !c.leaving && !work.done() {
		n := c.repeated(b[used:], work)
		if n == 0 {
			n = c.answer(b[used:], work)
		}
		if n == 0 {
			break
		}
		used += n
		if len(work.reply.buf) > gathered {
			c.flush()
		}
	}
	c.flush()
	c.batch = nil
	c.pause(work, len(b)-used)
	c.face.end(work)
	c.face.counted(used, c.at)
	return used
}

// answer answers the first request in b, if it is whole, and returns how many bytes it took.
func (c *Client) answer(b []byte, work *batch) (used int) {
	if c.stranger() {
		if told := tooMuch(b); told != "" {
			c.misunderstood(told, &work.reply)
			return 0
		}
	}
	request, used, err := resp.ParseRequest(b, work.words, resp.ServerLimits)
	if err != nil {
		bad := (*resp.RequestError)(nil)
		errors.As(err, &bad) // it is of no other type
		c.misunderstood(bad.Text, &work.reply)
		return used
	}
	if len(request) == 0 {
		return used
	}
	work.words = request
	work.reply.resp3 = c.resp3
	if c.execute(request, &work.reply); c.paused {
		return 0
	}
	c.repeatable(b[:used], work)
	return used
}

// misunderstood ends a conversation whose next request can't be found.
func (c *Client) misunderstood(why string, r *reply) {
	if c.mute == muteNone {
		r.error("ERR Protocol error: " + why)
	}
	c.expel(true)
}

// pause has the transport come back later where that is for the best, with so many bytes that are left.
func (c *Client) pause(work *batch, left int) {
	switch {
	case c.gone:
	case c.leaving:
		c.peer.Close(true)
	case c.waits:
		c.peer.Hold()
	case c.paused:
		c.linger(left)
	case left > 0 && work.done():
		c.peer.Hold()
		c.peer.Resume()
	}
}

// done reports whether others are to have their turn.
func (b *batch) done() bool { return b.late || b.sent >= enough }

// begin takes the memory of a batch.
func (f *Face) begin() *batch {
	work := f.spare
	if work == nil {
		work = &batch{}
	}
	f.spare, work.sent, work.late, work.repeat = nil, 0, false, repeat{}
	return work
}

// end gives it back, unless it has grown too much.
func (f *Face) end(work *batch) {
	if cap(work.reply.buf) > 4*gathered {
		work.reply.buf = nil
	}
	if cap(work.words) > 64 {
		work.words = nil
	}
	f.spare = work
}

// flush sends what was answered in this batch.
func (c *Client) flush() {
	r := &c.batch.reply
	if len(r.buf) == 0 {
		return
	}
	c.batch.sent += len(r.buf)
	c.send(r.buf)
	r.buf, c.batch.repeat = r.buf[:0], repeat{}
}

// send gives the peer bytes, if it is still there.
func (c *Client) send(b []byte) {
	if c.gone {
		return
	}
	c.face.counts.writes++
	c.face.counts.out += int64(len(b))
	c.peer.Send(b)
}

// expel closes the connection: after its replies have been taken, if they are to be.
func (c *Client) expel(afterReplies bool) {
	switch {
	case c.leaving || c.gone:
	case c.batch != nil && afterReplies:
		c.leaving = true // Receive closes it
	default:
		c.leaving = true
		c.peer.Close(afterReplies)
	}
}

// Gone says that the connection has ended; nothing more is sent to it.
func (c *Client) Gone() {
	if c.gone {
		return
	}
	c.gone = true
	c.channels, c.patterns = nil, nil
	c.recount()
	c.untrack()
	delete(c.face.clients, c)
	delete(c.face.reserved, c)
	delete(c.face.pause.clients, c)
}

// execute answers one request. It is the one place that all requests go through.
func (c *Client) execute(request [][]byte, r *reply) {
	c.batch.start, c.owed = len(r.buf), c.mute
	if c.mute == muteNext {
		c.mute = muteNone
	}
	found, args, problem := c.face.dialect.resolve(request, &c.batch.last)
	c.last = found
	if found == nil && ofBrowser(request[0]) {
		c.expel(false)
		return
	}
	if problem == "" {
		problem = c.denied(found, request)
	}
	switch {
	case problem != "":
		r.error(problem)
	case !c.resp3 && !found.listening && c.subscriptions() > 0:
		r.error("ERR Can't execute '" + found.fullName() + "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context")
	case c.face.holdsBack(c, found):
		c.paused, c.mute = true, c.owed
		return
	default:
		if found.quick != nil {
			found.quick(c, args, r)
		} else {
			found.run(c, texts(args), r)
			c.batch.late = time.Since(c.at) > stint
		}
		c.face.counts.requests++ // as in Redis not what was rejected, and INFO not before it is told
	}
	c.cached(found)
	c.settle(r, c.batch.start)
}

// ofBrowser reports whether a line is one of HTTP, by the two that Redis looks for. A web page can have the browser of somebody who may
// reach this port send it a form, in which other lines are commands: so nothing behind such a line is looked at.
func ofBrowser(word []byte) bool {
	return bytes.EqualFold(word, []byte("post")) || bytes.EqualFold(word, []byte("host:"))
}

// settle counts an error, and takes the reply back where the client wants none.
func (c *Client) settle(r *reply, start int) {
	if len(r.buf) == start {
		return
	}
	if r.buf[start] == byte(resp.Error) {
		c.face.counts.errors++
	}
	if c.muted() {
		r.buf = r.buf[:start]
	}
}

// muted reports whether the client wants no reply to the request that is being executed.
func (c *Client) muted() bool { return c.owed == muteNext || c.owed == muteAll && c.mute == muteAll }

// awaits returns what a source is to answer a request with: tell then makes the reply, now or later. Until then the client's
// next request is not looked at.
func awaits[T any](c *Client, now *reply, tell func(*reply, T)) func(T) {
	c.asked++
	turn := c.asked
	c.waits = true
	batch := c.batch
	return func(answer T) {
		if !c.waits || c.asked != turn {
			return
		}
		c.waits = false
		if batch != nil && c.batch == batch {
			tell(now, answer)
			return
		}
		late := reply{resp3: c.resp3}
		tell(&late, answer)
		c.settle(&late, 0)
		if c.gone {
			return
		}
		if len(late.buf) > 0 {
			c.send(late.buf)
		}
		if c.leaving {
			c.peer.Close(true)
			return
		}
		c.peer.Resume()
	}
}

// texts are words as strings of their own.
func texts(words [][]byte) []string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = string(w)
	}
	return all
}

func wrongArity(c *command) string {
	return "ERR wrong number of arguments for '" + c.fullName() + "' command"
}

const (
	syntaxError = "ERR syntax error"
	notInteger  = "ERR value is not an integer or out of range"
)

// unknownCommand words the error with which clients find out what is not there.
func unknownCommand(request []string) string {
	const most = 128
	var args strings.Builder
	for _, a := range request[1:] {
		if args.Len() >= most {
			break
		}
		args.WriteString("'" + shown(a[:min(len(a), most-args.Len())]) + "' ")
	}
	return "ERR unknown command '" + short(request[0]) + "', with args beginning with: " + args.String()
}

// shown is a foreign word as errors show it: to where a text ends in C.
func shown(word string) string {
	word, _, _ = strings.Cut(word, "\x00")
	return word
}

// short is one of which no more than 128 bytes are.
func short(word string) string { return shown(word[:min(len(word), 128)]) }
