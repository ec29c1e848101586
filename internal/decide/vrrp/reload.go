package vrrp

import (
	"maps"
	"slices"
)

// configure takes another configuration. Routers that are the same by name, device, number and family go on as they are, with what
// is new to them; others fall, or begin.
func (m *Machine) configure(s Setup) {
	var kept []*router
	clear(m.byWire)
	clear(m.byID)
	var begun []*router
	for _, conf := range s.Routers {
		conf = conf.settled()
		r := m.same(conf)
		if r == nil {
			r = newRouter(m, conf)
			begun = append(begun, r)
		} else {
			r.reconfigure(conf)
		}
		kept = append(kept, r)
		m.byWire[wire{conf.Link, conf.VRID, conf.six()}] = r
		m.byID[conf.ID] = r
	}
	for _, r := range m.routers {
		if !slices.Contains(kept, r) {
			r.group = nil
			m.gone = append(m.gone, r)
			r.stop()
		}
	}
	m.routers = kept
	m.forget()
	m.group(s.Groups)
	if !m.began {
		return
	}
	for _, r := range begun {
		r.next(Dropping) // What an agent before this one may have left there.
	}
	for _, r := range kept {
		r.check()
	}
}

// forget drops the results of checks that no router has any more. One that comes back is new: what was its result says nothing of what it looks at now.
func (m *Machine) forget() {
	wanted := map[string]bool{}
	for _, r := range slices.Concat(m.routers, m.gone) {
		for _, t := range r.conf.Tracks {
			wanted[t.Name] = true
		}
	}
	maps.DeleteFunc(m.checks, func(name string, _ verdict) bool { return !wanted[name] })
}

// same finds the router that a configuration is still of.
func (m *Machine) same(conf Router) *router {
	for _, r := range m.routers {
		c := &r.conf
		if c.ID == conf.ID && c.Link == conf.Link && c.VRID == conf.VRID && c.six() == conf.six() {
			return r
		}
	}
	return nil
}

// reconfigure takes what is new. This host's own address is what it was told last.
func (r *router) reconfigure(conf Router) {
	if r.conf.Source.IsValid() {
		conf.Source = r.conf.Source
	}
	r.conf = conf
	if r.state == Master {
		r.advertAt = min(r.advertAt, r.m.now.Add(conf.Interval))
	}
}

// group makes the groups anew.
func (m *Machine) group(groups []Group) {
	m.groups = m.groups[:0]
	for _, r := range m.routers {
		r.group = nil
	}
	for _, conf := range groups {
		g := &group{weights: conf.Weights}
		for _, id := range conf.Members {
			if r := m.byID[id]; r != nil {
				r.group, g.members = g, append(g.members, r)
			}
		}
		m.groups = append(m.groups, g)
	}
}

// bury forgets routers that have gone and are down.
func (m *Machine) bury() {
	m.gone = slices.DeleteFunc(m.gone, func(r *router) bool { return r.step == Idle })
}

// Buried reports whether all routers of older configurations are down, and have asked for their last advertisements.
func (m *Machine) Buried() bool { return len(m.gone) == 0 }
