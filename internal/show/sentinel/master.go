package sentinel

import (
	"net/netip"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// master is whom the face tells as a group's master.
type master struct {
	node  words.Node
	epoch words.Epoch
	// announced is the newest epoch that subscribers were told of.
	announced words.Epoch
	// down is since when nobody takes writes, as far as this face has seen; zero while somebody does.
	down time.Time
}

// downFor is for how many milliseconds nobody has taken writes.
func (m master) downFor() string {
	if m.down.IsZero() {
		return "0"
	}
	return itoa(time.Since(m.down).Milliseconds())
}

// master returns the node that clients are sent to: the newest that was opened for writing. While a failover is under
// way that is the old one, as with redis-sentinel: a client that is refused there tries again, whereas one that is told
// of a master too early would find a replica. ok is false until one has been seen.
func (f *Face) master(g picture.Group) (known master, ok bool) {
	f.known.Lock()
	defer f.known.Unlock()
	known = f.masters[g.Name]
	// The picture can be older than an announcement.
	if g.Writable && g.Master != "" && g.Epoch >= known.epoch {
		known.node, known.epoch, known.down = g.Master, g.Epoch, time.Time{}
		f.masters[g.Name] = known
	}
	if !g.Writable && known.down.IsZero() {
		known.down = time.Now()
		f.masters[g.Name] = known
	}
	return known, known.node != ""
}

// Announce tells the face, and the clients that have subscribed, that the group's master has moved and takes writes now.
// It publishes +switch-master once per epoch, and only where there was another master before.
func (f *Face) Announce(g words.Group, epoch words.Epoch, from, to words.Node) {
	n := f.config.Picture()
	f.known.Lock()
	defer f.known.Unlock()
	known := f.masters[g]
	if epoch < known.epoch || epoch <= known.announced || to == "" {
		return
	}
	if from == "" {
		from = known.node
	}
	known.node, known.epoch, known.announced, known.down = to, epoch, epoch, time.Time{}
	f.masters[g] = known
	group, _ := n.Group(g)
	before, after := address(n, group, from), address(n, group, to)
	if from == to || !before.IsValid() || !after.IsValid() {
		return
	}
	f.news = queue(f.news, switched(n, group, epoch, from, to)...)
	f.nudge()
}

// address is where clients reach the node's server of the group.
func address(n picture.Node, g picture.Group, node words.Node) netip.AddrPort {
	a, ok := n.Addrs[node]
	if !ok || g.RedisPort == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a, g.RedisPort)
}
