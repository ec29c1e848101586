package migration

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"redkeep/internal/speak/keepalivedconf"
)

// group is one virtual router as all files together have it.
type group struct {
	name string
	// of has its instance in each file, nil where a file lacks it.
	of      []*keepalivedconf.Instance
	configs []*keepalivedconf.Config
	vips    []netip.Addr
	// ports are what its scripts name, password says that they log in.
	ports    []int
	password bool
	// prefer is the node that takes the address back, "" for none.
	prefer    string
	questions []string
}

// groupsOf puts the instances of the files together: by their number, as VRRP does, then by their names.
func (m *maker) groupsOf() []*group {
	var groups []*group
	for n, c := range m.configs {
		for i := range c.Instances {
			one := &c.Instances[i]
			if len(one.VIPs) == 0 {
				continue
			}
			at := slices.IndexFunc(groups, func(g *group) bool { return g.of[n] == nil && g.is(one, true) })
			if at < 0 {
				at = slices.IndexFunc(groups, func(g *group) bool { return g.of[n] == nil && g.is(one, false) })
			}
			if at < 0 {
				at = len(groups)
				groups = append(groups, &group{name: groupName(one.Name, groups), of: make([]*keepalivedconf.Instance, len(m.configs)), configs: m.configs})
			}
			groups[at].of[n] = one
		}
	}
	for _, g := range groups {
		g.addresses()
		m.facts(g)
		m.preferred(g)
	}
	return groups
}

// is reports whether an instance is the group's: by number, or else by name.
func (g *group) is(one *keepalivedconf.Instance, byNumber bool) bool {
	for _, i := range g.of {
		if i != nil && i.IPv6() == one.IPv6() && (byNumber && i.VRID == one.VRID || !byNumber && i.Name == one.Name) {
			return true
		}
	}
	return false
}

// groupName makes a name for redkeep.yaml of an instance's, that no other group has.
func groupName(name string, groups []*group) string {
	clean := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' {
			return c
		}
		return '_'
	}, name)
	clean = strings.TrimLeft(clean, "-.")
	if clean = clean[:min(len(clean), 50)]; clean == "" {
		clean = "redis"
	}
	free := clean
	for n := 2; slices.ContainsFunc(groups, func(g *group) bool { return g.name == free }); n++ {
		free = fmt.Sprintf("%s-%d", clean, n)
	}
	return free
}

// first is its instance in the first file that has it.
func (g *group) first() *keepalivedconf.Instance {
	for _, i := range g.of {
		if i != nil {
			return i
		}
	}
	return nil
}

// ask notes a question about this group, once.
func (g *group) ask(text string) {
	if !slices.Contains(g.questions, text) {
		g.questions = append(g.questions, text)
	}
}

// addresses takes one of each family, which is what Redkeep moves.
func (g *group) addresses() {
	for _, i := range g.of {
		if i == nil {
			continue
		}
		for _, v := range slices.Concat(i.VIPs, i.Excluded) {
			a := v.Prefix.Addr()
			switch at := slices.IndexFunc(g.vips, func(o netip.Addr) bool { return o.Is4() == a.Is4() }); {
			case at < 0:
				g.vips = append(g.vips, a)
			case g.vips[at] != a:
				g.ask(fmt.Sprintf("there is %s too, and Redkeep moves one address of each family with a group", a))
			}
		}
	}
}

// checks are the scripts that its instances follow.
func (g *group) checks() []*keepalivedconf.Script {
	var all []*keepalivedconf.Script
	for n, i := range g.of {
		if i == nil {
			continue
		}
		for _, t := range i.Scripts {
			if s := g.configs[n].Script(t.Name); s != nil {
				all = append(all, s)
			}
		}
	}
	return all
}

// preferred finds the host that takes the address back: that of the greatest priority, unless it is told not to.
func (m *maker) preferred(g *group) {
	best, at, level := 0, -1, false
	for n, i := range g.of {
		switch {
		case i == nil:
		case i.Priority > best:
			best, at, level = i.Priority, n, false
		case i.Priority == best:
			level = true
		}
	}
	if at < 0 || level {
		return
	}
	known := 0
	for _, i := range g.of {
		if i != nil {
			known++
		}
	}
	switch i := g.of[at]; {
	case i.NoPreempt && !i.Master:
	case known < 2 && !i.Master:
		g.ask("one file doesn't say which host has the greater priority: if one shall take the group back when it returns, write prefer: and its name")
	default:
		g.prefer = m.hosts[at].name
	}
}
