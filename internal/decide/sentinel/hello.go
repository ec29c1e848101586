package sentinel

import (
	"slices"
	"strconv"
	"strings"
)

// onHeard takes a message of a server's channel of hellos. Our own come back there, which shows that the connection lives.
func (m *Machine) onHeard(l *link, h *Hello) {
	l.hellos.heard = m.now
	if h == nil || strings.EqualFold(h.ID, m.myID) {
		return
	}
	m.onHello(*h)
}

// onHello takes in what another Sentinel says of itself and of a group.
func (m *Machine) onHello(h Hello) {
	g := m.byName[h.Group]
	if g == nil {
		return
	}
	s := g.find(h.ID)
	if (s == nil || !s.addr.same(h.Addr)) && m.mayKnow(h.Addr) {
		s = m.meet(g, s, h)
	}
	m.adopt(g, h.CurrentEpoch)
	if s == nil {
		return
	}
	s.heardAt = m.now
	// A configuration of an epoch that is yet to come would be older than the next failover's.
	if g.configEpoch < h.ConfigEpoch && h.ConfigEpoch <= m.currentEpoch && m.mayKnow(h.Master) {
		m.configured(g, s, h)
	}
}

// configured takes over a later configuration than this Sentinel's.
func (m *Machine) configured(g *group, s *instance, h Hello) {
	g.configEpoch = h.ConfigEpoch
	if g.address().same(h.Master) {
		m.supersede(g)
		m.save()
		return
	}
	m.notice(Warning, "+config-update-from", s)
	m.compare(g, h.Master)
	from := g.master.addr
	if from.same(h.Master) {
		// This one has promoted another meanwhile, and has told of that.
		from = g.address()
	}
	m.switched(g, from, h.Master)
	m.tellClients(g, "observer", from, h.Master)
	m.moveMaster(g, h.Master)
}

// supersede ends an attempt that comes too late: its promotion would bring back an older configuration.
func (m *Machine) supersede(g *group) {
	if f := g.failover; !f.under() || f.state >= reconfReplicas || f.epoch > g.configEpoch {
		return
	}
	m.note(Warning, "The failover of "+g.name+" ends: another has led one in a later epoch")
	m.abort(g)
}

// meet takes in a Sentinel that is new, or known by another address.
func (m *Machine) meet(g *group, known *instance, h Hello) *instance {
	if known != nil {
		m.do(Notice{Normal, "+sentinel-address-switch", m.title(g.master) + " ip " + h.Addr.Host + " port " + strconv.Itoa(h.Addr.Port) + " for " + h.ID})
		m.removeSentinel(known)
	} else if h.Addr.Port != 0 {
		m.evict(g, h)
	}
	s := m.addSentinel(g, h.Addr, h.ID)
	if known == nil {
		m.notice(Normal, "+sentinel", s)
	} else {
		m.moveSentinel(s)
	}
	s.heardAt = m.now
	m.save()
	return s
}

// evict throws out whoever has another ID at the address of one that greets: it has started anew there without its file.
func (m *Machine) evict(g *group, h Hello) {
	for _, s := range g.sentinels {
		if !s.addr.same(h.Addr) {
			continue
		}
		m.notice(Normal, "+sentinel-invalid-addr", s)
		for _, other := range m.groups {
			if old := other.find(s.runID); old != nil {
				m.removeSentinel(old)
			}
		}
		return
	}
}

// addSentinel makes a Sentinel known to a group; it shares the link of the same one in other groups.
func (m *Machine) addSentinel(g *group, at Address, id string) *instance {
	var shared *link
	if old := m.elsewhere(g, id); old != nil && old.addr.same(at) {
		shared = old.link
	}
	s := m.newInstance(g, sentinel, at, shared)
	s.runID = id
	s.heardAt = m.now
	g.sentinels = append(g.sentinels, s)
	key := strings.ToLower(id)
	m.peers[key] = append(m.peers[key], s)
	return s
}

// unlist takes a Sentinel off the list of those with its ID.
func (m *Machine) unlist(s *instance) {
	key := strings.ToLower(s.runID)
	m.peers[key] = slices.DeleteFunc(m.peers[key], func(o *instance) bool { return o == s })
	if len(m.peers[key]) == 0 {
		delete(m.peers, key)
	}
}

// elsewhere returns the same Sentinel as another group knows it.
func (m *Machine) elsewhere(g *group, id string) *instance {
	for _, s := range m.peers[strings.ToLower(id)] {
		if s.group != g {
			return s
		}
	}
	return nil
}

// moveSentinel has all groups know a Sentinel by its new address.
func (m *Machine) moveSentinel(s *instance) {
	moved := 0
	for _, g := range m.groups {
		old := g.find(s.runID)
		if old == nil || old == s || old.addr.same(s.addr) {
			continue
		}
		m.leave(old)
		old.addr, old.link = s.addr, s.link
		s.link.join(old)
		moved++
	}
	if moved > 0 {
		m.notice(Normal, "+sentinel-address-update", s, strconv.Itoa(moved), "additional matching instances")
	}
}

func (m *Machine) removeSentinel(s *instance) {
	g := s.group
	g.sentinels = slices.DeleteFunc(g.sentinels, func(o *instance) bool { return o == s })
	m.forget(s)
}
