package sentinel

import (
	"maps"
	"slices"
	"time"
)

// State is what a Sentinel keeps in its file: all that must outlive the process.
type State struct {
	MyID         string
	CurrentEpoch uint64
	AnnounceIP   string
	AnnouncePort int
	// PeerUser and PeerPassword are the login at other Sentinels.
	PeerUser, PeerPassword              string
	DenyScriptsReconfig                 bool
	ResolveHostnames, AnnounceHostnames bool
	Groups                              []GroupState
}

// GroupState is one group in a State.
type GroupState struct {
	Name string
	// Addr is the master's as it is told: the promoted replica's as soon as that is one.
	Addr   Address
	Quorum int

	DownAfter, FailoverTimeout, RebootDownAfter time.Duration
	ParallelSyncs                               int
	NotificationScript, ReconfigScript          string
	AuthUser, AuthPass                          string
	// Renames are sorted by the command, which is in capitals.
	Renames                  []Rename
	ConfigEpoch, LeaderEpoch uint64
	Replicas                 []Address
	Sentinels                []Peer
}

// Rename is a command that a group's servers know by another name.
type Rename struct{ Command, Name string }

// Peer is another Sentinel.
type Peer struct {
	Addr Address
	ID   string
}

// State returns what is to be written, of this instant.
func (m *Machine) State() State {
	s := State{
		MyID: m.myID, CurrentEpoch: m.currentEpoch, AnnounceIP: m.announceIP, AnnouncePort: m.announcePort,
		PeerUser: m.peerUser, PeerPassword: m.peerPassword, DenyScriptsReconfig: m.denyScripts,
		ResolveHostnames: m.resolveHostnames, AnnounceHostnames: m.announceHostnames,
		Groups: make([]GroupState, len(m.groups)),
	}
	for i, g := range m.groups {
		s.Groups[i] = m.groupState(g)
	}
	return s
}

func (m *Machine) groupState(g *group) GroupState {
	at := g.address()
	s := GroupState{
		Name: g.name, Addr: m.told(at), Quorum: g.quorum,
		DownAfter: g.downAfter, FailoverTimeout: g.failoverTimeout, RebootDownAfter: g.rebootDownAfter, ParallelSyncs: g.parallelSyncs,
		NotificationScript: g.notify, ReconfigScript: g.reconfigure, AuthUser: g.authUser, AuthPass: g.authPass,
		ConfigEpoch: g.configEpoch, LeaderEpoch: g.leaderEpoch,
	}
	for _, command := range slices.Sorted(maps.Keys(g.renames)) {
		s.Renames = append(s.Renames, Rename{command, g.renames[command]})
	}
	for _, r := range g.replicas {
		a := r.addr
		if a.same(at) {
			a = g.master.addr // which becomes a replica as the promoted one becomes the master
		}
		s.Replicas = append(s.Replicas, m.told(a))
	}
	for _, p := range g.sentinels {
		s.Sentinels = append(s.Sentinels, Peer{m.told(p.addr), p.runID})
	}
	return s
}

// restore takes in what the file says.
func (m *Machine) restore(s State) {
	m.myID, m.currentEpoch = s.MyID, counted(s.CurrentEpoch)
	m.announceIP, m.announcePort = s.AnnounceIP, s.AnnouncePort
	m.peerUser, m.peerPassword = s.PeerUser, s.PeerPassword
	m.denyScripts, m.resolveHostnames, m.announceHostnames = s.DenyScriptsReconfig, s.ResolveHostnames, s.AnnounceHostnames
	for _, gs := range s.Groups {
		g := m.newGroup(gs.Name, gs.Addr, gs.Quorum)
		g.downAfter, g.failoverTimeout, g.rebootDownAfter, g.parallelSyncs = gs.DownAfter, gs.FailoverTimeout, gs.RebootDownAfter, gs.ParallelSyncs
		g.notify, g.reconfigure, g.authUser, g.authPass = gs.NotificationScript, gs.ReconfigScript, gs.AuthUser, gs.AuthPass
		g.configEpoch, g.leaderEpoch = counted(gs.ConfigEpoch), counted(gs.LeaderEpoch)
		m.currentEpoch = max(m.currentEpoch, g.configEpoch)
		for _, r := range gs.Renames {
			g.rename(r.Command, r.Name)
		}
		for _, a := range gs.Replicas {
			if g.replicaAt(a) == nil {
				m.addReplica(g, a)
			}
		}
		for _, p := range gs.Sentinels {
			if g.find(p.ID) == nil {
				m.addSentinel(g, p.Addr, p.ID)
			}
		}
		m.respread(g)
	}
}

// monitored tells that a group is watched.
func (m *Machine) monitored(g *group) {
	m.notice(Warning, "+monitor", g.master, "quorum", itoa(g.quorum))
}
