package sentinel

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"redkeep/internal/words"
)

// world is a network of servers and machines in virtual time. Its servers are fakes: they know roles, offsets and the
// hello channel, and nothing else.
type world struct {
	t       *testing.T
	now     words.Instant
	agenda  agenda
	seq     int
	rand    *rand.Rand
	servers map[int]*server // by port
	members []*member
	rtt     time.Duration
}

// server is a fake Redis.
type server struct {
	port    int
	run     string
	dead    bool
	frozen  bool
	follows int // the port of its master; 0 is a master
	offset  int64
	prio    int
	since   words.Instant // link up since
	orders  int
	hears   map[*member]LinkID // who has subscribed
}

// member is one machine with its file.
type member struct {
	w      *world
	name   string
	port   int
	m      *Machine
	dead   bool
	cut    map[int]bool // ports that can't be reached
	links  map[LinkID]map[Channel]int
	peer   map[int]*member
	events []string
	at     []words.Instant
	file   State
	saving time.Duration
	failed bool
	reply  map[uint64]Answer
	lastID uint64
	sched  words.Instant
}

type item struct {
	at  words.Instant
	seq int
	do  func()
}
type agenda []item

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].seq < a[j].seq
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(item)) }
func (a *agenda) Pop() any     { old := *a; x := old[len(old)-1]; *a = old[:len(old)-1]; return x }

func newWorld(t *testing.T, seed uint64) *world {
	return &world{t: t, now: words.Instant(time.Hour), rand: rand.New(rand.NewPCG(seed, 1)), servers: map[int]*server{}, rtt: 200 * time.Microsecond}
}

func (w *world) in(d time.Duration, do func()) {
	w.seq++
	heap.Push(&w.agenda, item{w.now.Add(d), w.seq, do})
}

// run lets time pass.
func (w *world) run(d time.Duration) {
	end := w.now.Add(d)
	for len(w.agenda) > 0 && w.agenda[0].at <= end {
		next := heap.Pop(&w.agenda).(item)
		w.now = max(w.now, next.at)
		next.do()
	}
	w.now = end
}

func (w *world) server(port, follows int) *server {
	s := &server{port: port, follows: follows, run: fmt.Sprintf("%040x", port), prio: 100, since: w.now, offset: 1000, hears: map[*member]LinkID{}}
	w.servers[port] = s
	return s
}

// site is a master at 1, replicas at 2 and so on, and some Sentinels on ports from 101.
func site(t *testing.T, seed uint64, replicas, sentinels, quorum int) *world {
	w := newWorld(t, seed)
	w.server(1, 0)
	for i := range replicas {
		w.server(2+i, 1)
	}
	for i := range sentinels {
		w.member(101+i, quorum)
	}
	w.run(5 * time.Second)
	return w
}

func here(port int) Address { return At("10.0.0.1", port) }

func (w *world) member(port, quorum int) *member {
	s := State{MyID: fmt.Sprintf("%040x", port*7), DenyScriptsReconfig: true, Groups: []GroupState{{
		Name: "orders", Addr: here(1), Quorum: quorum, DownAfter: time.Second, FailoverTimeout: 10 * time.Second, ParallelSyncs: 1,
	}}}
	b := &member{w: w, name: "s" + strconv.Itoa(port), port: port, cut: map[int]bool{}, file: s, saving: 2 * time.Millisecond, reply: map[uint64]Answer{}}
	w.members = append(w.members, b)
	b.start()
	return b
}

// start begins with what is in the file.
func (b *member) start() {
	b.dead = false
	b.links = map[LinkID]map[Channel]int{}
	b.m = New(Setup{Random: b.w.rand.Uint64, Port: b.port}, b.file)
	b.step(Began{})
}

func (b *member) kill() {
	b.dead = true
	for _, s := range b.w.servers {
		delete(s.hears, b)
	}
	for _, other := range b.w.members {
		for id, cs := range other.links {
			if cs[Commands] == b.port {
				b.w.in(b.w.rtt, func() { other.step(Lost{id, Commands, "gone"}); delete(other.links, id) })
			}
		}
	}
}

func (b *member) step(ev Event) {
	if b.dead {
		return
	}
	m := b.m
	for _, a := range slices.Clone(m.Step(b.w.now, ev)) {
		b.act(a)
	}
	if at := m.Wake(); at != words.Never && (b.sched <= b.w.now || at < b.sched) {
		b.sched = at
		b.w.in(max(0, at.Sub(b.w.now)), func() {
			if b.m == m {
				b.sched = 0
				b.step(Passed{})
			}
		})
	}
}

