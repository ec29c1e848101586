package migration

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
)

// usualPort is Redis' own.
const usualPort = 6379

// write writes the file.
func (m *maker) write() []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Made by redkeep import. The same file on every node, owned by the user redkeep, mode 0600; every key: man redkeep.yaml")
	line("# Edit the places marked EDIT, until redkeep check says that the file is good.\n")
	line("# Made once, and copied to every node: openssl rand -hex 32")
	line("secret_file: %s\n", quote(m.answers.SecretFile))
	m.ask("secret_file: the nodes' common secret is to be in " + printable(m.answers.SecretFile) + "; make it once, and copy it to every node: openssl rand -hex 32")
	line("# How long a lost host costs: three of the advertisements that keepalived sent.\nlease: %s", m.lease)
	if m.downAfter > 0 {
		line("down_after: %s", m.downAfter)
	}
	m.nodes(line)
	line("\ngroups:")
	for _, g := range m.groups {
		m.group(g, line)
	}
	for _, g := range m.groups {
		if len(g.commands()) > len(g.checks()) {
			m.ask("notify: Redkeep runs no scripts; if one of them does more than give Redis its role, as telling somebody or another program, have that follow +switch-master")
		}
	}
	m.ask("groups.*.redis: each agent reaches its own server at 127.0.0.1; if one does not listen there, write redis: {port: ..., address: node}")
	return []byte(b.String())
}

// nodes writes the hosts, and makes room for those that are missing.
func (m *maker) nodes(line func(string, ...any)) {
	line("\nnodes:")
	for _, h := range m.hosts {
		if h.addr.IsValid() {
			line("  %s: %s", quote(h.name), address(h.addr))
			continue
		}
		of := "the other host"
		if h.config != nil {
			of = "the host of " + printable(h.config.Files[0].Name)
		}
		line("  %s: EDIT  # the address of %s", quote(h.name), of)
		m.ask(fmt.Sprintf("nodes.%s: the address at which the other nodes reach %s: add --node NAME=ADDRESS, in the order of the files, or edit it", printable(h.name), of))
	}
	switch n := len(m.hosts); {
	case m.pair():
		line("  # EDIT: a third one as a witness, any small host with an agent and no server, makes it a quorum that a partition can't split:")
		line("  #   w: 10.0.0.13")
		line("\n# EDIT: an address that a node must reach before it takes over, as the gateway's:\n# tie_breakers: [10.0.0.1]")
		m.ask("tie_breakers: two nodes can't tell a lost host from a lost network; name the gateway, or better add a third node as a witness")
	case n%2 == 0:
		m.ask(fmt.Sprintf("nodes: %d nodes survive no more losses than %d do: add a witness, or leave one out", n, n-1))
	}
}

// group writes one group.
func (m *maker) group(g *group, line func(string, ...any)) {
	line("  %s:", quote(g.name))
	for _, q := range g.questions {
		line("    # EDIT: %s", q)
		m.asks = append(m.asks, Note{g.first().At.File, g.first().At.Line, Asks, "groups." + g.name + ": " + q})
	}
	line("    redis: %s", m.server(g))
	if len(m.hosts) > len(g.hosts(m)) {
		line("    data: [%s]", strings.Join(g.hosts(m), ", "))
	}
	vips := make([]string, len(g.vips))
	for i, v := range g.vips {
		vips[i] = address(v)
	}
	if len(vips) == 1 {
		line("    vip: %s", vips[0])
	} else {
		line("    vip: [%s]", strings.Join(vips, ", "))
	}
	if vrid := g.first().VRID; m.pair() && vrid > 0 {
		line("    vrid: %d", vrid)
	}
	if g.prefer != "" {
		line("    prefer: %s\n    failback: synced", quote(g.prefer))
	}
}

// hosts are the names of the nodes with a server of the group: those whose file has it, and those without a file.
func (g *group) hosts(m *maker) []string {
	var names []string
	for n, h := range m.hosts {
		if h.config == nil || g.of[n] != nil {
			names = append(names, quote(h.name))
		}
	}
	return names
}

// server writes how the agents reach their servers.
func (m *maker) server(g *group) string {
	port := usualPort
	key := "groups." + g.name + ".redis"
	switch len(g.ports) {
	case 0:
		m.ask(fmt.Sprintf("%s: no script says the server's port; %d was taken, as Redis' own", key, port))
	case 1:
		port = g.ports[0]
	default:
		port = g.ports[0]
		var all []string
		for _, p := range g.ports {
			all = append(all, fmt.Sprint(p))
		}
		m.ask(fmt.Sprintf("%s: the scripts name several ports (%s); the first was taken", key, strings.Join(all, ", ")))
	}
	if !g.password {
		return fmt.Sprint(port)
	}
	m.ask(key + ".password_file: the scripts log in with a password, which is not repeated here: write it into a file of mode 0600, and the file's path here")
	return fmt.Sprintf("{port: %d, password_file: EDIT}", port)
}

// address writes an address, which YAML takes for other things where it is of IPv6.
func address(a netip.Addr) string {
	if a.Is4() {
		return a.String()
	}
	return `"` + a.String() + `"`
}

// quote writes a text so that YAML reads it as that text. Brackets are escaped, since the reader of redkeep.yaml counts them.
func quote(text string) string {
	if plain(text) {
		return text
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c < 0x80 && (c < ' ' || strings.ContainsRune("[]{}\x7f", c)):
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// plain reports whether a text can stand without quotes: a word that no version of YAML takes for something else.
func plain(text string) bool {
	switch strings.ToLower(text) {
	case "", "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return false
	}
	for i, c := range text {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '/'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '-' && c != '_' && c != '.') {
			return false
		}
	}
	return true
}

// printable keeps what a file holds from changing a terminal or the next line of what is written.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, text)
}
