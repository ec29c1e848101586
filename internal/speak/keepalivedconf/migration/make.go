package migration

import (
	"time"

	"redkeep/internal/speak/keepalivedconf"
)

// Node is a host that a person named, by the address at which the others reach it.
type Node struct{ Name, Addr string }

// Answers are what the files can't say.
type Answers struct {
	// SecretFile is where the nodes' common secret is, or will be.
	SecretFile string
	// Nodes are names for hosts. One whose address a file has for its own is that file's; the others are those of the files
	// that don't say theirs, in their order, and then more hosts.
	Nodes []Node
	// Scripts are the contents of programs by their paths, as far as they could be read.
	Scripts map[string][]byte
}

// Result is a redkeep.yaml and the account of how it came about.
type Result struct {
	Text []byte
	// Notes follow the files line by line; what is asked comes last.
	Notes []Note
}

// maker holds what the parts of the file are written from.
type maker struct {
	configs []*keepalivedconf.Config
	answers Answers
	hosts   []*host
	groups  []*group

	lease, downAfter time.Duration
	notes, asks      []Note
}

// Make writes the file; there is at least one instance in the configurations, each of which is one host's.
func Make(configs []*keepalivedconf.Config, answers Answers) Result {
	m := &maker{configs: configs, answers: answers}
	m.hosts = m.hostsOf()
	m.groups = m.groupsOf()
	m.times()
	text := m.write()
	for _, c := range configs {
		m.fates(c)
	}
	return Result{Text: text, Notes: append(m.notes, m.asks...)}
}

// ask notes a question that no line raises.
func (m *maker) ask(text string) {
	for _, a := range m.asks {
		if a.Text == text {
			return
		}
	}
	m.asks = append(m.asks, Note{Fate: Asks, Text: text})
}

// pair reports whether two nodes come of it, of which VRRP decides.
func (m *maker) pair() bool { return len(m.hosts) == 2 }

// The bounds of redkeep.yaml's lease and down_after.
const (
	leastLease = 200 * time.Millisecond
	mostLease  = time.Minute
)

// times chooses the lease, which is three advertisements as keepalived waits for a master, and down_after, which is as long as
// the checks take to fail. Redkeep has one of each for all groups: the longest.
func (m *maker) times() {
	for _, g := range m.groups {
		for _, i := range g.of {
			if i == nil {
				continue
			}
			m.lease = max(m.lease, 3*i.AdvertInt)
		}
		for _, s := range g.checks() {
			m.downAfter = max(m.downAfter, s.Interval*time.Duration(min(s.Fall, 1000)))
		}
	}
	m.lease = min(max(m.lease, leastLease), mostLease)
	if m.downAfter > 0 {
		m.downAfter = min(max(m.downAfter, leastLease), time.Hour)
	}
}
