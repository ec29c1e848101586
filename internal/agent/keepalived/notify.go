package keepalived

import (
	"context"
	"net/netip"
	"strconv"

	"redkeep/internal/decide/vrrp"
	"redkeep/internal/speak/keepalivedconf"
)

// syncGroup is routers that move together.
type syncGroup struct {
	conf   *keepalivedconf.SyncGroup
	notes  *notes
	cancel context.CancelFunc
	state  vrrp.State
	told   bool
}

// until is a context that ends with all, or when it is told to.
func (p *process) until() (context.Context, context.CancelFunc) { return context.WithCancel(p.ctx) }

// openGroups makes the sync groups that are new, and leaves out those that are no more.
func (p *process) openGroups(c *keepalivedconf.Config) {
	before := map[string]*syncGroup{}
	for _, g := range p.groups {
		before[g.conf.Name] = g
	}
	p.groups = p.groups[:0]
	for i := range c.Groups {
		name := c.Groups[i].Name
		g := before[name]
		if delete(before, name); g == nil {
			var ctx context.Context
			g = &syncGroup{notes: newNotes(p.log.With("group", name))}
			ctx, g.cancel = p.until()
			p.work.Go(func() error { g.notes.run(ctx); return nil })
		}
		g.conf = &c.Groups[i]
		p.groups = append(p.groups, g)
	}
	for _, g := range before {
		g.cancel()
	}
}

// The words for states that only scripts and pipes are told.
const (
	stopWord       = "STOP"
	deletedWord    = "DELETED"
	contendedWord  = "MASTER_RX_LOWER_PRI"
	masterPriority = "MASTER_PRIORITY"
	backupPriority = "BACKUP_PRIORITY"
)

// onTurned tells of a router's new state, and of its group's. The address is on already, or away.
func (p *process) onTurned(t vrrp.Turned) {
	r := p.routers[t.ID]
	if r == nil || !p.tellTurned(r, t) {
		return
	}
	for _, g := range p.groups {
		p.turnGroup(g)
	}
	if t.To == vrrp.Stopped && r.deleted {
		p.forget(r)
	}
}

// tellTurned tells the log, the pipes and the scripts. The end of a router that another of its name has replaced is told to nobody.
func (p *process) tellTurned(r *router, t vrrp.Turned) bool {
	if t.To == vrrp.Stopped && !r.deleted && !p.leaving {
		return false
	}
	word := stateWord(t.To)
	if t.To == vrrp.Stopped && r.deleted {
		if word = vrrp.Fault.String(); r.conf.Given("notify_deleted") {
			word = deletedWord
		}
	}
	if r.state, r.priority, r.turned = t.To, t.Priority, now(); t.To != vrrp.Backup {
		r.master = netip.Addr{}
	}
	p.log.Info("state", "instance", string(t.ID), "state", word, "priority", t.Priority)
	p.pipe("INSTANCE", string(t.ID), word, t.Priority)
	r.notes.tell(p.asUsers(commandsFor(r.conf.Notify, word, "INSTANCE", string(t.ID), t.Priority)))
	return true
}

// nameMasters logs whom this host is a backup of: anybody who can reach the segment can say to be that.
func (p *process) nameMasters() {
	for _, v := range p.machine.View() {
		r := p.routers[v.ID]
		if r == nil || v.State != vrrp.Backup || r.master == v.Master {
			continue
		}
		if r.master = v.Master; v.Master.IsValid() {
			r.log.Info("master", "is", v.Master)
		}
	}
}

// onContended tells that a master of less right was there, and was answered.
func (p *process) onContended(c vrrp.Contended) {
	r := p.routers[c.ID]
	if r == nil {
		return
	}
	r.log.Warn("another master, of lower priority, was answered", "from", c.Peer)
	p.pipe("INSTANCE", string(c.ID), contendedWord, r.priority)
	if k := r.conf.Notify.MasterLowerPriority; k != nil {
		r.notes.add(as(&p.conf.Global, *k))
	}
}

// tellPriorities tells the pipes of priorities that have changed within a state, where that is wanted.
func (p *process) tellPriorities() {
	for _, v := range p.machine.View() {
		r := p.routers[v.ID]
		if r == nil || r.priority == v.Priority || r.state != v.State {
			continue
		}
		r.priority = v.Priority
		word := backupPriority
		switch v.State {
		case vrrp.Master:
			word = masterPriority
		case vrrp.Backup:
		default:
			continue
		}
		r.log.Info("priority", "priority", v.Priority)
		if r.conf.Notify.PriorityChanges {
			p.pipe("INSTANCE", string(v.ID), word, v.Priority)
		}
	}
}

// turnGroup tells of a group whose members are all in the same state. The fault of one is that of all, and is told when the last one has
// let its address go.
func (p *process) turnGroup(g *syncGroup) {
	state := vrrp.Master
	for i, name := range g.conf.Instances {
		r := p.routers[vrrp.ID(name)]
		if r == nil || r.state == vrrp.Initialize {
			return
		}
		if i == 0 {
			state = r.state
		}
		if r.state != state {
			return // on their way
		}
	}
	if g.told && g.state == state {
		return
	}
	g.told, g.state = true, state
	p.pipe("GROUP", g.conf.Name, stateWord(state), 0)
	g.notes.tell(p.asUsers(commandsFor(g.conf.Notify, stateWord(state), "GROUP", g.conf.Name, 0)))
}

// commandsFor are the scripts of a state: the one for it, then the one for all, which is told what of what is how.
func commandsFor(n keepalivedconf.Notify, word, kind, name string, priority uint8) (all []keepalivedconf.Command) {
	own := map[string]*keepalivedconf.Command{
		vrrp.Master.String(): n.Master, vrrp.Backup.String(): n.Backup, vrrp.Fault.String(): n.Fault, stopWord: n.Stop, deletedWord: n.Deleted,
	}[word]
	if own != nil {
		all = append(all, *own)
	}
	if n.Any != nil {
		c := *n.Any
		c.Args = append(append([]string(nil), c.Args...), kind, name, word, strconv.Itoa(int(priority)))
		all = append(all, c)
	}
	return all
}

// asUsers gives commands the users that they run as.
func (p *process) asUsers(all []keepalivedconf.Command) []keepalivedconf.Command {
	for i := range all {
		all[i] = as(&p.conf.Global, all[i])
	}
	return all
}

// stateWord is what scripts are told: a router that has stopped is STOP.
func stateWord(s vrrp.State) string {
	if s == vrrp.Stopped {
		return stopWord
	}
	return s.String()
}

// pipe writes a line to the named pipes.
func (p *process) pipe(kind, name, word string, priority uint8) {
	line := kind + ` "` + name + `" ` + word + " " + strconv.Itoa(int(priority)) + "\n"
	for _, one := range p.pipes {
		one.say(line)
	}
}

// awaitScripts gives the last scripts some time.
func (p *process) awaitScripts() {
	ctx, cancel := context.WithTimeout(p.ctx, scripting)
	defer cancel()
	for _, r := range p.routers {
		r.notes.await(ctx)
	}
	for _, g := range p.groups {
		g.notes.await(ctx)
	}
	if ctx.Err() != nil {
		p.log.Warn("scripts still run, and are ended")
	}
}
