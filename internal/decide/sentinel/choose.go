package sentinel

import (
	"cmp"
	"strings"
)

// best returns the replica to be promoted, nil if none is fit.
func (m *Machine) best(g *group) *instance {
	var first *instance
	for _, r := range g.replicas {
		if m.fit(g, r) && (first == nil || better(r, first) < 0) {
			first = r
		}
	}
	return first
}

// fit reports whether a replica may be promoted: it answers, says how it is, may become a master, and has not been without its master for
// much longer than that is down.
func (m *Machine) fit(g *group, r *instance) bool {
	fresh := 3 * m.periods.Info
	if g.master.sDown {
		fresh = 5 * m.periods.Ping
	}
	away := 10 * g.downAfter
	if g.master.sDown {
		away += m.since(g.master.sDownSince)
	}
	return !r.sDown && !r.disconnected() &&
		m.since(r.link.alive) <= 5*m.periods.Ping &&
		r.priority != 0 && r.infoAt != 0 && m.since(r.infoAt) <= fresh &&
		r.linkDown <= away
}

// better orders replicas: by the lower priority, the higher offset, the smaller run ID.
func better(a, b *instance) int {
	unknown := func(i *instance) int {
		if i.runID == "" {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(a.priority, b.priority),
		cmp.Compare(b.offset, a.offset),
		cmp.Compare(unknown(a), unknown(b)),
		strings.Compare(strings.ToLower(a.runID), strings.ToLower(b.runID)),
	)
}
