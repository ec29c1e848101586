package sentinel

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"redkeep/internal/act/sockets"
	core "redkeep/internal/decide/sentinel"
	"redkeep/internal/speak/hello"
	"redkeep/internal/speak/info"
	"redkeep/internal/speak/resp"
)

const (
	// dialTime bounds the making of a connection; the machine gives up earlier where its periods say so.
	dialTime = 30 * time.Second
	// lookupTime bounds a lookup of a name.
	lookupTime = 5 * time.Second
)

// answerLimits are those of one answer. An INFO of a server with thousands of clients and replicas is some hundred kilobytes.
var answerLimits = resp.Limits{Line: 64 << 10, Bytes: 4 << 20, Elements: 1024, Depth: 4}

// asked is what kind of answer is awaited.
type asked uint8

const (
	askedPing asked = iota
	askedInfo
	askedGreet
	askedDown
	askedHandOver
	askedOther
)

// question is one whose answer is awaited, or count of them in a row.
type question struct {
	kind     asked
	instance core.InstanceID
	count    uint8
}

// link is the connections that the machine keeps to one process.
type link struct {
	commands, hellos *wire
}

// wire is one of them.
type wire struct {
	p       *process
	link    core.LinkID
	channel core.Channel
	conn    *sockets.Conn
	peer    netip.Addr
	// asked are the questions in the order of their answers; head is the first that is still open.
	asked []question
	head  int
	// closed says that the machine wants to hear no more of it.
	closed bool
	// values finds what comes, whole or in pieces.
	values resp.ValueParser
	// early is what is to be sent when the name has been looked up.
	early []byte
}

func (l *link) of(c core.Channel) **wire {
	if c == core.PubSub {
		return &l.hellos
	}
	return &l.commands
}

// dial makes a connection, and writes what introduces it.
func (p *process) dial(d core.Dial) {
	l := p.links[d.Link]
	if l == nil {
		l = &link{}
		p.links[d.Link] = l
	}
	w := &wire{p: p, link: d.Link, channel: d.Channel}
	*l.of(d.Channel) = w
	w.introduce(d)
	if ip, err := netip.ParseAddr(d.Addr.Host); err == nil {
		w.connect(netip.AddrPortFrom(ip, uint16(d.Addr.Port)))
		return
	}
	go w.lookup(d.Addr)
}

// introduce queues the login and the connection's name, and on the one for hellos the subscription.
func (w *wire) introduce(d core.Dial) {
	var b []byte
	switch in := d.Login; {
	case in.Password == "":
	case in.User == "":
		b = resp.AppendCommand(b, in.Auth, in.Password)
		w.expect(question{kind: askedOther, count: 1})
	default:
		b = resp.AppendCommand(b, in.Auth, in.User, in.Password)
		w.expect(question{kind: askedOther, count: 1})
	}
	name := "sentinel-" + w.p.conf.MyID[:8] + "-" + d.Channel.String()
	b = resp.AppendCommand(b, d.Login.Client, "SETNAME", name)
	w.expect(question{kind: askedOther, count: 1})
	if d.Channel == core.PubSub {
		b = resp.AppendCommand(b, d.Login.Subscribe, hello.Channel)
	}
	w.early = b
}

// lookup finds an address for a name, on a goroutine of its own that ends with the answer or in time.
func (w *wire) lookup(a core.Address) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	ip, err := resolve(ctx, a.Host)
	w.p.loop.Tell(func() {
		switch {
		case w.closed:
		case err != nil:
			w.Closed(nil, err)
		default:
			w.connect(netip.AddrPortFrom(ip, uint16(a.Port)))
		}
	})
}

// resolve returns the first address of a name, as Sentinel takes the first.
func resolve(ctx context.Context, host string) (netip.Addr, error) {
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.Addr{}, err
	}
	if len(all) == 0 {
		return netip.Addr{}, errors.New("no address for " + host)
	}
	return all[0].Unmap(), nil
}

// lookupAll finds the addresses of the masters that the file names, as far as there are any now: what is told of them from the first event
// on is the address. One that is not found is looked up again with each connection.
func lookupAll(groups []core.GroupState) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	var all sync.WaitGroup
	free := make(chan struct{}, 16)
	for i := range groups {
		if groups[i].Addr.IP.IsValid() {
			continue
		}
		all.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			if ip, err := resolve(ctx, groups[i].Addr.Host); err == nil {
				groups[i].Addr.IP = ip
			}
		})
	}
	all.Wait()
}

