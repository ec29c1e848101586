package sentinel

import (
	"net/netip"
	"slices"
	"time"

	"redkeep/internal/words"
)

// state is that of one connection.
type state uint8

const (
	down state = iota
	dialing
	up
)

// link is the connections to one process: of its own for a master or a replica, shared by the groups for a Sentinel.
type link struct {
	timer
	id    LinkID
	addr  Address
	users []*instance
	// listens is whether there is a PubSub connection besides that for commands.
	listens  bool
	commands connection
	hellos   connection
	// pending is how many commands wait for their answers, unanswered how many of the last connection's will wait for ever: both are
	// told as one number, as Sentinel has it, and the second is forgotten with the next attempt to connect.
	pending, unanswered int
	// pinged is when the oldest ping left that has no good answer, 0 if there is none; lastPing the last. The link counts as pinged from
	// its beginning, so that what never answers is down in time.
	pinged, lastPing words.Instant
	// alive is the last good answer to a ping, ponged the last of any kind.
	alive, ponged words.Instant
	triedAt       words.Instant // the last attempt to connect
	pingDue       words.Instant
	// pingPeriod is the shortest that its users want.
	pingPeriod time.Duration
	// local is this end of the command connection.
	local     netip.Addr
	localText string
}

// connection is one of the two.
type connection struct {
	state state
	since words.Instant
	heard words.Instant // the last message, of PubSub
}

func (m *Machine) newLink(at Address, listens bool) *link {
	m.lastLink++
	l := &link{
		id: m.lastLink, addr: at, listens: listens,
		pinged: m.now, alive: m.now, ponged: m.now,
	}
	l.timer.owner = l
	m.links[l.id] = l
	m.rouse(&l.timer, m.now)
	return l
}

func (l *link) join(i *instance) {
	l.users = append(l.users, i)
	l.refresh(i.group)
}

// refresh takes the ping period from a group that has just joined, or has been changed.
func (l *link) refresh(g *group) {
	period := min(g.downAfter, g.machine.periods.Ping)
	if l.pingPeriod == 0 || period < l.pingPeriod {
		l.pingPeriod = period
	}
}

// leave takes a user off the link, which ends with its last one. What was asked for it there is not answered for it any more, also where
// the link lives on.
func (m *Machine) leave(i *instance) {
	l := i.link
	i.infoAsked, i.greeting, i.asking = false, false, false
	l.users = slices.DeleteFunc(l.users, func(u *instance) bool { return u == i })
	if len(l.users) > 0 {
		return
	}
	m.drop(l, Commands)
	m.drop(l, PubSub)
	m.sleep(&l.timer)
	delete(m.links, l.id)
	l.gone = true
}

// of returns one of the link's connections.
func (l *link) of(c Channel) *connection {
	if c == PubSub {
		return &l.hellos
	}
	return &l.commands
}

// whole reports whether the link has all the connections that it needs, or is making them.
func (l *link) whole() bool {
	return l.commands.state != down && (!l.listens || l.hellos.state != down)
}

// open reports whether commands can be sent, and few enough wait.
func (l *link) open() bool { return l.whole() && l.pending < maxPending*len(l.users) }

// drop closes a connection, if there is one.
func (m *Machine) drop(l *link, c Channel) {
	conn := l.of(c)
	if conn.state == down {
		return
	}
	m.do(HangUp{l.id, c})
	m.lost(l, c)
}

// lost notes the end of a connection. What was asked on it is not answered any more.
func (m *Machine) lost(l *link, c Channel) {
	*l.of(c) = connection{}
	if c == Commands {
		l.pending, l.unanswered = 0, 0
		if l.pinged == 0 {
			l.pinged = m.now // its end is a question that is not answered, too
		}
		for _, i := range l.users {
			i.infoAsked, i.greeting, i.asking = false, false, false
		}
	}
	m.rouse(&l.timer, max(m.now, l.triedAt.Add(m.periods.Ping)))
	for _, i := range l.users {
		m.rouse(&i.timer, m.now)
	}
}

// tendLink does what is due on a link, and says when to look again.
func (m *Machine) tendLink(l *link) words.Instant {
	m.hangUpStuck(l)
	next := m.now.Add(l.pingPeriod)
	if !l.whole() && l.addr.Port != 0 {
		if m.since(l.triedAt) >= m.periods.Ping || l.triedAt == 0 {
			m.connect(l)
		}
		next = min(next, l.triedAt.Add(m.periods.Ping))
	}
	if l.whole() {
		if m.pingIsDue(l) {
			m.ping(l)
			for _, i := range l.users[:min(1, len(l.users))] {
				m.sendAlong(i)
			}
		}
		next = min(next, max(l.pingDue, l.lastPing.Add(l.pingPeriod/2)))
	}
	if stuck := m.stuckAt(l); stuck > m.now {
		next = min(next, stuck)
	}
	return max(next, m.now.Add(time.Millisecond))
}

