package fleet

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"redkeep/internal/act/sockets"
	"redkeep/internal/speak/hello"
	"redkeep/internal/speak/resp"
)

// session is one connection of a Sentinel to a server.
type session struct {
	server *server
	conn   *sockets.Conn
	// queued are the replies of a transaction that is being given, orders what it does at its end.
	multi  bool
	queued []byte
	count  int
	orders []func()
}

// Opened has nothing to do.
func (s *session) Opened(*sockets.Conn) { /* clients speak first */ }

// Closed forgets it.
func (s *session) Closed(*sockets.Conn, error) {
	gone := func(other *session) bool { return other == s }
	s.server.sessions = slices.DeleteFunc(s.server.sessions, gone)
	s.server.listeners = slices.DeleteFunc(s.server.listeners, gone)
}

// Received answers what came.
func (s *session) Received(_ *sockets.Conn, b []byte) int {
	if s.server.lost {
		return len(b)
	}
	return converse(s.conn, b, &s.server.fleet.out, s.answer)
}

// converse answers the requests in b by one write.
func converse(c *sockets.Conn, b []byte, out *[]byte, answer func(out []byte, request [][]byte) []byte) (used int) {
	var room [16][]byte
	reply := (*out)[:0]
	for used < len(b) {
		request, n, err := resp.ParseRequest(b[used:], room[:0], resp.Limits{})
		if err != nil {
			c.Abort()
			return len(b)
		}
		used += n
		if len(request) == 0 {
			break
		}
		reply = answer(reply, request)
	}
	c.Write(reply)
	*out = reply
	return used
}

// answer does one request, or has it wait for the end of its transaction.
func (s *session) answer(out []byte, request [][]byte) []byte {
	name := strings.ToUpper(string(request[0]))
	switch {
	case name == "MULTI":
		s.multi, s.queued, s.count, s.orders = true, nil, 0, nil
		return append(out, "+OK\r\n"...)
	case name == "EXEC":
		s.multi = false
		out = append(resp.AppendArray(out, s.count), s.queued...)
		for _, do := range s.orders {
			do()
		}
		return out
	case s.multi:
		s.queued = s.execute(s.queued, name, request)
		s.count++
		return append(out, "+QUEUED\r\n"...)
	}
	return s.execute(out, name, request)
}

func (s *session) execute(out []byte, name string, request [][]byte) []byte {
	switch name {
	case "PING":
		return append(out, "+PONG\r\n"...)
	case "INFO":
		return s.server.appendInfo(out)
	case "PUBLISH":
		s.server.fleet.overhear(request[len(request)-1])
		return resp.AppendInt(out, int64(s.server.publish(request[len(request)-1])))
	case "SUBSCRIBE":
		s.server.listeners = append(s.server.listeners, s)
		return resp.AppendInt(resp.AppendBulk(resp.AppendBulk(resp.AppendArray(out, 3), "subscribe"), hello.Channel), 1)
	case "SLAVEOF":
		s.follow(string(request[1]), string(request[2]))
	case "CLIENT":
		if strings.EqualFold(string(request[1]), "KILL") {
			s.kill(string(request[3]))
			return append(out, ":1\r\n"...)
		}
	}
	return append(out, "+OK\r\n"...)
}

// follow changes the server's role at the transaction's end.
func (s *session) follow(host, port string) {
	var master netip.AddrPort
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		if ip, err := netip.ParseAddr(host); err == nil {
			master = netip.AddrPortFrom(ip, uint16(n))
		}
	}
	s.orders = append(s.orders, func() { s.server.master = master })
}

// kill drops the others: those who listen, or those who do not.
func (s *session) kill(kind string) {
	s.orders = append(s.orders, func() {
		for _, other := range s.server.sessions {
			if other != s && slices.Contains(s.server.listeners, other) == (kind == "pubsub") {
				other.conn.Abort()
			}
		}
	})
}