func (w *wire) connect(at netip.AddrPort) {
	w.peer = at.Addr()
	w.conn = w.p.loop.Dial(at, sockets.Options{Local: w.p.from, TLS: w.p.secure, Timeout: dialTime}, w)
	w.conn.SetLimits(answerLimits.Bytes+64<<10, 1<<20)
	w.conn.Write(w.early)
	w.early = nil
}

// hangUp closes a connection; the machine hears no more of it.
func (p *process) hangUp(a core.HangUp) {
	l := p.links[a.Link]
	if l == nil {
		return
	}
	if w := *l.of(a.Channel); w != nil {
		w.closed = true
		p.drop(w)
		if w.conn != nil {
			w.conn.Abort()
		}
	}
}

// drop forgets a connection, and with its last one the link: the machine hangs up what stands and nothing else, and dial makes another.
func (p *process) drop(w *wire) {
	l := p.links[w.link]
	if l == nil || *l.of(w.channel) != w {
		return
	}
	*l.of(w.channel) = nil
	if l.commands == nil && l.hellos == nil {
		delete(p.links, w.link)
	}
}

// write sends a command and remembers what its answer is about.
func (p *process) write(id core.LinkID, b []byte, q question) {
	p.wire = b
	l := p.links[id]
	if l == nil || l.commands == nil {
		return
	}
	w := l.commands
	w.expect(q)
	if w.conn == nil {
		w.early = append(w.early, b...)
		return
	}
	w.conn.Write(b)
}

// expect remembers a question. Those that have been answered make room, also where there is always one that has not.
func (w *wire) expect(q question) {
	if w.head == len(w.asked) || w.head > len(w.asked)/2 && w.head >= fewQuestions {
		n := copy(w.asked, w.asked[w.head:])
		w.asked, w.head = w.asked[:n], 0
	}
	w.asked = append(w.asked, q)
}

// fewQuestions are not worth moving.
const fewQuestions = 64

// Opened is for the loop.
func (w *wire) Opened(c *sockets.Conn) {
	if !w.closed {
		w.p.step(core.Linked{Link: w.link, Channel: w.channel, Local: c.Local().Addr(), Peer: w.peer})
	}
}

// Closed is for the loop.
func (w *wire) Closed(_ *sockets.Conn, why error) {
	if w.closed {
		return
	}
	w.closed = true
	w.p.drop(w)
	reason := "closed"
	if why != nil {
		reason = why.Error()
	}
	w.p.step(core.Lost{Link: w.link, Channel: w.channel, Reason: reason})
}

// Received is for the loop.
func (w *wire) Received(c *sockets.Conn, b []byte) (used int) {
	for used < len(b) && !w.closed {
		if w.channel == core.PubSub {
			if n := w.message(b[used:]); n > 0 {
				w.values.Skip()
				used += n
				continue
			}
		}
		v, n, err := w.values.Next(b[used:], answerLimits)
		if err != nil {
			w.fail(c, err)
			return len(b)
		}
		if n == 0 {
			break
		}
		used += n
		if w.channel == core.PubSub {
			w.heard(c, v)
		} else {
			w.answered(c, v)
		}
	}
	return used
}

// message takes a whole message of the channel of hellos without taking memory, as far as it has the form that all of them have. It
// returns how many bytes that was.
func (w *wire) message(b []byte) int {
	var room [4][]byte
	args, n, err := resp.ParseRequest(b, room[:0], messageLimits)
	if err != nil || len(args) != 3 || w.head < len(w.asked) || string(args[0]) != "message" || string(args[1]) != hello.Channel {
		return 0
	}
	w.p.step(core.Heard{Link: w.link, Hello: w.p.greetings.of(args[2])})
	return n
}

// messageLimits are those of one message.
var messageLimits = resp.Limits{Line: 64, Bytes: 64 << 10, Elements: 4}

// greetings are the hellos that were heard lately, by their texts: each Sentinel says the same of a group to each of its servers every
// two seconds, for as long as nothing changes. Nobody changes what is in it.
type greetings map[string]*core.Hello

// of reads a greeting; nil if it is none.
func (g *greetings) of(text []byte) *core.Hello {
	if h, known := (*g)[string(text)]; known {
		return h
	}
	return g.read(string(text))
}

// read is of for what is not known yet.
func (g *greetings) read(text string) *core.Hello {
	if h, known := (*g)[text]; known {
		return h
	}
	if *g == nil || len(*g) >= mostGreetings {
		*g = greetings{} // what is still said comes back
	}
	h := helloOf(text)
	if h != nil && len(text) <= longestGreeting {
		(*g)[text] = h
	}
	return h
}

