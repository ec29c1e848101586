package migration

import (
	"strconv"
	"time"

	"redkeep/internal/speak/sentinelconf"
)

// Node is a host that a person named, by the address at which the others reach it.
type Node struct{ Name, Addr string }

// Answers are what the files can't say.
type Answers struct {
	// SecretFile is where the nodes' common secret is, or will be.
	SecretFile string
	// Nodes are names for hosts, and hosts that shall vote besides those that the files know.
	Nodes []Node
	// Scripts are the contents of client-reconfig-scripts by their paths, as far as they could be read.
	Scripts map[string][]byte
}

// Result is a redkeep.yaml and the account of how it came about.
type Result struct {
	Text []byte
	// Secrets says that there is a password in the text.
	Secrets bool
	// Notes follow the files line by line; what is asked comes last.
	Notes []Note
}

// maker holds what the parts of the file are written from.
type maker struct {
	files   []*sentinelconf.File
	answers Answers
	groups  []*group
	byName  map[string]*group
	site    *site
	voters  []*host
	tls     *tls
	listen  listen

	downAfter            time.Duration
	listenPort, peerPort int

	secrets bool
	notes   []Note
	asks    []Note
}

// Make writes the file. There is at least one master in the files.
func Make(files []*sentinelconf.File, answers Answers) Result {
	m := &maker{files: files, answers: answers}
	m.groups, m.byName = groupsOf(files)
	m.site = siteOf(files, m.groups, answers.Nodes)
	m.voters = m.site.voters()
	m.tls = m.tlsOf(files[0])
	m.clients()
	m.times()
	m.ports()
	text := m.write()
	for _, f := range files {
		for i, l := range f.Lines {
			if fate, why := m.fate(f, l); fate != "" {
				m.notes = append(m.notes, Note{f.Name, i + 1, fate, why})
			}
		}
	}
	return Result{Text: text, Secrets: m.secrets, Notes: append(m.notes, m.asks...)}
}

// ask notes a question that no line raises.
func (m *maker) ask(text string) { m.asks = append(m.asks, Note{Fate: Asks, Text: text}) }

// The bounds of redkeep.yaml's down_after.
const (
	leastDownAfter = 50 * time.Millisecond
	mostDownAfter  = time.Hour
)

// times chooses down_after, which Redkeep has once for all groups: the longest, since a shorter one could take a master
// from a group that was told to be patient. Zero leaves Redkeep's own.
func (m *maker) times() {
	differ := false
	for _, g := range m.groups {
		for _, one := range g.all {
			differ = differ || one.DownAfter != m.groups[0].DownAfter
			m.downAfter = max(m.downAfter, one.DownAfter)
		}
	}
	given := false
	for _, f := range m.files {
		for _, l := range f.Lines {
			given = given || l.Statement() == "down-after-milliseconds"
		}
	}
	switch {
	case !given:
		m.downAfter = 0
		m.ask("down_after: no file has down-after-milliseconds, so that Redkeep's own is used, and not Sentinel's 30s")
	case differ:
		m.ask("down_after: the masters have different times, and Redkeep one for all: the longest was taken, " + m.downAfter.String())
	}
	if m.downAfter > 0 {
		m.downAfter = min(max(m.downAfter, leastDownAfter), mostDownAfter)
	}
}

// The ports that Redkeep uses if its file doesn't say others.
const (
	usualListenPort = 26379
	usualPeerPort   = 26380
)

// ports chooses the port for Sentinel's clients, and another for the agents where the usual one is taken by that.
func (m *maker) ports() {
	m.listenPort, m.peerPort = usualListenPort, usualPeerPort
	for i, f := range m.files {
		port := sentinelPort(f)
		if i == 0 && (port > 0 || m.listen.tls > 0) {
			m.listenPort = port
		}
		if i > 0 && port != sentinelPort(m.files[0]) {
			m.ask("listen_port: the files have different ports, and Redkeep one on all nodes: that of " + printable(m.files[0].Name) + " was taken")
		}
	}
	for m.peerPort == m.listenPort || m.peerPort == m.listen.tls {
		m.peerPort++
	}
	if m.peerPort != usualPeerPort {
		m.ask("peer_port: the usual " + strconv.Itoa(usualPeerPort) + " is the clients' here; is " + strconv.Itoa(m.peerPort) + " free on all nodes?")
	}
}

// sentinelPort is a file's own port, 0 where it listens with TLS alone or the line says nothing that could be one.
func sentinelPort(f *sentinelconf.File) int {
	if f.Last("port") == nil {
		return usualListenPort
	}
	port, err := strconv.ParseUint(word(f, "port"), 10, 16)
	if err != nil {
		return 0
	}
	return int(port)
}
