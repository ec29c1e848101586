package config

import (
	"bytes"
	"errors"
	"io/fs"
	"time"

	"redkeep/internal/words"
)

// Parse reads a configuration. file is its name, which errors begin with and which relative paths in it start from;
// mode is the file's own, which matters if it holds a secret. Whatever is wrong comes back as Errors, all of it at
// once as far as one mistake does not hide another; nothing printed from them or from the Config shows a secret.
func Parse(file string, mode fs.FileMode, text []byte, readFile ReadFile) (*Config, error) {
	r := &reader{file: file, readFile: readFile}
	config := r.parse(mode, text)
	sortProblems(r.problems)
	sortProblems(r.warnings)
	if len(r.problems) > 0 {
		return nil, Errors(r.problems)
	}
	config.Warnings = r.warnings
	return config, nil
}

// parse does it, leaving errors in the reader.
func (r *reader) parse(mode fs.FileMode, text []byte) *Config {
	if len(text) > MaxFile {
		r.wrong(place{1, 1}, "split the groups among several sets of agents", "the file has more than %d KiB", MaxFile>>10)
		return nil
	}
	if bytes.HasPrefix(text, []byte("\ufeff")) {
		r.wrong(place{1, 1}, "save it as UTF-8 without one", "the file begins with a byte order mark")
		return nil
	}
	// The library counts the end of a line twice where that is of two characters, and places would be wrong.
	root, err := parseTree(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")))
	if syntax := (*syntaxError)(nil); errors.As(err, &syntax) {
		r.wrong(syntax.place, syntax.do, "%s", syntax.what)
		return nil
	}
	if root.kind == kindNothing {
		r.wrong(place{1, 1}, "begin with secret_file, nodes and groups", "the file is empty")
		return nil
	}
	config := r.config(root)
	if r.holdsSecret && mode.Perm()&others != 0 {
		r.wrong(place{1, 1}, "run: chmod 600 "+r.file, "others may read this file and it holds a secret: mode %04o", mode.Perm())
	}
	return config
}

// config reads the top level.
func (r *reader) config(root value) *Config {
	c := &Config{
		Lease: DefaultLease, DownAfter: DefaultDownAfter, BusyAfter: DefaultBusyAfter,
		ColdStartWait: DefaultColdStartWait, Patience: DefaultPatience,
		ListenPort: DefaultListenPort, PeerPort: DefaultPeerPort,
	}
	var nodes, groups value
	seen := r.fields(root, "the file", []field{
		r.inline(&c.Secret, "secret"),
		r.fromFile(&c.Secret, "secret_file"),
		r.duration(&c.Lease, "lease", MinLease, MaxLease),
		r.duration(&c.DownAfter, "down_after", 50*time.Millisecond, time.Hour),
		r.duration(&c.BusyAfter, "busy_after", 50*time.Millisecond, 24*time.Hour),
		r.duration(&c.ColdStartWait, "cold_start_wait", 0, 24*time.Hour),
		r.duration(&c.Patience, "patience", 100*time.Millisecond, 24*time.Hour),
		r.listenPort(&c.ListenPort),
		r.inline(&c.ListenPassword, "listen_password"),
		r.fromFile(&c.ListenPassword, "listen_password_file"),
		{"listen_tls", func(v value) { r.listenTLS(&c.ListenTLS, v) }},
		r.port(&c.PeerPort, "peer_port"),
		{"nodes", func(v value) { nodes = v }},
		{"tie_breakers", func(v value) { c.TieBreakers = r.tieBreakers(v) }},
		{"groups", func(v value) { groups = v }},
	})
	if root.kind != kindMap {
		return c
	}
	if !r.one(seen, "secret") {
		r.wrong(root.place, "add secret_file: /etc/redkeep/secret", "no secret is given")
	}
	r.budgets(c, seen)
	r.one(seen, "listen_password")
	r.ownPorts(c, seen)
	if _, given := seen["nodes"]; !given {
		r.wrong(root.place, "add nodes: {a: 10.0.0.11, b: 10.0.0.12, c: 10.0.0.13}", "no nodes are given")
		return c // groups cannot be judged without them
	}
	c.Nodes = r.nodes(nodes)
	r.pair(c, seen)
	if _, given := seen["groups"]; !given {
		r.wrong(root.place, "add groups: {orders: {redis: 6379}}", "no groups are given")
		return c
	}
	c.Groups = r.groups(groups, c)
	r.impartial(c, seen["tie_breakers"])
	return c
}

// budgets checks the times against each other. Without a busy_after of its own, a long down_after carries it along.
func (r *reader) budgets(c *Config, seen map[string]place) {
	if c.BusyAfter >= c.DownAfter {
		return
	}
	if at, given := seen["busy_after"]; given {
		r.wrong(at, "a busy server deserves at least as long as a silent one: raise busy_after",
			"busy_after (%s) is shorter than down_after (%s)", short(c.BusyAfter), short(c.DownAfter))
		return
	}
	c.BusyAfter = c.DownAfter
}

// nodes reads the voters.
func (r *reader) nodes(v value) []Node {
	entries, ok := r.entries(v, "nodes")
	if !ok {
		return nil
	}
	var nodes []Node
	for _, e := range entries {
		name, good := r.name(e.key, "a node")
		addr, valid := r.address(e.value, "the address of node "+shown(e.key.text))
		if !good {
			continue
		}
		for _, other := range nodes {
			if valid && other.Addr == addr {
				r.wrong(e.value.place, "give each node its own host", "nodes %s and %s have the same address", other.Name, name)
			}
		}
		// A node whose address was refused stays, so that data naming it isn't refused as well.
		nodes = append(nodes, Node{words.Node(name), addr})
	}
	r.count(v.place, len(v.entries))
	return nodes
}

// count refuses numbers of voters that cannot or should not vote.
func (r *reader) count(at place, n int) {
	switch n {
	case 2, 3, 5, 7:
	case 0:
		r.wrong(at, "name three hosts", "nodes is empty")
	case 1:
		r.wrong(at, "name three; the second and third may be witnesses without a server", "one node has nobody to fail over to")
	case 4, 6:
		r.wrong(at, "add a witness, or leave one out", "%d nodes survive no more losses than %d do", n, n-1)
	default:
		r.wrong(at, "let 3, 5 or 7 of them vote", "%d nodes are too many: each lease needs the grants of a majority", n)
	}
}
