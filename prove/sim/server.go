package sim

import (
	"fmt"
	"net/netip"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// process is the state of a server's process.
type process uint8

const (
	gone process = iota
	running
	stopped
)

// target is whom a server follows.
type target int

const (
	nobody  target = -1
	deadEnd target = -2
)

// start says how a server comes back.
type start uint8

const (
	withAOF   start = iota // its data, a new history, offset 0
	withEmpty              // nothing
	withClean              // data, history and offset, after a clean shutdown
)

// item is one piece of a replication stream: a write, or a ping where write is 0. Its end is its offset.
type item struct {
	end   words.Offset
	write uint64
}

// command is something in a server's socket buffers. Client writes have an answer to come; orders of agents have a connection that
// a later one may kill.
type command struct {
	conn   uint64
	client bool
	dead   bool
	run    func()
}

// server is one redis-server.
type server struct {
	w     *World
	host  *host
	group int
	// fenced says that the server's own file starts it as a replica of the dead end.
	fenced bool
	state  process
	since  time.Duration // when state changed
	boot   uint64        // counts starts
	busy   time.Duration
	hung   time.Duration // when it became unwell; 0 while well
	runID  words.RunID
	role   words.Role
	follow target
	pos    words.Position
	// data are the writes it holds, in order; stream is what it can hand on, from backlog on. Both are shared, never changed in place.
	data    []uint64
	stream  []item
	backlog words.Offset
	syncing bool
	paused  time.Duration
	held    []*command
	inbox   []*command
	// queued is what a drain that is under way has taken out of inbox.
	queued   []*command
	draining bool
	link     *link
	links    []*link
	retry    uint64
	// seen is how much of data the node's agent knew of when it last saw the server.
	seen int
	// torn says that a loss of power took the end of its data: what AOF kept is what there is.
	torn bool
	// deafTo are orders that the server, or what stands between it and the agent, takes and never answers.
	deafTo func(decide.Order) bool
	// cold says that it restarted with its data and no history: its agent's record is all that anybody knows of it.
	cold bool
}

const (
	redisPort = 6379
	writeSize = 100
	pingSize  = 14
)

func (s *server) String() string { return string(s.host.name) }

// start brings a process up. Its file decides its role (rule born-fenced).
func (s *server) start(how start) {
	if s.state != gone || !s.host.power {
		return
	}
	s.boot++
	s.state, s.since, s.busy, s.hung = running, s.w.now, 0, 0
	s.runID = words.RunID(s.w.name("run"))
	s.inbox, s.held, s.paused, s.syncing, s.link, s.links = nil, nil, 0, false, nil, nil
	switch how {
	case withEmpty:
		s.data, s.seen = nil, 0
		fallthrough
	case withAOF:
		s.pos = words.Position{ReplID: words.ReplID(s.w.name("repl")), Second: -1}
		s.stream, s.backlog, s.cold = nil, 0, true
	case withClean:
		s.stream, s.backlog = nil, s.pos.Offset
	}
	s.role, s.follow = words.RoleMaster, nobody
	if s.fenced {
		s.role, s.follow = words.RoleReplica, deadEnd
	}
	s.w.log("%s server starts (%s): %s %s, %d writes", s, []string{"AOF", "empty", "clean"}[how], s.role, s.pos, len(s.data))
	s.w.dirty(s.group)
	s.host.serverChanged(s)
	s.cron(s.boot)
}

// kill ends the process. What it had written into its sockets still leaves, unless the host lost power.
func (s *server) kill(powerless bool) {
	if s.state == gone {
		return
	}
	s.w.log("%s server dies", s)
	s.state, s.since = gone, s.w.now
	if s.hung == 0 {
		s.hung = s.w.now
	}
	for _, l := range s.links {
		l.masterGone(powerless)
	}
	if s.link != nil {
		s.link.cut()
	}
	s.inbox, s.held, s.links = nil, nil, nil
	s.w.dirty(s.group)
	if !powerless {
		s.host.serverGone(s)
	}
}

func (s *server) stop() {
	if s.state == running {
		s.w.log("%s server stops (SIGSTOP)", s)
		s.state, s.hung = stopped, s.w.now
		s.w.dirty(s.group)
	}
}

func (s *server) cont() {
	if s.state == stopped {
		s.w.log("%s server continues, %d commands queued", s, len(s.inbox))
		s.state, s.hung = running, 0
		s.w.dirty(s.group)
		s.drain()
	}
}

// occupy makes the server work for so long without looking at its sockets.
func (s *server) occupy(d time.Duration) {
	if s.state != running {
		return
	}
	s.busy, s.hung = s.w.now+d, s.w.now
	boot := s.boot
	s.w.after(d, func() {
		if s.boot == boot && s.state == running && s.w.now >= s.busy {
			s.hung = 0
			s.drain()
		}
	})
}

// ready reports whether the server's loop runs.
func (s *server) ready() bool { return s.state == running && s.w.now >= s.busy && !s.draining }

// take gives a command to the server's sockets. It is executed at once where the loop runs.
func (s *server) take(c *command) {
	if s.state == gone {
		return
	}
	if s.ready() {
		c.run()
		return
	}
	if !c.client || len(s.inbox) < 200 {
		s.inbox = append(s.inbox, c)
	}
}

// drain executes what has queued. Connections are served in any order, each in its own.
func (s *server) drain() {
	if !s.ready() {
		return
	}
	s.draining = true
	queued := s.inbox
	s.inbox, s.queued = nil, s.inbox
	var conns []uint64
	by := map[uint64][]*command{}
	for _, c := range queued {
		if by[c.conn] == nil {
			conns = append(conns, c.conn)
		}
		by[c.conn] = append(by[c.conn], c)
	}
	s.w.rng.Shuffle(len(conns), func(i, j int) { conns[i], conns[j] = conns[j], conns[i] })
	for _, conn := range conns {
		for _, c := range by[conn] {
			if !c.dead {
				c.run()
			}
		}
	}
	s.draining, s.queued = false, nil
	for _, l := range s.links {
		l.pump()
	}
	if s.link != nil {
		s.link.read()
	}
}

// append adds a write to a master's data and stream.
func (s *server) append(write uint64) {
	s.data = append(s.data[:len(s.data):cap(s.data)], write)
	s.pos.Offset += writeSize
	s.extend(item{s.pos.Offset, write})
}

func (s *server) extend(i item) {
	s.stream = append(s.stream, i)
	for _, l := range s.links {
		l.pump()
	}
}

// cron is the server's clock: pings to replicas, attempts to reach a master.
func (s *server) cron(boot uint64) {
	s.w.after(time.Second, func() {
		if s.boot != boot || s.state == gone {
			return
		}
		if s.ready() {
			if s.role == words.RoleMaster && len(s.links) > 0 {
				s.pos.Offset += pingSize
				s.extend(item{s.pos.Offset, 0})
			}
			if s.role == words.RoleReplica && s.follow >= 0 && s.link == nil {
				s.connect()
			}
			if s.link != nil {
				s.link.acknowledge()
			}
		}
		s.cron(boot)
	})
}

// replicaOf is REPLICAOF: of another server, of the dead end, or of nobody.
func (s *server) replicaOf(t target) {
	if t == nobody {
		s.promote()
		return
	}
	if s.role == words.RoleReplica && s.follow == t {
		return
	}
	if s.link != nil {
		s.link.cut()
	}
	for _, l := range append([]*link(nil), s.links...) {
		l.cut()
	}
	s.role, s.follow = words.RoleReplica, t
	s.w.dirty(s.group)
	s.fail()
	if t >= 0 {
		s.connect()
	}
}

func (s *server) promote() {
	if s.role == words.RoleMaster {
		return
	}
	if s.link != nil {
		s.link.cut()
	}
	s.pos.ReplID2, s.pos.Second = s.pos.ReplID, s.pos.Offset+1
	s.pos.ReplID = words.ReplID(s.w.name("repl"))
	s.role, s.follow = words.RoleMaster, nobody
	s.w.promoted(s)
	s.w.dirty(s.group)
}

// fail answers the writes that a pause holds back with READONLY.
func (s *server) fail() { s.held = nil }

// pause holds writes back until an instant.
func (s *server) pause(d time.Duration) {
	s.paused = max(s.paused, s.w.now+d)
	boot := s.boot
	s.w.after(s.paused-s.w.now, func() {
		if s.boot == boot {
			s.take(&command{run: s.unheld})
		}
	})
}

func (s *server) unpause() {
	s.paused = 0
	s.unheld()
}

func (s *server) unheld() {
	if s.w.now < s.paused {
		return
	}
	held := s.held
	s.held = nil
	for _, c := range held {
		c.run()
	}
}

// killClients ends clients' connections: what they had asked for and was not executed is gone.
func (s *server) killClients() {
	s.held = nil
	for _, c := range s.inbox {
		if c.client {
			c.dead = true
		}
	}
}

// killOrders ends the agents' older connections for orders (rule order-fence): what they had asked for is gone, if it was not executed.
func (s *server) killOrders(before uint64) {
	for _, list := range [][]*command{s.inbox, s.queued} {
		for _, c := range list {
			if c.conn > firstOrder && c.conn < before {
				c.dead = true
			}
		}
	}
}

// firstOrder is below the numbers of all connections for orders.
const firstOrder = 1 << 32

// info is INFO as the hand reads it.
func (s *server) info() words.Server {
	v := words.Server{
		RunID: s.runID, Role: s.role, Position: s.pos, Keys: int64(len(s.data)), Priority: 100, ReadOnly: true,
		BornFenced: s.fenced, Version: "7.0.15", Uptime: s.w.now - s.since, Syncing: s.syncing,
	}
	if s.role == words.RoleReplica {
		v.LinkUp = s.link != nil && s.link.up
		if s.follow == deadEnd {
			v.Master, v.MasterPort = words.DeadEnd, words.DeadEndPort
		} else {
			v.Master, v.MasterPort = s.w.hosts[s.follow].addr.String(), redisPort
		}
	}
	for _, l := range s.links {
		if l.up || l.full {
			a := netip.AddrPortFrom(l.replica.host.addr, redisPort)
			v.Replicas = append(v.Replicas, words.Replica{Addr: a, Offset: l.acked, Online: l.up})
		}
	}
	return v
}

// addresses are the sources of the replicas' links.
func (s *server) addresses() []decide.Link {
	var out []decide.Link
	for _, l := range s.links {
		out = append(out, l.source)
	}
	return out
}

func (w *World) name(kind string) string {
	w.names++
	return fmt.Sprintf("%08x%s%d", w.rng.Uint32(), kind, w.names)
}