// connect makes the connections that are missing, and pings at once.
func (m *Machine) connect(l *link) {
	l.triedAt = m.now
	if l.commands.state == down {
		m.dial(l, Commands)
		m.ping(l)
	}
	if l.listens && l.hellos.state == down {
		m.dial(l, PubSub)
	}
	for _, i := range l.users {
		m.rouse(&i.timer, m.now)
	}
}

func (m *Machine) dial(l *link, c Channel) {
	*l.of(c) = connection{state: dialing, since: m.now, heard: m.now}
	in := m.login(l)
	m.do(Dial{Link: l.id, Channel: c, Addr: l.addr, Login: in})
	if c == Commands {
		l.pending, l.unanswered = l.pending+in.Commands(), 0
	}
}

// leaves is how many questions a command connection that fails leaves behind. Sentinel counts no introduction among them, but the hello
// that it has sent, if one was due, before there was anybody to read it.
func (m *Machine) leaves(l *link) int {
	if l.commands.state == up {
		return l.pending
	}
	n := max(0, l.pending-m.login(l).Commands())
	for _, i := range l.users {
		last := i.greetedAt
		if last == 0 {
			last = l.alive
		}
		if !i.greeting && m.since(last) > m.periods.Publish {
			n++
		}
	}
	return n
}

// login is how the link introduces itself: at servers with what the group says, at Sentinels with what all share.
func (m *Machine) login(l *link) Login {
	i := l.users[0]
	g := i.group
	in := Login{User: m.peerUser, Password: m.peerPassword}
	if in.Password == "" {
		in.User, in.Password = "", m.ownPassword
	}
	if i.kind != sentinel {
		in.User, in.Password = g.authUser, g.authPass
	}
	in.Auth, in.Client, in.Subscribe = g.word("AUTH"), g.word("CLIENT"), g.word("SUBSCRIBE")
	return in
}

// pingIsDue reports whether the last answer is old enough, and the last ping, too.
func (m *Machine) pingIsDue(l *link) bool {
	return l.pending < maxPending*len(l.users) && m.now >= l.pingDue && m.since(l.lastPing) >= l.pingPeriod/2
}

func (m *Machine) ping(l *link) {
	m.do(Ping{l.id, l.users[0].group.word("PING")})
	l.pending++
	l.lastPing = m.now
	if l.pinged == 0 {
		l.pinged = m.now
	}
}

// onPonged takes the answer to a ping.
func (m *Machine) onPonged(l *link, p Pong) {
	l.ponged = m.now
	l.pingDue = together(m.now.Add(l.pingPeriod).Add(time.Duration(m.random() % uint64(min(pingDesync, l.pingPeriod/4+1)))))
	if p == PongOK || p == PongLoading || p == PongMasterDown {
		l.alive = m.now
		l.pinged = 0
	}
	for _, i := range l.users {
		if p == PongOK {
			i.rebooted = false
		}
		if p == PongBusy && i.sDown && i.kind != sentinel && !i.killedScript {
			m.killScript(i)
		}
		if i.sDown {
			m.rouse(&i.timer, m.now)
		}
	}
	if l.whole() {
		m.settle(&l.timer, l.pingDue)
	}
}

// killScript ends, once for each time that the server is down, a script by which it answers nobody.
func (m *Machine) killScript(i *instance) {
	i.killedScript = true
	if m.setup.Observe {
		m.wouldKillScript(i)
		return
	}
	m.do(KillScript{i.link.id, i.group.word("SCRIPT")})
	i.link.pending++
}

// stuckAt is when a connection that answers nothing is given up, Never if all is well: a command connection that is old enough to
// have answered a ping and has not for half the time that makes an instance down, and one of hellos that brings none, not even our own.
func (m *Machine) stuckAt(l *link) words.Instant {
	at := words.Never
	if l.commands.state != down && l.pinged != 0 {
		half := l.users[0].group.downAfter / 2
		at = min(at, max(l.commands.since.Add(m.periods.MinLinkReconnect), l.pinged.Add(half), l.ponged.Add(half)))
	}
	if l.listens && l.hellos.state != down {
		at = min(at, max(l.hellos.since.Add(m.periods.MinLinkReconnect), l.hellos.heard.Add(3*m.periods.Publish)))
	}
	if at == words.Never {
		return at
	}
	return at + 1
}

func (m *Machine) hangUpStuck(l *link) {
	if m.stuckAt(l) > m.now {
		return
	}
	half := l.users[0].group.downAfter / 2
	if l.commands.state != down && l.pinged != 0 && m.since(l.commands.since) > m.periods.MinLinkReconnect && m.since(l.pinged) > half && m.since(l.ponged) > half {
		m.drop(l, Commands)
	}
	if l.listens && l.hellos.state != down && m.since(l.hellos.since) > m.periods.MinLinkReconnect && m.since(l.hellos.heard) > 3*m.periods.Publish {
		m.drop(l, PubSub)
	}
}
