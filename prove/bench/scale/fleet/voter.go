package fleet

import (
	"net/netip"
	"strconv"
	"strings"

	"redkeep/internal/act/sockets"
	"redkeep/internal/speak/hello"
	"redkeep/internal/speak/resp"
	"redkeep/internal/words"
)

// voter is one of the other Sentinels.
type voter struct {
	fleet *fleet
	at    netip.AddrPort
	id    string
	epoch uint64
	// groups is what it holds of each.
	groups []opinion
	// subject is its connection to the one who is measured; nil while there is none.
	subject *sockets.Conn
	tried   words.Instant
	pinged  words.Instant
	// next is the group whose greeting is the next, of Servers to the servers' channels and of one to the subject.
	next int
	line []byte
}

// opinion is what a voter holds of a group.
type opinion struct {
	master netip.AddrPort
	epoch  uint64
	leader string
	term   uint64
}

// listen has the voter asked.
func (v *voter) listen() error {
	_, err := v.fleet.loop.Listen(v.at, 16, nil, func(c *sockets.Conn) sockets.Handler { return caller{v, c} })
	return err
}

// caller is a connection to a voter.
type caller struct {
	*voter
	conn *sockets.Conn
}

// Opened and Closed have nothing to do.
func (c caller) Opened(*sockets.Conn)        { /* callers speak first */ }
func (c caller) Closed(*sockets.Conn, error) { /* nothing is kept of it */ }

// Received answers what came.
func (c caller) Received(_ *sockets.Conn, b []byte) int {
	return converse(c.conn, b, &c.fleet.out, c.answer)
}

func (c caller) answer(out []byte, request [][]byte) []byte {
	switch strings.ToUpper(string(request[0])) {
	case "PING":
		return append(out, "+PONG\r\n"...)
	case "PUBLISH":
		c.fleet.overhear(request[len(request)-1])
		return append(out, ":1\r\n"...)
	case "SENTINEL":
		if len(request) == 6 {
			return c.vote(out, request)
		}
	}
	return append(out, "+OK\r\n"...)
}

// vote answers whether a master is down, and gives the vote that is asked for.
func (v *voter) vote(out []byte, request [][]byte) []byte {
	port, _ := strconv.Atoi(string(request[3]))
	group := port - FirstPort
	epoch, _ := strconv.ParseUint(string(request[4]), 10, 64)
	if group < 0 || group >= len(v.groups) {
		return append(out, "*3\r\n:0\r\n$1\r\n*\r\n:0\r\n"...)
	}
	down, o, leader := int64(0), &v.groups[group], "*"
	if v.fleet.down(o.master) {
		down = 1
	}
	term := uint64(0)
	if id := string(request[5]); id != "*" {
		v.epoch = max(v.epoch, epoch)
		if o.term < epoch && v.epoch <= epoch {
			o.leader, o.term = id, epoch
		}
		leader, term = o.leader, o.term
	}
	out = resp.AppendInt(resp.AppendArray(out, 3), down)
	return resp.AppendInt(resp.AppendBulk(out, leader), int64(term))
}

// greet says the next greetings, as many as are due in the time since the last call.
func (v *voter) greet(groups int) {
	v.dial()
	v.line = v.line[:0]
	for range groups {
		group := v.next
		v.next = (v.next + 1) % len(v.groups)
		o := &v.groups[group]
		said := hello.Hello{
			Host: v.at.Addr().String(), Port: Port, ID: v.id, CurrentEpoch: v.epoch,
			Group: v.fleet.plan.Name(group), MasterHost: o.master.Addr().String(), MasterPort: int(o.master.Port()), ConfigEpoch: o.epoch,
		}
		v.fleet.said = said.Append(v.fleet.said[:0])
		for i := range Servers {
			v.fleet.servers[group*Servers+i].publish(v.fleet.said)
		}
		v.line = resp.AppendBulkBytes(resp.AppendBulk(resp.AppendBulk(resp.AppendArray(v.line, 3), "PUBLISH"), hello.Channel), v.fleet.said)
	}
	if v.subject == nil {
		return
	}
	if now := v.fleet.loop.Now(); now.Sub(v.pinged) >= pingPeriod {
		v.pinged = now
		v.line = resp.AppendCommand(v.line, "PING")
	}
	v.subject.Write(v.line)
}

// dial connects to the one who is measured, once in a second while there is no connection.
func (v *voter) dial() {
	now := v.fleet.loop.Now()
	if v.subject != nil || now.Sub(v.tried) < pingPeriod {
		return
	}
	v.tried = now
	v.subject = v.fleet.loop.Dial(Subject, sockets.Options{Local: v.at.Addr(), Timeout: pingPeriod}, toSubject{v})
}

// toSubject is the connection to the one who is measured, whose answers nobody reads.
type toSubject struct{ *voter }

// Opened has nothing to do.
func (t toSubject) Opened(*sockets.Conn) { /* the next greeting goes by it */ }

// Received drops the answers.
func (t toSubject) Received(_ *sockets.Conn, b []byte) int { return len(b) }

// Closed has it made again.
func (t toSubject) Closed(*sockets.Conn, error) { t.subject = nil }
