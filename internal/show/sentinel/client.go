package sentinel

import (
	"errors"
	"net"
	"strings"
	"time"

	"redkeep/internal/speak/resp"
)

// client is one connection. Its goroutine reads requests and puts the replies into the outbox.
type client struct {
	face *Face
	id   int64
	conn net.Conn
	out  *outbox
	// name is what the client calls itself, resp3 whether it has asked for RESP3.
	name  string
	resp3 bool
	// pushes is resp3 as of the last subscription; channels and patterns are what was subscribed to. The face's lock guards
	// the three, since its publisher reads them.
	pushes             bool
	channels, patterns map[string]struct{}
}

func newClient(f *Face, id int64, conn net.Conn) *client {
	return &client{face: f, id: id, conn: conn, out: newOutbox(), channels: map[string]struct{}{}, patterns: map[string]struct{}{}}
}

// answer serves the client's requests, in their order, until it goes or has to.
func (c *client) answer() {
	reader := resp.NewReader(c.conn, resp.ServerLimits)
	for {
		// Subscribers may be silent for ever: they are there to listen.
		limit := time.Time{}
		if c.subscriptions() == 0 {
			limit = time.Now().Add(idleTime)
		}
		_ = c.conn.SetReadDeadline(limit)
		request, err := reader.ReadRequest()
		if errors.Is(err, resp.ErrMalformed) || errors.Is(err, resp.ErrTooLarge) {
			c.out.put(resp.AppendError(nil, "ERR Protocol error: "+err.Error()))
		}
		if err != nil {
			return
		}
		r := reply{resp3: c.resp3}
		c.execute(request, &r)
		if !c.out.put(r.buf) {
			c.face.config.Log.Warn("drop sentinel client", "addr", c.conn.RemoteAddr().String(), "error", "it reads too slowly")
			c.conn.Close()
			return
		}
	}
}

// command is one that the face knows. run gets the words after its name.
type command struct {
	// least and most bound the number of those words; most is -1 where there is no bound.
	least, most int
	run         func(*client, []string, *reply)
	// listening says that a RESP2 subscriber may send it.
	listening bool
}

// commands are those of redis-sentinel that a client which looks for a master uses, by their names in lower case.
var commands = map[string]command{
	"auth":         {1, 2, (*client).auth, false},
	"client":       {1, -1, (*client).client, false},
	"command":      {0, -1, (*client).command, false},
	"hello":        {0, -1, (*client).hello, false},
	"info":         {0, -1, (*client).info, false},
	"ping":         {0, 1, (*client).ping, true},
	"psubscribe":   {1, -1, (*client).psubscribe, true},
	"punsubscribe": {0, -1, (*client).punsubscribe, true},
	"role":         {0, 0, (*client).role, false},
	"sentinel":     {1, -1, (*client).sentinel, false},
	"subscribe":    {1, -1, (*client).subscribe, true},
	"unsubscribe":  {0, -1, (*client).unsubscribe, true},
}

// commandNames is what COMMAND LIST tells: the names above.
var commandNames = []string{
	"auth", "client", "command", "hello", "info", "ping", "psubscribe", "punsubscribe", "role", "sentinel", "subscribe", "unsubscribe",
}

// execute answers one request.
func (c *client) execute(request []string, r *reply) {
	name := strings.ToLower(request[0])
	known, ok := commands[name]
	args := request[1:]
	switch {
	case !ok:
		r.error(unknownCommand(request))
	case len(args) < known.least || known.most >= 0 && len(args) > known.most:
		r.error("ERR wrong number of arguments for '" + name + "' command")
	case !known.listening && !c.resp3 && c.subscriptions() > 0:
		r.error("ERR Can't execute '" + name + "': a subscriber may only PING, (P)SUBSCRIBE and (P)UNSUBSCRIBE here")
	default:
		known.run(c, args, r)
	}
}

// unknownCommand words the error with which clients find out what is not there.
func unknownCommand(request []string) string {
	const most = 128
	clip := func(s string) string { return s[:min(len(s), most)] }
	var args strings.Builder
	for _, a := range request[1:] {
		if args.Len() >= most {
			break
		}
		args.WriteString("'" + clip(a) + "' ")
	}
	return "ERR unknown command '" + clip(request[0]) + "', with args beginning with: " + args.String()
}
