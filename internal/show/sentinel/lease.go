package sentinel

import (
	"sync"
	"sync/atomic"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// LeaseConfig is what a Lease stands on. All but Picture may be nil.
type LeaseConfig struct {
	// Picture returns the newest picture; it must not block.
	Picture func() *picture.Node
	// DownAfter is shown as down-after-milliseconds; an agent that was not heard for as long is shown as down.
	DownAfter time.Duration
	// Password is what clients log in with, as with redis-sentinel's requirepass; an empty one is that they need not.
	Password words.Secret
	// Failover switches a group over to its best replica, and says on the face's goroutine how that went: with a *Refusal where
	// the group's master won't. It must not wait. A face without it only tells.
	Failover func(g words.Group, done func(error))
	// Post has something called soon on the face's goroutine; it is called by any, and must not wait. Without it, subscribers are
	// told with the next request.
	Post func(func())
	// After has something called on the face's goroutine when some time has passed; it is called by that. Without it, subscribers
	// are told of switches only.
	After func(time.Duration, func())
}

// Lease is the source of `redkeep run`: it tells of what the agent's picture shows, in Sentinel's words. All but Announce
// belongs to its face's goroutine.
type Lease struct {
	config LeaseConfig
	face   *Face

	// seen is the picture that masters, names and addrs were last brought up to.
	seen    *picture.Node
	masters map[words.Group]master
	names   []string
	addrs   map[string]hostPort
	// switching are the groups that a client has asked to be switched over, and waits.
	switching map[words.Group]struct{}

	// listened says that somebody listens, looking that the next look has been ordered; last is what was seen then.
	listened, looking bool
	last              sight

	// told says that there is something in news. It spares whoever asks the lock.
	told atomic.Bool
	mu   sync.Mutex // guards what follows; it is held for no longer than an append
	news []announced
}

// hostPort is where clients are sent.
type hostPort struct {
	host string
	port int
}

// master is whom the face tells as a group's master.
type master struct {
	node  words.Node
	epoch words.Epoch
	// announced is the newest epoch that subscribers were told of.
	announced words.Epoch
	// down is since when nobody takes writes, as far as this face has seen; zero while somebody does.
	down time.Time
}

// announced is one call of Announce.
type announced struct {
	group    words.Group
	epoch    words.Epoch
	from, to words.Node
}

// NewLease returns a source and its face, which serves so many clients (0 means DefaultClients).
func NewLease(c LeaseConfig, clients int) (*Lease, *Face) {
	if c.Post == nil {
		c.Post = func(func()) {}
	}
	if c.After == nil {
		c.After = func(time.Duration, func()) {}
	}
	l := &Lease{config: c, masters: map[words.Group]master{}, addrs: map[string]hostPort{}, switching: map[words.Group]struct{}{}}
	l.face = New(Config{Source: l, Clients: clients, Listened: l.listen, Password: c.Password})
	return l, l.face
}

// maxNews bounds the announcements that the face has not taken yet: far more than there are groups.
const maxNews = 10_000

// Announce tells the face, and the clients that have subscribed, that the group's master has moved and takes writes now. It may
// be called from any goroutine, and waits for none. +switch-master is published once per epoch, and only where there was another
// master before.
func (l *Lease) Announce(g words.Group, epoch words.Epoch, from, to words.Node) {
	l.mu.Lock()
	l.news = append(l.news, announced{g, epoch, from, to})
	l.news = l.news[max(0, len(l.news)-maxNews):]
	first := !l.told.Swap(true)
	l.mu.Unlock()
	if first {
		l.config.Post(l.take)
	}
}

// take publishes what was announced.
func (l *Lease) take() {
	if !l.told.Load() {
		return
	}
	l.mu.Lock()
	news := l.news
	l.news = nil
	l.told.Store(false)
	l.mu.Unlock()
	for _, a := range news {
		l.move(a)
	}
}

// move takes a group's master to be where it was announced.
func (l *Lease) move(a announced) {
	known := l.masters[a.group]
	if a.epoch < known.epoch || a.epoch <= known.announced || a.to == "" {
		return
	}
	if a.from == "" {
		a.from = known.node
	}
	known.node, known.epoch, known.announced, known.down = a.to, a.epoch, a.epoch, time.Time{}
	l.masters[a.group] = known
	n := l.config.Picture()
	group, _ := n.Group(a.group)
	before, after := address(n, &group, a.from), address(n, &group, a.to)
	if after.IsValid() {
		l.addrs[string(a.group)] = hostPort{after.Addr().String(), int(after.Port())}
	}
	if a.from == a.to || !before.IsValid() || !after.IsValid() {
		return
	}
	l.publish(switched(n, &group, a.epoch, a.from, a.to))
}

func (l *Lease) publish(news []event) {
	for _, e := range news {
		l.face.Publish(e.channel, e.payload)
	}
}

// look brings what is known up to the newest picture, and returns that.
func (l *Lease) look() *picture.Node {
	l.take()
	n := l.config.Picture()
	if n == l.seen {
		return n
	}
	l.seen, l.names = n, l.names[:0]
	clear(l.addrs)
	for i := range n.Groups {
		g := &n.Groups[i]
		l.names = append(l.names, string(g.Name))
		known, ok := l.master(g)
		if a := address(n, g, known.node); ok && a.IsValid() {
			l.addrs[string(g.Name)] = hostPort{a.Addr().String(), int(a.Port())}
		}
	}
	return n
}

// master returns the node that clients are sent to: the newest that was opened for writing. While a failover is under
// way that is the old one, as with redis-sentinel: a client that is refused there tries again, whereas one that is told
// of a master too early would find a replica. ok is false until one has been seen.
func (l *Lease) master(g *picture.Group) (known master, ok bool) {
	known = l.masters[g.Name]
	// The picture can be older than an announcement.
	if g.Writable && g.Master != "" && g.Epoch >= known.epoch {
		known.node, known.epoch, known.down = g.Master, g.Epoch, time.Time{}
		l.masters[g.Name] = known
	}
	if !g.Writable && known.down.IsZero() {
		known.down = time.Now()
		l.masters[g.Name] = known
	}
	return known, known.node != ""
}

// group returns a group of the newest picture; nil where there is none of that name.
func (l *Lease) group(name string) (*picture.Node, *picture.Group) {
	n := l.look()
	for i := range n.Groups {
		if string(n.Groups[i].Name) == name {
			return n, &n.Groups[i]
		}
	}
	return n, nil
}

// lookEvery is how often pictures are compared while somebody listens. A switch does not wait for it.
const lookEvery = 100 * time.Millisecond

// listen begins to compare pictures, or ends it. Who listens next is not told what was before.
func (l *Lease) listen(yes bool) {
	l.listened = yes
	if !yes {
		return
	}
	l.last, _ = l.compare(sight{})
	if !l.looking {
		l.looking = true
		l.config.After(lookEvery, l.lookAgain)
	}
}

// lookAgain tells the subscribers what has changed.
func (l *Lease) lookAgain() {
	if l.looking = l.listened; !l.listened {
		l.last = sight{}
		return
	}
	var news []event
	l.last, news = l.compare(l.last)
	l.publish(news)
	l.config.After(lookEvery, l.lookAgain)
}