func (b *member) act(a Action) {
	w := b.w
	switch a := a.(type) {
	case Dial:
		b.dial(a)
	case HangUp:
		delete(b.links[a.Link], a.Channel)
	case Ping:
		b.ask(a.Link, func(s *server, p *member) Event { return Ponged{a.Link, PongOK} })
	case AskInfo:
		b.ask(a.Link, func(s *server, p *member) Event { return Informed{a.Link, a.Instance, w.info(s)} })
	case Greet:
		b.ask(a.Link, func(s *server, p *member) Event {
			h := a.Hello
			if p != nil {
				p.step(Asked{Request: Hail{h}})
				return Greeted{a.Link, a.Instance, true}
			}
			for m, id := range s.hears {
				w.in(w.rtt/2, func() { m.step(Heard{id, &h}) })
			}
			return Greeted{a.Link, a.Instance, true}
		})
	case AskDown:
		b.ask(a.Link, func(s *server, p *member) Event {
			p.lastID++
			id := p.lastID
			p.step(Asked{id, IsMasterDown{a.Master, a.Epoch, a.RunID}})
			var wait func() Event
			wait = func() Event {
				r, ok := p.reply[id]
				if !ok {
					w.in(time.Millisecond, func() {
						if ev := wait(); ev != nil {
							b.step(ev)
						}
					})
					return nil
				}
				return Told{a.Link, a.Instance, true, r.Down, r.Leader, r.Epoch}
			}
			return wait()
		})
	case Order:
		b.ask(a.Link, func(s *server, p *member) Event {
			s.orders++
			s.follows = a.Master.Port
			s.since = w.now.Add(20 * time.Millisecond)
			for range OrderCommands - 1 {
				b.step(Done{a.Link})
			}
			return Done{a.Link}
		})
	case Notice:
		if a.Channel != "" && a.Level != Debug {
			b.events = append(b.events, a.Channel+" "+a.Payload)
			b.at = append(b.at, w.now)
		}
	case Save:
		state := b.m.State()
		w.in(b.saving, func() {
			if b.dead {
				return
			}
			if !b.failed {
				b.file = state
			}
			b.step(Saved{a.Ticket, b.failed})
		})
	case Reply:
		b.reply[a.ID] = a.Answer
	case Crash:
		b.kill()
	}
}

func (b *member) dial(a Dial) {
	w, port := b.w, a.Addr.Port
	if b.links[a.Link] == nil {
		b.links[a.Link] = map[Channel]int{}
	}
	b.links[a.Link][a.Channel] = port
	if b.cut[port] {
		return
	}
	w.in(w.rtt, func() {
		if b.links[a.Link][a.Channel] != port {
			return
		}
		s, p := w.servers[port], w.peer(port)
		if s != nil && s.dead || p != nil && p.dead || s == nil && p == nil {
			delete(b.links[a.Link], a.Channel)
			b.step(Lost{a.Link, a.Channel, "connection refused"})
			return
		}
		if a.Channel == PubSub {
			s.hears[b] = a.Link
		}
		b.step(Linked{a.Link, a.Channel, here(1).IP, here(1).IP})
		if a.Channel == Commands {
			b.step(Done{a.Link})
		}
	})
}

func (w *world) peer(port int) *member {
	for _, m := range w.members {
		if m.port == port {
			return m
		}
	}
	return nil
}

// ask has a server or a member do something, and its answer come back.
func (b *member) ask(id LinkID, do func(*server, *member) Event) {
	w := b.w
	port, ok := b.links[id][Commands]
	if !ok || b.cut[port] {
		return
	}
	w.in(w.rtt*3/2, func() { // a command waits for its connection
		s, p := w.servers[port], w.peer(port)
		if s != nil && (s.dead || s.frozen) || p != nil && p.dead || s == nil && p == nil {
			return
		}
		ev := do(s, p)
		if ev == nil {
			return
		}
		w.in(w.rtt/2, func() {
			if b.links[id][Commands] == port {
				b.step(ev)
			}
		})
	})
}

func (w *world) info(s *server) *Info {
	n := &Info{RunID: s.run, Master: s.follows == 0, Priority: s.prio, Offset: s.offset, Announced: true}
	if n.Master {
		for _, r := range w.servers {
			if r.follows == s.port && !r.dead {
				n.Replicas = append(n.Replicas, here(r.port))
			}
		}
		slices.SortFunc(n.Replicas, func(a, b Address) int { return a.Port - b.Port })
		return n
	}
	n.MasterHost, n.MasterPort = "10.0.0.1", s.follows
	of := w.servers[s.follows]
	n.LinkUp = of != nil && !of.dead && w.now >= s.since
	if !n.LinkUp {
		n.LinkDown = time.Second
	}
	return n
}

// die ends a server: its connections break.
func (w *world) die(port int) {
	w.servers[port].dead = true
	for _, b := range w.members {
		for id, cs := range b.links {
			for c, p := range cs {
				if p == port {
					w.in(w.rtt, func() { delete(cs, c); b.step(Lost{id, c, "Connection reset"}) })
				}
			}
		}
	}
}

// heard counts the events that begin so.
func (b *member) heard(prefix string) (n int) {
	for _, e := range b.events {
		if strings.HasPrefix(e, prefix) {
			n++
		}
	}
	return n
}

// dump logs the events with their times.
func (b *member) dump() {
	b.w.t.Log(b.name)
	for i, e := range b.events {
		b.w.t.Logf("%12.3f %s", b.at[i].Sub(words.Instant(time.Hour)).Seconds(), e)
	}
}

// master is where the member says that the master is.
func (b *member) master() int {
	_, port, _ := b.m.Address([]byte("orders"))
	return port
}

func (b *member) ofGroup() *group { return b.m.byName["orders"] }

// request asks as a client does.
func (b *member) request(r Request) Answer {
	b.lastID++
	id := b.lastID
	b.step(Asked{id, r})
	b.w.run(10 * time.Millisecond)
	a, ok := b.reply[id]
	if !ok {
		b.w.t.Fatalf("%s has not answered %T", b.name, r)
	}
	return a
}
