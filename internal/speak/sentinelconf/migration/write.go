package migration

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// renamable are the commands that agents send to servers.
var renamable = []string{"AUTH", "CLIENT", "COMMAND", "CONFIG", "INFO", "REPLICAOF", "SETRANGE", "SLAVEOF"}

// write writes the file.
func (m *maker) write() []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Made by redkeep import. The same file on every node, owned by the user redkeep, mode 0600; every key: man redkeep.yaml")
	line("# Edit the places marked EDIT, until redkeep check says that the file is good.\n")
	line("# Made once, and copied to every node: openssl rand -hex 32")
	line("secret_file: %s\n", quote(m.answers.SecretFile))
	m.ask("secret_file: the nodes' common secret is to be in " + printable(m.answers.SecretFile) + "; make it once, and copy it to every node: openssl rand -hex 32")
	line("# How long a lost host costs, which no sentinel.conf says: 200ms to 60s.\nlease: 3s")
	if m.downAfter > 0 {
		line("down_after: %s", m.downAfter)
	}
	m.writeListen(line)
	if m.peerPort != usualPeerPort {
		line("peer_port: %d", m.peerPort)
	}
	m.nodes(line)
	line("\ngroups:")
	for _, g := range m.groups {
		m.group(g, line)
	}
	m.rights()
	m.ask("groups.*.redis: each agent reaches its own server at 127.0.0.1; if one does not listen there, write redis: {port: ..., address: node}")
	return []byte(b.String())
}

// rights asks about what agents do with servers and Sentinel doesn't: its user and its list of renamed commands may be too
// narrow.
func (m *maker) rights() {
	if slices.ContainsFunc(m.groups, func(g *group) bool { return g.AuthUser != "" && !g.AuthPass.Empty() }) {
		m.ask("groups.*.redis.user: agents need some rights that Sentinel's user doesn't have, as SETRANGE on redkeep:probe:*, CONFIG SET, PSYNC " +
			"and REPLCONF; docs/adopt.md has the lines")
	}
	if slices.ContainsFunc(m.groups, func(g *group) bool { return len(g.Renames) > 0 }) {
		m.ask("groups.*.redis.rename: agents use commands that Sentinel doesn't: if the servers rename COMMAND, REPLICAOF or SETRANGE too, add them")
	}
}

// nodes writes the voters, and makes room for those that are missing.
func (m *maker) nodes(line func(string, ...any)) {
	line("\nnodes:")
	taken := make(map[string]bool)
	for _, h := range m.voters {
		taken[h.name] = true
		if h.addr.IsValid() {
			line("  %s: %s", quote(h.name), address(h.addr))
			continue
		}
		line("  %s: EDIT  # the address at which the other nodes reach %s", quote(h.name), printable(h.text))
		m.ask(fmt.Sprintf("nodes.%s: the address at which the other nodes reach %s: redkeep.yaml takes no names and no loopback",
			printable(h.name), printable(h.text)))
	}
	missing := max(0, 3-len(m.voters))
	if n := len(m.voters); missing == 0 && n%2 == 0 {
		missing = 1
	}
	for range missing {
		h := &host{}
		h.name = free(h, taken)
		taken[h.name] = true
		line("  %s: EDIT  # a host that is not in the file: with a replica, or a witness that only votes", h.name)
		m.ask(fmt.Sprintf("nodes.%s: the hosts that are known are %d, and 3, 5 or 7 are needed: add --node NAME=ADDRESS, or the sentinel.conf of the other hosts",
			h.name, len(m.voters)))
	}
	if len(m.voters) > 7 {
		m.ask(fmt.Sprintf("nodes: %d hosts have servers or were named, and 7 can vote in one file: make one for the groups of some of them", len(m.voters)))
	}
	for _, f := range m.files {
		if m.site.own[f] == "" && !m.beside() {
			m.asks = append(m.asks, Note{f.Name, 0, Asks,
				"which address its own host has, which it doesn't say: if that is none of the nodes and shall vote, add --node NAME=ADDRESS"})
		}
	}
}

