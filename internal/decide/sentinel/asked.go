package sentinel

import "strings"

// onAsked does what a client asks for.
func (m *Machine) onAsked(e Asked) {
	switch r := e.Request.(type) {
	case IsMasterDown:
		m.onIsMasterDown(e.ID, r)
		return
	case Hail:
		m.onHello(r.Hello)
		return
	}
	if m.setup.Observe {
		m.do(Reply{e.ID, Answer{Refusal: Observing}})
		return
	}
	a, ticket := m.change(e.Request)
	m.after(ticket, func(failed bool) {
		if failed && a.Refusal == Accepted {
			a.Refusal = NotSaved
		}
		m.do(Reply{e.ID, a})
	})
}

// change does a request that changes something. The answer waits for the save with that ticket.
func (m *Machine) change(r Request) (a Answer, ticket uint64) {
	switch r := r.(type) {
	case Failover:
		a.Refusal = m.onFailover(r.Group)
	case Monitor:
		if a.Refusal = m.onMonitor(r); a.Refusal == Accepted {
			ticket = m.save()
		}
	case Remove:
		g := m.byName[r.Group]
		if g == nil {
			return Answer{Refusal: NoSuchMaster}, 0
		}
		m.notice(Warning, "-monitor", g.master)
		m.dissolve(g)
		ticket = m.save()
	case Reset:
		for _, g := range m.groups {
			if r.Match(g.name) {
				m.reset(g, true)
				m.notice(Warning, "+reset-master", g.master)
				a.Count++
			}
		}
	case Set:
		if a.Refusal = m.onSet(r); a.Refusal == Accepted {
			ticket = m.save()
		}
	case Configure:
		if a.Refusal = m.onConfigure(r); a.Refusal == Accepted {
			ticket = m.save()
		}
	case SetPeriod:
		a.Refusal = m.onSetPeriod(r)
	case Simulate:
		m.simulate = r
	case Flush:
		ticket = m.save()
	}
	return a, ticket
}

func (m *Machine) onFailover(name string) Refusal {
	g := m.byName[name]
	switch {
	case g == nil:
		return NoSuchMaster
	case g.failover.under():
		return InProgress
	case m.best(g) == nil:
		return NoGoodReplica
	}
	m.note(Warning, "Executing user requested FAILOVER of '"+g.name+"'")
	m.start(g)
	g.failover.forced = true
	return Accepted
}

func (m *Machine) onMonitor(r Monitor) Refusal {
	if m.byName[r.Group] != nil {
		return DuplicateMaster
	}
	m.monitored(m.newGroup(r.Group, r.Addr, r.Quorum))
	return Accepted
}

// onSet changes one option of a group. Options that come with it are requests of their own: what was done before a bad one stays.
func (m *Machine) onSet(r Set) Refusal {
	g := m.byName[r.Group]
	if g == nil {
		return NoSuchMaster
	}
	told := r.Text
	switch r.Option {
	case "down-after-milliseconds":
		g.downAfter = millis(r.Number)
		m.respread(g)
	case "failover-timeout":
		g.failoverTimeout = millis(r.Number)
	case "parallel-syncs":
		g.parallelSyncs = r.Number
	case "quorum":
		g.quorum = r.Number
	case "master-reboot-down-after-period":
		g.rebootDownAfter = millis(r.Number)
	case "notification-script", "client-reconfig-script":
		if why := m.setScript(g, r); why != Accepted {
			return why
		}
	case "auth-pass":
		g.authPass, told = r.Text, "******"
		m.relink(g)
	case "auth-user":
		g.authUser = r.Text
		m.relink(g)
	case "rename-command":
		if !g.rename(r.Text, r.Second) {
			return BadValue
		}
		told = r.Text + " " + r.Second
	default:
		return UnknownOption
	}
	m.notice(Warning, "+set", g.master, r.Option, told)
	g.all(func(i *instance) { m.rouse(&i.timer, m.now) })
	return Accepted
}

func (m *Machine) setScript(g *group, r Set) Refusal {
	switch {
	case m.denyScripts:
		return ScriptsDenied
	case r.Text != "" && (m.setup.Executable == nil || !m.setup.Executable(r.Text)):
		return BadValue
	case r.Option == "notification-script":
		g.notify = r.Text
	default:
		g.reconfigure = r.Text
	}
	return Accepted
}

// rename has the group's servers know a command by another name; its own name takes the renaming back.
func (g *group) rename(command, name string) bool {
	if command == "" || name == "" {
		return false
	}
	key := strings.ToUpper(command)
	if strings.EqualFold(command, name) {
		delete(g.renames, key)
		return true
	}
	if g.renames == nil {
		g.renames = map[string]string{}
	}
	g.renames[key] = name
	return true
}

// respread has the links of a group ping as its down-after wants.
func (m *Machine) respread(g *group) {
	g.all(func(i *instance) {
		i.link.pingPeriod = 0
		for _, u := range i.link.users {
			i.link.refresh(u.group)
		}
		m.rouse(&i.link.timer, m.now)
	})
}

// relink makes the connections to the group's servers anew, with another login.
func (m *Machine) relink(g *group) {
	m.relinkOne(g.master)
	for _, r := range g.replicas {
		m.relinkOne(r)
	}
}

func (m *Machine) relinkOne(i *instance) {
	m.drop(i.link, Commands)
	m.drop(i.link, PubSub)
}

func (m *Machine) onConfigure(r Configure) Refusal {
	switch r.Option {
	case "resolve-hostnames":
		m.resolveHostnames = r.Text == "yes"
	case "announce-hostnames":
		m.announceHostnames = r.Text == "yes"
	case "announce-ip":
		m.announceIP = r.Text
	case "announce-port":
		m.announcePort = r.Number
	case "sentinel-user":
		m.peerUser = r.Text
		m.relinkPeers()
	case "sentinel-pass":
		m.peerPassword = r.Text
		m.relinkPeers()
	default:
		return UnknownOption
	}
	return Accepted
}

// relinkPeers makes the connections to all other Sentinels anew.
func (m *Machine) relinkPeers() {
	for _, all := range m.peers {
		for _, s := range all {
			m.relinkOne(s)
		}
	}
}

func (m *Machine) onSetPeriod(r SetPeriod) Refusal {
	for _, p := range m.periods.Named() {
		if p.Name != r.Name {
			continue
		}
		*p.Value = r.Value
		for _, l := range m.links {
			l.pingPeriod = 0
			for _, u := range l.users {
				l.refresh(u.group)
			}
			l.pingDue = min(l.pingDue, m.now.Add(l.pingPeriod))
			m.rouse(&l.timer, m.now)
		}
		for _, i := range m.instances {
			m.rouse(&i.timer, m.now)
		}
		return Accepted
	}
	return UnknownOption
}
