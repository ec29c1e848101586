package sentinel

import (
	core "redkeep/internal/decide/sentinel"
	"redkeep/internal/speak/sentinelconf"
	"redkeep/internal/words"
)

// stateOf is what the machine begins with.
func stateOf(c *sentinelconf.Conf) core.State {
	s := core.State{
		MyID: c.MyID, CurrentEpoch: c.CurrentEpoch, AnnounceIP: c.AnnounceIP, AnnouncePort: c.AnnouncePort,
		PeerUser: c.SentinelUser, PeerPassword: c.SentinelPass.Reveal(), DenyScriptsReconfig: c.DenyScriptsReconfig,
		ResolveHostnames: c.ResolveHostnames, AnnounceHostnames: c.AnnounceHostnames,
	}
	for _, m := range c.Masters {
		g := core.GroupState{
			Name: m.Name, Addr: core.At(m.Addr.Host, m.Addr.Port), Quorum: m.Quorum,
			DownAfter: m.DownAfter, FailoverTimeout: m.FailoverTimeout, RebootDownAfter: m.RebootDownAfter, ParallelSyncs: m.ParallelSyncs,
			NotificationScript: m.NotificationScript, ReconfigScript: m.ReconfigScript, AuthUser: m.AuthUser, AuthPass: m.AuthPass.Reveal(),
			ConfigEpoch: m.ConfigEpoch, LeaderEpoch: m.LeaderEpoch,
		}
		for _, r := range m.Renames {
			g.Renames = append(g.Renames, core.Rename{Command: r.Command, Name: r.Name})
		}
		for _, a := range m.Replicas {
			g.Replicas = append(g.Replicas, core.At(a.Host, a.Port))
		}
		for _, o := range m.Sentinels {
			g.Sentinels = append(g.Sentinels, core.Peer{Addr: core.At(o.Addr.Host, o.Addr.Port), ID: o.ID})
		}
		s.Groups = append(s.Groups, g)
	}
	return s
}

// stateNow is what is to be written.
func (p *process) stateNow() *sentinelconf.State {
	s, periods := p.machine.State(), p.machine.Periods()
	out := &sentinelconf.State{
		MyID: s.MyID, CurrentEpoch: s.CurrentEpoch, AnnounceIP: s.AnnounceIP, AnnouncePort: s.AnnouncePort,
		SentinelUser: s.PeerUser, SentinelPass: words.NewSecret(s.PeerPassword), DenyScriptsReconfig: s.DenyScriptsReconfig,
		ResolveHostnames: s.ResolveHostnames, AnnounceHostnames: s.AnnounceHostnames,
		UsualDownAfter: periods.DefaultDownAfter, UsualFailoverTimeout: periods.DefaultFailoverTimeout,
		Masters: make([]*sentinelconf.Master, len(s.Groups)),
	}
	for i := range s.Groups {
		out.Masters[i] = masterOf(&s.Groups[i])
	}
	return out
}

func masterOf(g *core.GroupState) *sentinelconf.Master {
	m := &sentinelconf.Master{
		Name: g.Name, Addr: addressOf(g.Addr), Quorum: g.Quorum,
		DownAfter: g.DownAfter, FailoverTimeout: g.FailoverTimeout, RebootDownAfter: g.RebootDownAfter, ParallelSyncs: g.ParallelSyncs,
		NotificationScript: g.NotificationScript, ReconfigScript: g.ReconfigScript, AuthUser: g.AuthUser, AuthPass: words.NewSecret(g.AuthPass),
		ConfigEpoch: g.ConfigEpoch, LeaderEpoch: g.LeaderEpoch,
	}
	for _, r := range g.Renames {
		m.Renames = append(m.Renames, sentinelconf.Rename{Command: r.Command, Name: r.Name})
	}
	for _, a := range g.Replicas {
		m.Replicas = append(m.Replicas, addressOf(a))
	}
	for _, o := range g.Sentinels {
		m.Sentinels = append(m.Sentinels, sentinelconf.Peer{Addr: addressOf(o.Addr), ID: o.ID})
	}
	return m
}

func addressOf(a core.Address) sentinelconf.Address {
	return sentinelconf.Address{Host: a.Host, Port: a.Port}
}
