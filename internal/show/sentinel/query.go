package sentinel

import (
	"net/netip"
	"strconv"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// The subcommands of SENTINEL that ask, and change nothing.

// query is one of those that name a group.
type query func(*Face, picture.Node, picture.Group, *reply)

// named answers a query on one group; a name that is not known is told by the very error that clients compare with.
func named(ask query) func(*client, []string, *reply) {
	return func(c *client, args []string, r *reply) {
		n := c.face.config.Picture()
		if g, ok := n.Group(words.Group(args[0])); ok {
			ask(c.face, n, g, r)
			return
		}
		r.error(noSuchMaster)
	}
}

// masterAddr answers null until a master has been opened: to name one that takes no writes would be worse.
func (c *client) masterAddr(args []string, r *reply) {
	n := c.face.config.Picture()
	g, ok := n.Group(words.Group(args[0]))
	if ok {
		m, known := c.face.master(g)
		if a := address(n, g, m.node); known && a.IsValid() {
			r.array(2)
			r.strings(a.Addr().String(), itoa(a.Port()))
			return
		}
	}
	r.nullArray()
}

// masters answers for all groups. One that never had a master is left out, since a master without an address would be
// news to every client.
func (c *client) masters(_ []string, r *reply) {
	n := c.face.config.Picture()
	var known []picture.Group
	for _, g := range n.Groups {
		if _, ok := c.face.master(g); ok {
			known = append(known, g)
		}
	}
	r.array(len(known))
	for _, g := range known {
		c.face.writeMaster(n, g, r)
	}
}

func (c *client) myID(_ []string, r *reply) {
	n := c.face.config.Picture()
	r.bulk(identity(n, n.Node))
}

// isMasterDown is the question of one Sentinel to another, who may want a vote with it. A lease's votes are not given to
// whoever asks on this port, so none is: a leader * with epoch 0 is what a Sentinel says that was not asked for one.
func (c *client) isMasterDown(args []string, r *reply) {
	port, err := strconv.ParseInt(args[1], 10, 64)
	_, err2 := strconv.ParseInt(args[2], 10, 64)
	if err != nil || err2 != nil {
		r.error(notInteger)
		return
	}
	down := int64(0)
	ip, err := netip.ParseAddr(args[0])
	if err == nil && port > 0 && port < 1<<16 {
		down = c.face.downAt(netip.AddrPortFrom(ip, uint16(port)))
	}
	r.array(3)
	r.integer(down)
	r.bulk("*")
	r.integer(0)
}

// downAt is 1 where the address is that of a group's master, and nobody takes writes there.
func (f *Face) downAt(at netip.AddrPort) int64 {
	n := f.config.Picture()
	for _, g := range n.Groups {
		if m, ok := f.master(g); ok && !g.Writable && address(n, g, m.node) == at {
			return 1
		}
	}
	return 0
}

// ckquorum answers whether enough voters are heard for an election.
func (f *Face) ckquorum(_ picture.Node, g picture.Group, r *reply) {
	usable, need := f.usable(g), quorum(g)
	if usable < need {
		r.error("NOQUORUM " + itoa(usable) + " usable Sentinels. Not enough available Sentinels to reach the specified quorum for this master. " +
			"Not enough available Sentinels to reach the majority and authorize a failover")
		return
	}
	r.simple("OK " + itoa(usable) + " usable Sentinels. Quorum and failover authorization can be reached")
}

// usable counts the voters that are heard, this node's among them.
func (f *Face) usable(g picture.Group) (n int) {
	for _, m := range g.Members {
		if m.Voter && f.heard(g, m) {
			n++
		}
	}
	return n
}

// quorum is a majority of the voters: Redkeep has no other.
func quorum(g picture.Group) int {
	voters := 0
	for _, m := range g.Members {
		if m.Voter {
			voters++
		}
	}
	return voters/2 + 1
}

// heard reports whether the member's agent has been heard lately.
func (f *Face) heard(g picture.Group, m picture.Member) bool {
	return m.Node == g.Self || m.Heard >= 0 && m.Heard <= f.config.DownAfter
}

// infoCache answers how old what is known of each server is; the texts of INFO themselves are not kept.
func (c *client) infoCache(names []string, r *reply) {
	n := c.face.config.Picture()
	var known []picture.Group
	for _, name := range names {
		if g, ok := n.Group(words.Group(name)); ok {
			known = append(known, g)
		}
	}
	r.array(2 * len(known)) // in RESP3, too
	for _, g := range known {
		r.bulk(string(g.Name))
		m, _ := c.face.master(g)
		replicas := replicasOf(g, m.node)
		r.array(1 + len(replicas))
		master, _ := g.Member(m.node)
		for _, m := range append([]picture.Member{master}, replicas...) {
			r.array(2)
			r.integer(max(0, m.Heard.Milliseconds()))
			r.null()
		}
	}
}

func (c *client) pendingScripts(_ []string, r *reply) { r.array(0) }