// mostGreetings is how many are kept, of no more than longestGreeting bytes of text.
const mostGreetings, longestGreeting = 1 << 14, 512

// fail gives a connection up.
func (w *wire) fail(c *sockets.Conn, why error) {
	c.Abort()
	w.Closed(c, why)
}

// answered gives the machine the answer to the oldest question.
func (w *wire) answered(c *sockets.Conn, v resp.Value) {
	if w.head == len(w.asked) {
		w.fail(c, errors.New("an answer to nothing"))
		return
	}
	q := &w.asked[w.head]
	if q.count > 1 {
		q.count--
	} else {
		w.head++
	}
	w.p.step(eventOf(w.link, *q, v))
}

func eventOf(id core.LinkID, q question, v resp.Value) core.Event {
	switch q.kind {
	case askedPing:
		return core.Ponged{Link: id, Pong: pongOf(v)}
	case askedInfo:
		return core.Informed{Link: id, Instance: q.instance, Info: infoOf(v)}
	case askedGreet:
		return core.Greeted{Link: id, Instance: q.instance, OK: !v.IsError()}
	case askedDown:
		return toldOf(id, q.instance, v)
	case askedHandOver:
		h := core.HandedOver{Link: id, Instance: q.instance}
		if v.IsError() {
			h.Refused = v.Text
		}
		return h
	default:
		return core.Done{Link: id}
	}
}

// heard takes a message. An error is the answer to the subscription: without it the connection is of no use.
func (w *wire) heard(c *sockets.Conn, v resp.Value) {
	switch {
	case w.head < len(w.asked):
		w.head++
	case v.IsError():
		w.fail(c, v.Err())
	case len(v.Elems) == 3 && v.Elems[0].Text == "message" && v.Elems[1].Text == hello.Channel:
		w.p.step(core.Heard{Link: w.link, Hello: helloOf(v.Elems[2].Text)})
	}
}

// pongOf reads the answer to a ping.
func pongOf(v resp.Value) core.Pong {
	if v.Kind != resp.Simple && v.Kind != resp.Error {
		return core.PongOther
	}
	switch text := v.Text; {
	case hasPrefix(text, "PONG"):
		return core.PongOK
	case hasPrefix(text, "LOADING"):
		return core.PongLoading
	case hasPrefix(text, "MASTERDOWN"):
		return core.PongMasterDown
	case hasPrefix(text, "BUSY"):
		return core.PongBusy
	default:
		return core.PongOther
	}
}

func hasPrefix(s, prefix string) bool { return len(s) >= len(prefix) && s[:len(prefix)] == prefix }

func infoOf(v resp.Value) *core.Info {
	if v.Kind != resp.Bulk || v.Nil {
		return nil
	}
	w := info.ParseWatch(v.Text)
	n := &core.Info{
		RunID: w.RunID, Master: w.Role == "master", Unclear: w.Role == "", MasterHost: w.MasterHost, MasterPort: w.MasterPort,
		LinkUp: w.LinkUp, LinkDown: w.LinkDown, Priority: w.Priority, Offset: w.Offset, Announced: w.Announced, HandsOver: w.HandsOver, Text: v.Text,
	}
	for _, r := range w.Replicas {
		n.Replicas = append(n.Replicas, core.At(r.Host, r.Port))
	}
	return n
}

func toldOf(id core.LinkID, i core.InstanceID, v resp.Value) core.Told {
	t := core.Told{Link: id, Instance: i}
	if v.Kind != resp.Array || len(v.Elems) != 3 || v.Elems[0].Kind != resp.Integer || v.Elems[1].Kind != resp.Bulk || v.Elems[2].Kind != resp.Integer {
		return t
	}
	t.Valid, t.Down, t.Leader, t.Epoch = true, v.Elems[0].Int == 1, v.Elems[1].Text, uint64(v.Elems[2].Int)
	return t
}

// helloOf reads a greeting; nil if it is none.
func helloOf(text string) *core.Hello {
	h, ok := hello.Parse(text)
	if !ok {
		return nil
	}
	return &core.Hello{
		Addr: core.At(h.Host, h.Port), ID: h.ID, CurrentEpoch: h.CurrentEpoch,
		Group: h.Group, Master: core.At(h.MasterHost, h.MasterPort), ConfigEpoch: h.ConfigEpoch,
	}
}
