package keepalived

import (
	"context"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/decide/vrrp"
	"redkeep/internal/speak/keepalivedconf"
)

// notifyLimit is how long one script may run before it is killed.
const notifyLimit = time.Minute

// notes run the scripts of one instance, one at a time. What has become outdated while another ran is left out: the newest state is what
// scripts have to bring about, and two of them at once is how servers have ended as each other's replicas.
type notes struct {
	log *slog.Logger

	mu   sync.Mutex // guards next and busy
	next []keepalivedconf.Command
	busy bool
	bell chan struct{}
}

func newNotes(log *slog.Logger) *notes { return &notes{log: log, bell: make(chan struct{}, 1)} }

// tell has these commands run, in this order, and forgets what still waits.
func (n *notes) tell(commands []keepalivedconf.Command) {
	if len(commands) == 0 {
		return
	}
	n.mu.Lock()
	if len(n.next) > 0 {
		n.log.Info("scripts of an earlier state are left out", "count", len(n.next))
	}
	n.next = commands
	n.mu.Unlock()
	select {
	case n.bell <- struct{}{}:
	default:
	}
}

// take returns the next command; ok is false where none waits.
func (n *notes) take() (c keepalivedconf.Command, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.busy = len(n.next) > 0; !n.busy {
		return c, false
	}
	c, n.next = n.next[0], n.next[1:]
	return c, true
}

// idle reports whether nothing runs or waits.
func (n *notes) idle() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.busy && len(n.next) == 0
}

func (n *notes) run(ctx context.Context) {
	for {
		for c, ok := n.take(); ok; c, ok = n.take() {
			limited, cancel := context.WithTimeout(ctx, notifyLimit)
			began := time.Now()
			if err := execute(limited, c); err != nil {
				n.log.Warn("script", "path", c.Args[0], "took", time.Since(began), "err", err)
			}
			cancel()
		}
		select {
		case <-ctx.Done():
			return
		case <-n.bell:
		}
	}
}

// syncGroup is routers that move together.
type syncGroup struct {
	conf  *keepalivedconf.SyncGroup
	notes *notes
	state vrrp.State
	told  bool
}

// onTurned tells of a router's new state: the log, the pipes, the scripts. The address is on already, or away.
func (p *process) onTurned(t vrrp.Turned) {
	r := p.routers[t.ID]
	if r == nil {
		return
	}
	r.state = t.To
	p.log.Info("state", "instance", string(t.ID), "state", t.To.String(), "priority", t.Priority)
	p.pipe("INSTANCE", string(t.ID), t.To, t.Priority)
	r.notes.tell(commandsFor(r.conf.Notify, t.To, "INSTANCE", string(t.ID), t.Priority))
	for _, g := range p.groups {
		p.turnGroup(g)
	}
}

// turnGroup tells of a group whose members are all in the same state, or one of which is faulty.
func (p *process) turnGroup(g *syncGroup) {
	state := vrrp.Master
	for i, name := range g.conf.Instances {
		r := p.routers[vrrp.ID(name)]
		if r == nil || r.state == vrrp.Initialize {
			return
		}
		if i == 0 || r.state == vrrp.Fault {
			state = r.state
		}
		if r.state != state && state != vrrp.Fault {
			return // on their way
		}
	}
	if g.told && g.state == state {
		return
	}
	g.told, g.state = true, state
	p.pipe("GROUP", g.conf.Name, state, 0)
	g.notes.tell(commandsFor(g.conf.Notify, state, "GROUP", g.conf.Name, 0))
}

// commandsFor are the scripts of a state: the one for it, then the one for all, which is told what of what is how.
func commandsFor(n keepalivedconf.Notify, to vrrp.State, kind, name string, priority uint8) (all []keepalivedconf.Command) {
	var own *keepalivedconf.Command
	switch to {
	case vrrp.Master:
		own = n.Master
	case vrrp.Backup:
		own = n.Backup
	case vrrp.Fault:
		own = n.Fault
	case vrrp.Stopped:
		own = n.Stop
	default:
		return nil
	}
	if own != nil {
		all = append(all, *own)
	}
	if n.Any != nil {
		c := *n.Any
		c.Args = append(append([]string(nil), c.Args...), kind, name, stateWord(to), strconv.Itoa(int(priority)))
		all = append(all, c)
	}
	return all
}

// stateWord is what scripts are told: a router that has stopped is STOP.
func stateWord(s vrrp.State) string {
	if s == vrrp.Stopped {
		return "STOP"
	}
	return s.String()
}

// pipe writes a line to the named pipes. One that nobody reads loses it.
func (p *process) pipe(kind, name string, to vrrp.State, priority uint8) {
	line := kind + ` "` + name + `" ` + stateWord(to) + " " + strconv.Itoa(int(priority)) + "\n"
	for _, path := range p.fifos {
		fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		_, _ = unix.Write(fd, []byte(line))
		_ = unix.Close(fd)
	}
}

// fifosOf makes the named pipes that a configuration has.
func fifosOf(c *keepalivedconf.Config) (paths []string) {
	for _, f := range []keepalivedconf.Fifo{c.Global.VRRPFifo, c.Global.Fifo} {
		if f.Path == "" {
			continue
		}
		if _, err := os.Lstat(f.Path); err != nil {
			_ = unix.Mkfifo(f.Path, 0o600)
		}
		paths = append(paths, f.Path)
	}
	return paths
}

// awaitScripts gives the last scripts some time.
func (p *process) awaitScripts() {
	limit := time.After(scripting)
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		idle := true
		for _, r := range p.routers {
			idle = idle && r.notes.idle()
		}
		for _, g := range p.groups {
			idle = idle && g.notes.idle()
		}
		if idle {
			return
		}
		select {
		case <-limit:
			p.log.Warn("scripts still run, and are ended")
			return
		case <-look.C:
		}
	}
}
