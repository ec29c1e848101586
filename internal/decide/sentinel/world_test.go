package sentinel

import (
	"container/heap"
	"fmt"
	"maps"
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
	// jitter is what a message takes longer than rtt; what is on one connection stays in its order.
	jitter func() time.Duration
	// watch is called after each step of a member.
	watch func(*member)
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
	lag     time.Duration // of its answers
	deaf    bool          // obeys no orders
	syncing time.Duration // how long its link to a new master takes; 20 ms where it is 0
	loading bool
	hidden  bool          // replica-announced no
	since   words.Instant // link up since
	orders  int
	hears   map[*member]LinkID // who has subscribed
	waiting []func()           // what has come while it was frozen
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
	due    map[LinkID]words.Instant // when the last question of a link arrives
	events []string
	at     []words.Instant
	notes  []string // the lines of the log that are no events
	file   State
	saving time.Duration
	failed bool
	reply  map[uint64]Answer
	lastID uint64
	// watching is observe mode.
	watching bool
	sched    words.Instant
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
	return w.memberOf(port, watching("orders", 1, quorum))
}

// watching is what a file says of a group.
func watching(name string, master, quorum int) GroupState {
	return GroupState{Name: name, Addr: here(master), Quorum: quorum, DownAfter: time.Second, FailoverTimeout: 10 * time.Second, ParallelSyncs: 1}
}

// idOf is a member's.
func idOf(port int) string { return fmt.Sprintf("%040x", port*7) }

func (w *world) memberOf(port int, groups ...GroupState) *member {
	s := State{MyID: idOf(port), DenyScriptsReconfig: true, Groups: groups}
	b := &member{w: w, name: "s" + strconv.Itoa(port), port: port, cut: map[int]bool{}, file: s, saving: 2 * time.Millisecond, reply: map[uint64]Answer{}}
	w.members = append(w.members, b)
	b.start()
	return b
}

// start begins with what is in the file.
func (b *member) start() {
	b.dead = false
	b.links, b.due, b.sched = map[LinkID]map[Channel]int{}, map[LinkID]words.Instant{}, 0
	b.m = New(Setup{Random: b.w.rand.Uint64, Port: b.port, Observe: b.watching}, b.file)
	b.step(Began{})
}

func (b *member) kill() {
	b.dead = true
	for _, s := range b.w.servers {
		delete(s.hears, b)
	}
	for _, other := range b.w.members {
		for _, id := range slices.Sorted(maps.Keys(other.links)) {
			if other.links[id][Commands] == b.port {
				b.w.in(b.w.rtt, other.living(func() { delete(other.links, id); other.step(Lost{id, Commands, "gone"}) }))
			}
		}
	}
}

// living makes something that only happens if the member lives the same life still.
func (b *member) living(do func()) func() {
	m := b.m
	return func() {
		if b.m == m && !b.dead {
			do()
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
	if b.w.watch != nil {
		b.w.watch(b)
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
		b.ask(a.Link, func(s *server, _ *member) Event {
			if s != nil && s.loading {
				return Ponged{a.Link, PongLoading}
			}
			return Ponged{a.Link, PongOK}
		})
	case AskInfo:
		b.ask(a.Link, func(s *server, _ *member) Event { return Informed{a.Link, a.Instance, w.info(s)} })
	case Greet:
		b.ask(a.Link, func(s *server, p *member) Event {
			h := a.Hello
			if p != nil {
				p.step(Asked{Request: Hail{h}})
				return Greeted{a.Link, a.Instance, true}
			}
			for _, m := range w.members {
				if id, hears := s.hears[m]; hears && !m.cut[s.port] {
					w.in(w.rtt/2, m.living(func() { m.step(Heard{id, &h}) }))
				}
			}
			return Greeted{a.Link, a.Instance, true}
		})
	case AskDown:
		b.ask(a.Link, func(_ *server, p *member) Event {
			p.lastID++
			id := p.lastID
			p.step(Asked{id, IsMasterDown{a.Master, a.Epoch, a.RunID}})
			return b.told(p, a, id, w.now.Add(time.Minute))
		})
	case Order:
		b.ask(a.Link, func(s *server, _ *member) Event {
			s.orders++
			if !s.deaf {
				s.follows, s.since = a.Master.Port, w.now.Add(max(s.syncing, 20*time.Millisecond))
			}
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
		if a.Channel == "" {
			b.notes = append(b.notes, a.Payload)
		}
	case Save:
		state := b.m.State()
		w.in(b.saving, b.living(func() {
			if !b.failed {
				b.file = state
			}
			b.step(Saved{a.Ticket, b.failed})
		}))
	case Reply:
		b.reply[a.ID] = a.Answer
	case Crash:
		b.kill()
	}
}

// told is the other's answer, which may wait for its disk: nil as long as it is not there.
func (b *member) told(p *member, a AskDown, id uint64, until words.Instant) Event {
	if r, ok := p.reply[id]; ok {
		return Told{a.Link, a.Instance, true, r.Down, r.Leader, r.Epoch}
	}
	if b.w.now < until && !p.dead {
		b.w.in(time.Millisecond, b.living(func() {
			if ev := b.told(p, a, id, until); ev != nil && !b.cut[p.port] && b.links[a.Link][Commands] == p.port {
				b.step(ev)
			}
		}))
	}
	return nil
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
	w.in(w.rtt, b.living(func() {
		if b.links[a.Link][a.Channel] != port || b.cut[port] {
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
	}))
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
	w.in(b.arrives(id), b.living(func() { b.arrive(id, port, do) }))
}

// arrive has a server that is frozen look at the command later.
func (b *member) arrive(id LinkID, port int, do func(*server, *member) Event) {
	w := b.w
	s, p := w.servers[port], w.peer(port)
	if b.cut[port] || s != nil && s.dead || p != nil && p.dead || s == nil && p == nil || b.links[id][Commands] != port {
		return
	}
	if s != nil && s.frozen {
		s.waiting = append(s.waiting, b.living(func() { b.arrive(id, port, do) }))
		return
	}
	ev := do(s, p)
	if ev == nil {
		return
	}
	back := w.rtt / 2
	if s != nil {
		back += s.lag
	}
	w.in(back, b.living(func() {
		if b.links[id][Commands] == port && !b.cut[port] {
			b.step(ev)
		}
	}))
}

// thaw has a server go on.
func (s *server) thaw() {
	s.frozen = false
	waiting := s.waiting
	s.waiting = nil
	for _, do := range waiting {
		do()
	}
}

// arrives is in how long a command that is sent now does: a command waits for its connection, and none overtakes another.
func (b *member) arrives(id LinkID) time.Duration {
	w := b.w
	took := w.rtt * 3 / 2
	if w.jitter != nil {
		took += w.jitter()
	}
	at := max(w.now.Add(took), b.due[id])
	b.due[id] = at
	return at.Sub(w.now)
}

func (w *world) info(s *server) *Info {
	n := &Info{RunID: s.run, Master: s.follows == 0, Priority: s.prio, Offset: s.offset, Announced: !s.hidden}
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
	w.servers[port].waiting = nil
	for _, b := range w.members {
		b.reset(port)
	}
}

// reset breaks the member's connections to a port, and tells it so.
func (b *member) reset(port int) {
	for _, id := range slices.Sorted(maps.Keys(b.links)) {
		cs := b.links[id]
		for _, c := range []Channel{Commands, PubSub} {
			if p, there := cs[c]; there && p == port {
				b.w.in(b.w.rtt, b.living(func() {
					if b.links[id] != nil && cs[c] == port {
						delete(cs, c)
						b.step(Lost{id, c, "Connection reset"})
					}
				}))
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
