package sentinel

import (
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"redkeep/internal/speak/resp"
)

// client is one connection. Its goroutine reads requests and answers them, by the outbox while it has subscribed to something.
type client struct {
	face  *Face
	id    int64
	conn  net.Conn
	out   *outbox
	since time.Time
	// resp3 is whether the client has asked for RESP3, mute how many replies CLIENT REPLY holds back, tracks CLIENT TRACKING.
	resp3  bool
	mute   mute
	tracks bool
	// leaving says that the client has killed itself: it still gets its reply.
	leaving bool
	// pushes is resp3 as of the last subscription; channels and patterns are what was subscribed to, listens whether there is any. The face's lock guards
	// the four, since its publisher reads them.
	pushes             bool
	channels, patterns map[string]struct{}
	listens            bool

	mu   sync.Mutex // guards seen, which CLIENT LIST of others reads
	seen seen
}

// seen is what CLIENT LIST tells of a connection.
type seen struct {
	name    string
	command string
	at      time.Time
	resp3   bool
	noEvict bool
}

// mute is what CLIENT REPLY has left of the replies.
type mute int

const (
	muteNone mute = iota
	muteNext      // the reply to the next request is held back
	muteAll
)

// gathered is how many bytes of replies to pipelined requests are gathered before they are written.
const gathered = 16 << 10

func newClient(f *Face, id int64, conn net.Conn) *client {
	now := time.Now()
	return &client{
		face: f, id: id, conn: conn, out: newOutbox(&f.waiting), since: now, seen: seen{at: now},
		channels: map[string]struct{}{}, patterns: map[string]struct{}{},
	}
}

// answer serves the client's requests, in their order, until it goes or has to.
func (c *client) answer() {
	reader := resp.NewReader(c.conn, resp.ServerLimits)
	var r reply
	for !c.leaving {
		if reader.Buffered() == 0 {
			if !c.flush(&r) {
				return
			}
			c.awaitRequest()
		}
		request, err := reader.ReadRequest()
		if bad := (*resp.RequestError)(nil); errors.As(err, &bad) {
			r.error("ERR Protocol error: " + bad.Text)
		}
		if err != nil {
			c.flush(&r)
			return
		}
		r.resp3 = c.resp3
		c.execute(request, &r)
		if len(r.buf) > gathered && !c.flush(&r) {
			return
		}
	}
	c.flush(&r)
}

// awaitRequest bounds the wait for the next request. Subscribers may be silent for ever: they are there to listen.
func (c *client) awaitRequest() {
	limit := time.Time{}
	if c.subscriptions() == 0 {
		limit = time.Now().Add(idleTime)
	}
	_ = c.conn.SetReadDeadline(limit)
}

// flush sends what was answered. It reports false, and closes the connection, where the client does not take it.
func (c *client) flush(r *reply) bool {
	if len(r.buf) == 0 {
		return true
	}
	ok := c.send(r.buf)
	r.buf = r.buf[:0]
	if cap(r.buf) > 4*gathered {
		r.buf = nil
	}
	if !ok {
		c.face.config.Log.Info("drop sentinel client", "addr", c.conn.RemoteAddr().String(), "error", "it has gone or reads too slowly")
		c.conn.Close()
	}
	return ok
}

// send writes to the connection itself where nobody else can: a client that has subscribed to nothing is written to by its own
// goroutine, which spares a switch to the writer's.
func (c *client) send(b []byte) bool {
	if c.subscriptions() > 0 || !c.out.idle() {
		return c.out.put(b)
	}
	_ = c.conn.SetWriteDeadline(time.Now().Add(writeTime))
	_, err := c.conn.Write(b)
	return err == nil
}

// execute answers one request.
func (c *client) execute(request []string, r *reply) {
	start, held := len(r.buf), c.mute
	if c.mute == muteNext {
		c.mute = muteNone
	}
	found, args, problem := resolve(request)
	c.note(found)
	switch {
	case problem != "":
		r.error(problem)
	case !listening(found) && !c.resp3 && c.subscriptions() > 0:
		r.error("ERR Can't execute '" + found.fullName() + "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context")
	default:
		found.run(c, args, r)
	}
	if len(r.buf) > start && r.buf[start] == byte(resp.Error) {
		c.face.errors.Add(1)
	}
	if len(r.buf) > start && (held == muteNext || held == muteAll && c.mute == muteAll) {
		r.buf = r.buf[:start]
	}
}

// resolve finds what a request asks for. args are the words after the names; problem is an error's text.
func resolve(request []string) (found command, args []string, problem string) {
	found, ok := table[strings.ToLower(request[0])]
	if !ok {
		return found, nil, unknownCommand(request)
	}
	if len(found.subs) > 0 && len(request) > 1 {
		of, ok := found.sub(request[1])
		if !ok {
			return found, nil, "ERR unknown subcommand '" + short(request[1]) + "'. Try " + strings.ToUpper(found.name) + " HELP."
		}
		found, args = of, request[2:]
	} else {
		args = request[1:]
	}
	if !found.takes(len(request)) {
		return found, nil, wrongArity(found)
	}
	return found, args, ""
}

// listening reports whether a RESP2 subscriber may send the command.
func listening(c command) bool {
	return c.name == "ping" || c.group == "pubsub" && c.name != "publish"
}

func wrongArity(c command) string {
	return "ERR wrong number of arguments for '" + c.fullName() + "' command"
}

// syntaxError is what clients compare with, and noSuchMaster too.
const (
	syntaxError  = "ERR syntax error"
	noSuchMaster = "ERR No such master with that name"
	notInteger   = "ERR value is not an integer or out of range"
)

// note remembers what was asked last.
func (c *client) note(of command) {
	c.face.requests.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen.command, c.seen.at = of.name, time.Now()
	if of.container != "" {
		c.seen.command = of.container + "|" + of.name
	}
}

// look returns what is known of the client.
func (c *client) look() seen {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}

// unknownCommand words the error with which clients find out what is not there.
func unknownCommand(request []string) string {
	const most = 128
	var args strings.Builder
	for _, a := range request[1:] {
		if args.Len() >= most {
			break
		}
		args.WriteString("'" + a[:min(len(a), most-args.Len())] + "' ")
	}
	return "ERR unknown command '" + short(request[0]) + "', with args beginning with: " + args.String()
}

// short keeps a foreign word in an error short.
func short(word string) string { return word[:min(len(word), 128)] }
