package sentinel

import (
	"net/netip"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// master is whom the face tells as a group's master.
type master struct {
	node  words.Node
	epoch words.Epoch
	// announced is the newest epoch that subscribers were told of.
	announced words.Epoch
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
		known.node, known.epoch = g.Master, g.Epoch
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
	known.node, known.epoch, known.announced = to, epoch, epoch
	f.masters[g] = known
	group, _ := n.Group(g)
	before, after := address(n, group, from), address(n, group, to)
	if from == to || !before.IsValid() || !after.IsValid() {
		return
	}
	f.news = queue(f.news, event{group: g, from: before, to: after})
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// address is where clients reach the node's server of the group.
func address(n picture.Node, g picture.Group, node words.Node) netip.AddrPort {
	a, ok := n.Addrs[node]
	if !ok || g.RedisPort == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a, g.RedisPort)
}
