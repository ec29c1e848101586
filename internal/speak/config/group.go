package config

import (
	"net/netip"
	"slices"
	"strings"

	"redkeep/internal/words"
)

// places are where the things of a group stand that are compared with those of other groups.
type places struct{ name, port, tls, replication, vrid place }

// groups reads all groups, and then compares them with each other.
func (r *reader) groups(v value, c *Config) []Group {
	entries, ok := r.entries(v, "groups")
	if !ok {
		return nil
	}
	if len(entries) == 0 {
		r.wrong(v.place, "add one: orders: {redis: 6379}", "groups is empty")
	}
	var groups []Group
	var at []places
	for _, e := range entries {
		name, good := r.name(e.key, "a group")
		if !good {
			continue
		}
		g, p := r.group(words.Group(name), e.value, c)
		p.name = e.key.place
		groups, at = append(groups, g), append(at, p)
	}
	r.clashes(groups, at, c)
	return groups
}

// group reads one group.
func (r *reader) group(name words.Group, v value, c *Config) (Group, places) {
	g := Group{Name: name, Server: Server{Loopback: netip.AddrFrom4([4]byte{127, 0, 0, 1})}}
	var at places
	var prefer value
	for _, n := range c.Nodes {
		g.Data = append(g.Data, n.Name)
	}
	of := "group " + string(name)
	seen := r.fields(v, of, []field{
		{"redis", func(v value) { at = r.server(&g.Server, v, of) }},
		{"data", func(v value) { g.Data = r.data(v, of, c) }},
		{"gate", func(v value) { r.gate(&g.Gate, v) }},
		{"gate_exempt", func(v value) { g.GateExempt = r.exempt(v) }},
		{"vip", func(v value) { g.VIPs = r.vips(v, of, c) }},
		{"vrid", func(v value) { r.vrid(&g, v) }},
		{"prefer", func(v value) { prefer = v }},
		{"failback", func(v value) { r.failback(&g, v, of) }},
	})
	if at, given := seen["prefer"]; given {
		r.prefer(&g, prefer, of, c)
		if _, said := seen["failback"]; !said {
			g.Failback = FailbackSynced
		}
	} else if at, given = seen["failback"]; given && g.Failback != FailbackNever {
		r.wrong(at, "add prefer: and the node's name", "failback of %s has nothing to go back to", of)
	}
	at.vrid = r.router(&g, v.place, seen, c)
	if _, given := seen["redis"]; !given && v.kind == kindMap {
		r.wrong(v.place, "add redis: 6379", "%s has no redis", of)
	}
	r.weaknesses(g, seen)
	return g, at
}

// weaknesses warns of what is allowed and less than it seems.
func (r *reader) weaknesses(g Group, seen map[string]place) {
	switch {
	case g.Gate == GateOff:
		r.warn(seen["gate"], "set gate: on", "group %s has no gate: two masters are possible for as long as an agent is slow", g.Name)
	case g.Gate == GateWatch:
		r.warn(seen["gate"], "set gate: on when its counters stay empty", "group %s only counts what the gate would refuse", g.Name)
	}
	if at, given := seen["gate_exempt"]; given && len(g.GateExempt) > 0 {
		if g.Gate == GateOff {
			r.warn(at, "leave it out", "gate_exempt of group %s has no effect without a gate", g.Name)
		} else {
			r.warn(at, "leave it out for a hard fence", "group %s has exempt users, so its fence is partial", g.Name)
		}
	}
	if at, given := seen["data"]; given && len(g.Data) == 1 {
		r.warn(at, "add a second data node", "group %s has one server and nothing to fail over to", g.Name)
	}
}

// data reads the names of the data nodes, and returns them in the order of the nodes.
func (r *reader) data(v value, of string, c *Config) []words.Node {
	chosen := make(map[words.Node]bool)
	items := r.list(v, "data of "+of, "[a, b]")
	for _, item := range items {
		text, ok := r.word(item, "a node in data")
		if !ok {
			continue
		}
		name := words.Node(text)
		if _, known := c.Node(name); !known {
			do := "add it to nodes, or use one of " + strings.Join(c.nodeNames(), ", ")
			if near, ok := words.Nearest(text, c.nodeNames()); ok {
				do = "did you mean " + near + "?"
			}
			r.wrong(item.place, do, "data of %s names node %q, which nodes does not have", of, shown(text))
			continue
		}
		if chosen[name] {
			r.wrong(item.place, "name it once", "data of %s names node %s twice", of, name)
		}
		chosen[name] = true
	}
	if v.kind == kindList && len(items) == 0 {
		r.wrong(v.place, "name the nodes with a server, or leave data out if all have one", "data of %s is empty", of)
	}
	var data []words.Node
	for _, n := range c.Nodes {
		if chosen[n.Name] {
			data = append(data, n.Name)
		}
	}
	return data
}

// gate reads the gate's use. YAML 1.1 took on and off for true and false, and some editors write those.
func (r *reader) gate(into *Gate, v value) {
	for _, g := range []Gate{GateOn, GateWatch, GateOff} {
		if v.kind == kindText && v.text == g.String() {
			*into = g
			return
		}
	}
	if v.kind == kindText || v.kind == kindBool {
		r.wrong(v.place, "write on, watch or off", "gate cannot be %q", shown(v.text))
		return
	}
	r.wrong(v.place, "write on, watch or off", "gate cannot be %s", v.kind)
}

// exempt reads the users whom the gate lets through.
func (r *reader) exempt(v value) []string {
	var users []string
	for _, item := range r.list(v, "gate_exempt", "[backup]") {
		user, ok := r.name(item, "a user in gate_exempt")
		if !ok {
			continue
		}
		if slices.Contains(users, user) {
			r.wrong(item.place, "name it once", "gate_exempt names %s twice", user)
		}
		users = append(users, user)
	}
	return users
}

// clashes compares groups with each other and with the agents' own ports. Two groups may use the same port only if no
// host serves both.
func (r *reader) clashes(groups []Group, at []places, c *Config) {
	for i, g := range groups {
		for _, p := range g.Server.Ports() {
			where := at[i].port
			if p == g.Server.TLS.Port {
				where = at[i].tls
			}
			if c.isOwn(p) {
				r.wrong(where, "choose another, or change listen_port or peer_port", "port %d of group %s is the agents' own", p, g.Name)
			}
			for _, other := range groups[:i] {
				if shared := slices.IndexFunc(g.Data, other.HasData); shared >= 0 && slices.Contains(other.Server.Ports(), p) {
					r.wrong(where, "give each its own port", "groups %s and %s both use port %d on node %s", other.Name, g.Name, p, g.Data[shared])
				}
			}
		}
		for _, other := range groups[:i] {
			if addr, place, both := sharedVIP(g, other); both {
				r.wrong(place, "give each group its own", "groups %s and %s have the same vip %s", other.Name, g.Name, addr)
			}
			if g.VRID != 0 && g.VRID == other.VRID {
				r.wrong(at[i].vrid, "write vrid: N, from 1 to 255, for one of them", "groups %s and %s both have vrid %d", other.Name, g.Name, g.VRID)
			}
		}
	}
}
