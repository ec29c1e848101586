package migration

import (
	"slices"
	"strings"

	"redkeep/internal/speak/sentinelconf"
)

// group is one master as all files together have it.
type group struct {
	*sentinelconf.Master
	// all are what each file says of it.
	all []*sentinelconf.Master
	// file is the one whose word counts: it has seen the latest failover.
	file *sentinelconf.File
	// servers are the addresses of the master and its replicas in all files, each host once.
	servers []sentinelconf.Address
	ports   map[string]int
	// scripts are the paths of its client-reconfig-scripts.
	scripts []string
	// questions are what this group's place in the file must be edited for.
	questions []string
}

// groupsOf puts the files' masters together by their names, in the order in which they first come. It returns them by
// their names too.
func groupsOf(files []*sentinelconf.File) ([]*group, map[string]*group) {
	var groups []*group
	byName := make(map[string]*group)
	for _, f := range files {
		for _, m := range f.Masters {
			g := byName[m.Name]
			if g == nil {
				g = &group{Master: m, file: f, ports: make(map[string]int)}
				byName[m.Name], groups = g, append(groups, g)
			}
			g.add(m)
			if m.ConfigEpoch > g.ConfigEpoch {
				g.Master, g.file = m, f
			}
		}
	}
	for _, g := range groups {
		g.compare()
	}
	return groups, byName
}

// add takes the servers and scripts that one file has.
func (g *group) add(m *sentinelconf.Master) {
	g.all = append(g.all, m)
	for _, a := range append([]sentinelconf.Address{m.Addr}, m.Replicas...) {
		port, known := g.ports[a.Host]
		switch {
		case a.Port == 0: // known to be wrong, and written down as such
		case !known:
			g.servers, g.ports[a.Host] = append(g.servers, a), a.Port
		case port != a.Port:
			g.ask("two servers of it are on the host " + printable(a.Host) + ": Redkeep takes one a host, at the same port on all")
		}
	}
	if s := m.ReconfigScript; s != "" && !slices.Contains(g.scripts, s) {
		g.scripts = append(g.scripts, s)
	}
}

// ask notes a question once, and no more of them than somebody would read.
func (g *group) ask(text string) {
	const most = 20
	if len(g.questions) < most && !slices.Contains(g.questions, text) {
		g.questions = append(g.questions, text)
	}
}

// compare asks about what differs where it may not.
func (g *group) compare() {
	for _, a := range g.servers {
		if a.Port != g.Addr.Port {
			g.ask("the server at " + printable(a.String()) + " has another port than the master: Redkeep takes one port on all data nodes")
		}
	}
	for _, m := range g.all {
		if m.AuthUser != g.AuthUser || m.AuthPass != g.AuthPass {
			g.ask("the files have different logins; this is that of " + printable(g.file.Name))
		}
		if !slices.EqualFunc(m.Renames, g.Renames, sameRename) {
			g.ask("the files rename different commands; these are those of " + printable(g.file.Name))
		}
	}
	if len(g.servers) < 2 {
		g.ask("no replica is known; add the nodes with replicas to data")
	}
	if g.AuthUser != "" && g.AuthPass.Empty() {
		g.ask("there is a user and no password, with which Sentinel does not log in; it is left out")
	}
}

// sameRename compares the commands without regard to case, as Redis does.
func sameRename(a, b sentinelconf.Rename) bool {
	return strings.EqualFold(a.Command, b.Command) && a.Name == b.Name
}
