package sentinel

import (
	"slices"
	"strconv"

	"redkeep/internal/picture"
)

// The subcommands of SENTINEL that ask, and change nothing.

// masterAddr is what clients ask most.
func (c *Client) masterAddr(args [][]byte, r *reply) {
	host, port, ok := c.face.source.Addr(args[0])
	if !ok {
		r.nullArray()
		return
	}
	r.array(2)
	r.bulk(host)
	r.number(int64(port))
}

func (c *Client) master(args []string, r *reply) {
	m, ok := c.face.source.Master(args[0])
	if !ok {
		r.refuse(ErrNoSuchMaster)
		return
	}
	r.watched(&m)
}

// masters leaves out those whose master nobody knows yet, since one without an address would be news to every client.
func (c *Client) masters(_ []string, r *reply) {
	names := c.face.source.Names()
	all := make([]picture.Watched, 0, len(names))
	for _, name := range names {
		if m, ok := c.face.source.Master(name); ok {
			all = append(all, m)
		}
	}
	r.everyWatched(all)
}

func (c *Client) replicas(args []string, r *reply) {
	all, ok := c.face.source.AppendReplicas(nil, args[0])
	if !ok {
		r.refuse(ErrNoSuchMaster)
		return
	}
	r.everyWatched(slices.DeleteFunc(all, func(w picture.Watched) bool { return !w.ReplicaAnnounced }))
}

func (c *Client) sentinels(args []string, r *reply) {
	all, ok := c.face.source.AppendSentinels(nil, args[0])
	if !ok {
		r.refuse(ErrNoSuchMaster)
		return
	}
	r.everyWatched(all)
}

func (c *Client) myID(_ []string, r *reply) { r.bulk(c.face.source.Self().ID) }

// ckquorum answers whether enough Sentinels can be counted on: for the quorum, and for the majority that an election needs.
func (c *Client) ckquorum(args []string, r *reply) {
	q, ok := c.face.source.Quorum(args[0])
	if !ok {
		r.refuse(ErrNoSuchMaster)
		return
	}
	usable := strconv.Itoa(q.Usable)
	noQuorum, noMajority := q.Usable < q.Needed, q.Usable < q.Voters/2+1
	text := "NOQUORUM " + usable + " usable Sentinels. "
	if noQuorum {
		text += "Not enough available Sentinels to reach the specified quorum for this master"
	}
	if noQuorum && noMajority {
		text += ". "
	}
	if noMajority {
		text += "Not enough available Sentinels to reach the majority and authorize a failover"
	}
	if noQuorum || noMajority {
		r.error(text)
		return
	}
	r.simple("OK " + usable + " usable Sentinels. Quorum and failover authorization can be reached")
}

// infoCache answers with the last INFO of all servers of the groups that are named; unknown names are passed over.
func (c *Client) infoCache(names []string, r *reply) {
	known := make(map[string][]Cached, len(names))
	for _, name := range names {
		if all, ok := c.face.source.AppendCached(nil, name); ok {
			known[name] = all
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return known[name] == nil })
	r.array(2 * len(names)) // in RESP3, too
	for _, name := range names {
		r.bulk(name)
		r.array(len(known[name]))
		for _, one := range known[name] {
			r.array(2)
			r.integer(max(0, one.Age.Milliseconds()))
			if one.Known {
				r.bulk(one.Info)
			} else {
				r.null()
			}
		}
	}
}

func (c *Client) pendingScripts(_ []string, r *reply) {
	all := c.face.source.Scripts()
	r.array(len(all))
	for _, s := range all {
		state, time := "scheduled", "run-delay"
		if s.Running {
			state, time = "running", "run-time"
		}
		r.dict(5)
		r.bulk("argv")
		r.array(len(s.Argv))
		r.strings(s.Argv...)
		r.strings("flags", state, "pid")
		r.number(int64(s.PID))
		r.bulk(time)
		r.number(max(0, s.Time.Milliseconds()))
		r.bulk("retry-num")
		r.number(int64(s.Retry))
	}
}

// isMasterDown is the question of one Sentinel to another, who looks at the types of what it is answered.
func (c *Client) isMasterDown(args []string, r *reply) {
	port, ok := integer(args[1])
	epoch, ok2 := integer(args[2])
	if !ok || !ok2 {
		r.error(notInteger)
		return
	}
	q := DownQuestion{Host: args[0], Port: int(port), Epoch: uint64(epoch), RunID: args[3]}
	c.face.source.MasterDown(q, awaits(c, r, func(r *reply, a DownAnswer) {
		down, leader := int64(0), a.Leader
		if a.Down {
			down = 1
		}
		if leader == "" {
			leader = "*"
		}
		r.array(3)
		r.integer(down)
		r.bulk(leader)
		r.integer(int64(a.LeaderEpoch))
	}))
}

// integer reads a number as Redis does: one that would be printed the same.
func integer(s string) (n int64, ok bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == s
}
