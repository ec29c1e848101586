package sentinel

import (
	"strings"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// query is one subcommand of SENTINEL that asks about a group.
type query func(*Face, picture.Node, picture.Group, *reply)

// queries are the subcommands that name a group.
var queries = map[string]query{
	"get-master-addr-by-name": (*Face).masterAddr,
	"master":                  (*Face).writeMaster,
	"replicas":                (*Face).replicas,
	"slaves":                  (*Face).replicas,
	"sentinels":               (*Face).sentinels,
	"ckquorum":                (*Face).ckquorum,
}

func (c *client) sentinel(args []string, r *reply) {
	sub := strings.ToLower(args[0])
	args = args[1:]
	n := c.face.config.Picture()
	switch ask, ok := queries[sub]; {
	case ok:
		if arity(r, "sentinel|"+sub, args, 1) {
			c.face.about(n, words.Group(args[0]), sub, ask, r)
		}
	case sub == "masters":
		if arity(r, "sentinel|masters", args, 0) {
			c.face.everyMaster(n, r)
		}
	case sub == "myid":
		if arity(r, "sentinel|myid", args, 0) {
			r.bulk(identity(n, n.Node))
		}
	default:
		r.error("ERR unknown subcommand '" + short(sub) + "'. Try SENTINEL HELP.")
	}
}

// short keeps a foreign word in an error short.
func short(word string) string { return word[:min(len(word), 128)] }

// noSuchMaster is what clients compare with.
const noSuchMaster = "ERR No such master with that name"

// about answers a query on one group. Clients tell a name that is not known by the null, and by this very error.
func (f *Face) about(n picture.Node, name words.Group, sub string, ask query, r *reply) {
	g, ok := n.Group(name)
	switch {
	case ok:
		ask(f, n, g, r)
	case sub == "get-master-addr-by-name":
		r.nullArray()
	default:
		r.error(noSuchMaster)
	}
}

// masterAddr answers null until a master has been opened: to name one that takes no writes would be worse.
func (f *Face) masterAddr(n picture.Node, g picture.Group, r *reply) {
	m, ok := f.master(g)
	a := address(n, g, m.node)
	if !ok || !a.IsValid() {
		r.nullArray()
		return
	}
	r.array(2)
	r.strings(a.Addr().String(), itoa(a.Port()))
}

// everyMaster answers MASTERS. A group that never had a master is left out, since a master without an address would be
// news to every client.
func (f *Face) everyMaster(n picture.Node, r *reply) {
	var known []picture.Group
	for _, g := range n.Groups {
		if _, ok := f.master(g); ok {
			known = append(known, g)
		}
	}
	r.array(len(known))
	for _, g := range known {
		f.writeMaster(n, g, r)
	}
}

// ckquorum answers whether enough voters are heard for an election.
func (f *Face) ckquorum(_ picture.Node, g picture.Group, r *reply) {
	voters, usable := 0, 0
	for _, m := range g.Members {
		if !m.Voter {
			continue
		}
		voters++
		if f.heard(g, m) {
			usable++
		}
	}
	if usable < quorum(g) {
		r.error("NOQUORUM " + itoa(usable) + " usable Sentinels. That is no majority of the " + itoa(voters) + " that vote")
		return
	}
	r.simple("OK " + itoa(usable) + " usable Sentinels. That is a majority of the " + itoa(voters) + " that vote")
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
