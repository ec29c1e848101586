package sentinel

import (
	"maps"
	"slices"
	"strings"
)

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
	if _, own := e.Request.(SetPeriod); m.setup.Observe && !own { // its periods are its own affair
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
		a.Refusal = m.onFailover(r)
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
				m.onReset(g)
				a.Count++
			}
		}
	case Set:
		a.Refusal, ticket = m.onSet(r)
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

func (m *Machine) onFailover(r Failover) Refusal {
	g := m.byName[r.Group]
	switch {
	case g == nil:
		return NoSuchMaster
	case g.failover.under():
		return InProgress
	case r.Coordinated && !g.master.handsOver:
		return NoHandOver
	case m.best(g) == nil:
		return NoGoodReplica
	case m.atLastEpoch(g):
		return NoEpoch
	}
	m.note(Warning, "Executing user requested FAILOVER of '"+g.name+"'")
	m.start(g)
	g.failover.forced, g.failover.coordinated = true, r.Coordinated
	return Accepted
}

// onReset begins a group anew. From a promotion on there is no way back from it: the configuration's epoch is that of the promoted
// replica, and others have been told so. To fall back to the old master would be a second configuration of that epoch, which neither
// side would give up.
func (m *Machine) onReset(g *group) {
	if g.failover.state >= reconfReplicas {
		from, to := g.master.addr, g.failover.promoted.addr
		m.switched(g, from, to)
		g.master.addr = to
		m.save()
	}
	m.reset(g, true)
	m.notice(Warning, "+reset-master", g.master)
}

func (m *Machine) onMonitor(r Monitor) Refusal {
	if m.byName[r.Group] != nil {
		return DuplicateMaster
	}
	m.monitored(m.newGroup(r.Group, r.Addr, r.Quorum))
	return Accepted
}

// onSet changes options of a group. What was done before a bad one stays, and is saved.
func (m *Machine) onSet(r Set) (why Refusal, ticket uint64) {
	g := m.byName[r.Group]
	if g == nil {
		return NoSuchMaster, 0
	}
	for _, o := range r.Options {
		told, why := m.setOption(g, o)
		if why != Accepted {
			return why, ticket
		}
		m.notice(Warning, "+set", g.master, o.Typed, told)
		ticket = m.save()
	}
	g.all(func(i *instance) { m.rouse(&i.timer, m.now) })
	return Accepted, ticket
}

// setOption changes one, and returns how its value is told.
func (m *Machine) setOption(g *group, o Option) (told string, why Refusal) {
	told = o.Text
	switch o.Name {
	case "down-after-milliseconds":
		g.downAfter = millis(o.Number)
		m.respread(g)
	case "failover-timeout":
		g.failoverTimeout = millis(o.Number)
	case "parallel-syncs":
		g.parallelSyncs = o.Number
	case "quorum":
		g.quorum = o.Number
	case "master-reboot-down-after-period":
		g.rebootDownAfter = millis(o.Number)
	case "notification-script":
		why = m.setScript(&g.notify, o.Text, BadNotifier)
	case "client-reconfig-script":
		why = m.setScript(&g.reconfigure, o.Text, BadReconfigurer)
	case "auth-pass":
		g.authPass, told = o.Text, "******"
		m.relink(g)
	case "auth-user":
		g.authUser = o.Text
		m.relink(g)
	case "rename-command":
		g.rename(o.Text, o.Second)
		told = o.Text + " " + o.Second
	default:
		why = UnknownOption
	}
	return told, why
}

func (m *Machine) setScript(into *string, path string, bad Refusal) Refusal {
	switch {
	case m.denyScripts:
		return ScriptsDenied
	case path != "" && (m.setup.Executable == nil || !m.setup.Executable(path)):
		return bad
	}
	*into = path
	return Accepted
}

// rename has the group's servers know a command by another name; its own name takes the renaming back.
func (g *group) rename(command, name string) {
	key := strings.ToUpper(command)
	if strings.EqualFold(command, name) {
		delete(g.renames, key)
		return
	}
	if g.renames == nil {
		g.renames = map[string]string{}
	}
	g.renames[key] = name
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
	for _, id := range slices.Sorted(maps.Keys(m.peers)) {
		for _, s := range m.peers[id] {
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
		for _, id := range slices.Sorted(maps.Keys(m.links)) {
			l := m.links[id]
			l.pingPeriod = 0
			for _, u := range l.users {
				l.refresh(u.group)
			}
			l.pingDue = min(l.pingDue, m.now.Add(l.pingPeriod))
			m.rouse(&l.timer, m.now)
		}
		m.rouseAll()
		return Accepted
	}
	return UnknownOption
}
