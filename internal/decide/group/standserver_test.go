package group

import (
	"fmt"
	"net/netip"
	"time"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

// name returns a new name for a process or a history.
func (s *stand) name(kind string) string {
	s.names++
	return fmt.Sprintf("%s%d", kind, s.names)
}

// process starts a server's process: a master of its own history, or fenced where its file says so. Its data are kept.
func (s *stand) process(h *host, keys int64) {
	old := h.server
	h.server = words.Server{
		RunID: words.RunID(s.name("run")), Role: words.RoleMaster, Keys: keys, Priority: 100, ReadOnly: true, BornFenced: old.BornFenced,
		Position: words.Position{ReplID: words.ReplID(s.name("hist")), Second: -1},
	}
	if old.BornFenced {
		h.server.Role, h.server.Master, h.server.MasterPort = words.RoleReplica, words.DeadEnd, words.DeadEndPort
	}
	h.alive, h.mute = true, false
	h.nextSee = s.now.Add(wayOfHand)
}

// master returns whose server a replica follows, if it could: alive, and behind a gate that lets replication through.
func (s *stand) master(h *host) *host {
	for _, m := range s.hosts {
		addr := s.setup.Servers[m.name]
		if h.server.Role == words.RoleReplica && h.server.Master == addr.Addr().String() && h.server.MasterPort == addr.Port() {
			return m
		}
	}
	return nil
}

// look copies what a master has to those who follow it, and returns what the server says.
func (s *stand) look(h *host) words.Server {
	if m := s.master(h); m != nil {
		up := m.on && m.alive && !m.mute && m.server.Role == words.RoleMaster && !s.cut[[2]words.Node{m.name, h.name}] && m.gate.Mode != decide.GateShut && !h.unlinked
		h.server.LinkUp = up
		if up {
			h.server.Position, h.server.Keys = m.server.Position, m.server.Keys
		}
	}
	seen := h.server
	if seen.Role == words.RoleMaster {
		for _, r := range s.hosts {
			if r.alive && s.master(r) == h {
				seen.Replicas = append(seen.Replicas, words.Replica{Addr: s.setup.Servers[r.name], Offset: r.server.Offset, Online: true})
			}
		}
	}
	return seen
}

// write adds bytes to a master's history; replicas have them when they are looked at.
func (s *stand) write(h *host, bytes words.Offset) {
	h.server.Offset += bytes
	h.server.Keys++
	for _, r := range s.hosts {
		if r.alive && s.master(r) == h {
			s.look(r)
		}
	}
}

// order has the server do something.
func (s *stand) order(h *host, o decide.Order) string {
	v := &h.server
	if !h.alive || h.mute {
		return "no answer"
	}
	s.look(h)
	switch o := o.(type) {
	case decide.Seal:
		v.Role, v.Master, v.MasterPort, v.LinkUp = words.RoleReplica, words.DeadEnd, words.DeadEndPort, false
	case decide.Demote:
		v.Role, v.Master, v.MasterPort, v.LinkUp = words.RoleReplica, words.DeadEnd, words.DeadEndPort, false
	case decide.Promote:
		if o.RunID != v.RunID {
			return "another process"
		}
		if v.Role != words.RoleMaster {
			v.ReplID2, v.Second, v.ReplID = v.ReplID, v.Offset+1, words.ReplID(s.name("hist"))
		}
		v.Role, v.Master, v.MasterPort, v.LinkUp = words.RoleMaster, "", 0, false
	case decide.Follow:
		addr := s.setup.Servers[o.Node]
		v.Role, v.Master, v.MasterPort = words.RoleReplica, addr.Addr().String(), addr.Port()
		s.look(h)
	case decide.AwaitOffset:
		if v.Offset < o.Offset {
			return "not there yet"
		}
	case decide.FenceBirth:
		v.BornFenced = true
	}
	return ""
}

// links are the connections of those that follow a master.
func (s *stand) links(h *host) (links []decide.Link) {
	for _, r := range s.hosts {
		if r.alive && s.master(r) == h {
			links = append(links, netip.AddrPortFrom(s.setup.Servers[r.name].Addr(), 40000))
		}
	}
	return links
}

// elapsed is the time since the scenario's present command began.
func (s *stand) elapsed() string {
	return fmt.Sprintf("%6.1fms", float64(s.now.Sub(s.since))/float64(time.Millisecond))
}