// address writes an address, which YAML takes for other things where it is of IPv6.
func address(a netip.Addr) string {
	if a.Is4() {
		return a.String()
	}
	return quote(a.String())
}

// beside reports whether the Sentinels evidently run beside the servers, one of which is then the file's own.
func (m *maker) beside() bool {
	with := make(map[*host]bool)
	for _, f := range m.files {
		for _, one := range f.Masters {
			for _, p := range one.Sentinels {
				h := m.site.at(p.Addr.Host)
				if !h.data {
					return false
				}
				with[h] = true
			}
		}
	}
	data := 0
	for _, h := range m.site.hosts {
		if h.data {
			data++
		}
	}
	return len(with) == data-1 && data > 2
}

// group writes one group.
func (m *maker) group(g *group, line func(string, ...any)) {
	line("  %s:", quote(g.Name))
	for _, q := range g.questions {
		line("    # EDIT: %s", q)
		m.asks = append(m.asks, Note{g.file.Name, g.Line, Asks, groupKey(g.Name) + ": " + q})
	}
	line("    redis: %s", m.server(g))
	line("    data: [%s]", strings.Join(m.data(g), ", "))
	for _, script := range g.scripts {
		m.script(g, script, line)
	}
}

// data lists the nodes with a server of the group, in the order of the nodes.
func (m *maker) data(g *group) []string {
	hosts := make([]*host, len(g.servers))
	for i, a := range g.servers {
		hosts[i] = m.site.at(a.Host)
	}
	slices.SortFunc(hosts, func(a, b *host) int { return a.order - b.order })
	hosts = slices.Compact(hosts) // a name and an address may have turned out to be one host
	names := make([]string, len(hosts))
	for i, h := range hosts {
		names[i] = quote(h.name)
	}
	return names
}

// groupKey is a group's place in the file, as messages show it.
func groupKey(name string) string { return "groups." + printable(name) }

// server writes how the agents reach their servers.
func (m *maker) server(g *group) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if m.tls == nil {
		add("port: %d", g.Addr.Port)
	} else {
		ca := m.tls.ca
		if ca == "" {
			ca = "EDIT"
		}
		inner := fmt.Sprintf("port: %d, ca: %s", g.Addr.Port, quote(ca))
		if m.tls.cert != "" {
			inner += fmt.Sprintf(", cert: %s, key: %s", quote(m.tls.cert), quote(m.tls.key))
		}
		add("tls: {%s}", inner)
	}
	if password := g.AuthPass.Reveal(); password != "" {
		if g.AuthUser != "" {
			add("user: %s", quote(g.AuthUser))
		}
		if writable(password) {
			m.secrets = true
			add("password: %s", quote(password))
		} else {
			add("password_file: EDIT")
			m.ask(groupKey(g.Name) + ".redis.password_file: the password can't stand in the file, it is not text of one line")
		}
	}
	var renames []string
	for _, r := range g.Renames {
		if command := strings.ToUpper(r.Command); slices.Contains(renamable, command) {
			renames = append(renames, command+": "+quote(r.Name))
		}
	}
	if len(renames) > 0 {
		add("rename: {%s}", strings.Join(renames, ", "))
	}
	if len(parts) == 1 && m.tls == nil {
		return fmt.Sprint(g.Addr.Port)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// script asks whether a script moved an address, with what it names as a hint.
func (m *maker) script(g *group, name string, line func(string, ...any)) {
	hint, example := "", "10.0.0.100"
	if found := virtual(m.answers.Scripts[name], m.site.hosts); len(found) > 0 {
		hint, example = " (it names "+strings.Join(found, ", ")+")", found[0]
	}
	line("    # EDIT: if %s moves an address, Redkeep does that itself:\n    #   vip: %s", printable(name), example)
	m.ask(fmt.Sprintf("%s.vip: does %s move an address%s? Then write: vip: %s", groupKey(g.Name), printable(name), hint, example))
}
