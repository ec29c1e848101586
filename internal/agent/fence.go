package agent

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"redkeep/internal/act/gate"
	"redkeep/internal/act/process"
	"redkeep/internal/act/redis"
	"redkeep/internal/decide"
	"redkeep/internal/speak/config"
	"redkeep/internal/words"
)

// fence is how hard the gate holds on this node, as measured. A why ends with what closes the hole, where anything does.
type fence struct {
	level words.Fence
	why   string
	// unsure says that something could not be found out yet, and is worth another look soon.
	unsure bool
}

const (
	// fenceEvery is how often the gate is measured again, fenceAgain how soon where something could not be found out yet;
	// each time in vain doubles that.
	fenceEvery = time.Minute
	fenceAgain = 2 * time.Second
	// fenceAsk bounds the question to a server where it listens.
	fenceAsk = time.Second
	// damageLasts is how long another program's flush of the gate counts: what did it once does it again, as a nightly
	// reload of the firewall does.
	damageLasts = 24 * time.Hour
)

// measureFence measures what the gate is worth, at the start and from time to time: hard is measured, not assumed.
func (a *Agent) measureFence(ctx context.Context) error {
	last := map[words.Group]fence{} // of the group's own server, without the node
	for again := fenceAgain; ; {
		node := a.measureNode(ctx)
		unsure := node.unsure
		for _, name := range a.order {
			g := a.groups[name]
			if !g.conf.HasData(a.opt.Self.Name) {
				continue
			}
			last[name] = a.measureGroup(ctx, g, last[name])
			if ctx.Err() != nil {
				return nil
			}
			f := node.and(last[name]).and(a.addressFence(g))
			unsure = unsure || f.unsure
			a.post(name, decide.GateSeen{Fence: f.level, Why: f.why, Bare: a.bare(g) != nil})
		}
		wait := fenceEvery
		if again = min(2*again, fenceEvery); unsure {
			wait = again / 2
		} else {
			again = fenceAgain
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
	}
}

// and returns the weaker of two findings.
func (f fence) and(other fence) fence {
	unsure := f.unsure || other.unsure
	if other.level < f.level {
		f = other
	}
	f.unsure = unsure
	return f
}

// measureNode measures the gate itself, here and from another node, and remembers what other programs did to it.
func (a *Agent) measureNode(ctx context.Context) fence {
	if a.gate == nil {
		return fence{level: words.FenceSoft, why: a.soft.Error()}
	}
	if _, err := a.gate.SelfTest(ctx); err != nil {
		if ctx.Err() == nil {
			a.log.Warn("the gate does not hold", "err", err)
		}
		return fence{level: words.FenceSoft, why: err.Error(), unsure: true}
	}
	err := a.proveGate(ctx)
	switch {
	case err == nil:
		a.proved = true
	case errors.Is(err, gate.ErrLeaks):
		a.log.Warn("the gate does not hold", "err", err)
		return fence{level: words.FenceSoft, why: err.Error(), unsure: true}
	case !a.proved:
		return fence{level: words.FencePartial, why: err.Error(), unsure: true}
	}
	return a.damage.Load().fence()
}

// damage is what another program did to the gate.
type damage struct {
	by string
	at time.Duration // by the clock that counts a suspended host's sleep
	// left is why it could not be restored; nil where it was.
	left error
}

// fence is hard where there was no damage, or only long ago.
func (d *damage) fence() fence {
	switch {
	case d == nil || d.left == nil && awake()-d.at > damageLasts:
		return fence{level: words.FenceHard}
	case d.left != nil:
		return fence{level: words.FenceSoft, why: fmt.Sprintf("%s has changed the gate, which could not be restored: %v", d.by, d.left), unsure: true}
	default:
		return fence{level: words.FencePartial, why: fmt.Sprintf(
			"%s has flushed the gate in the last day, and it was restored; have that leave the table inet redkeep alone", d.by)}
	}
}

// measureGroup measures whether the gate covers a group's server, by what the file and the server say. While the server
// can't be asked, what it said before holds: it listens nowhere then.
func (a *Agent) measureGroup(ctx context.Context, g *groupWork, before fence) fence {
	switch {
	case g.conf.Gate != config.GateOn:
		return fence{level: words.FenceSoft, why: fmt.Sprintf("gate: %s in redkeep.yaml; set gate: on", g.conf.Gate)}
	case a.gate == nil:
		return fence{level: words.FenceHard} // nothing is known against it; the node's finding is the weaker one
	}
	ctx, cancel := context.WithTimeout(ctx, fenceAsk)
	defer cancel()
	l, err := g.server.Listeners(ctx)
	switch {
	case err != nil && before.level == words.FenceUnknown:
		return fence{level: words.FencePartial, why: err.Error(), unsure: true}
	case err != nil:
		before.unsure = true
		return before
	}
	return covered(g.conf, l, process.ListensHere)
}

// bare says why nothing keeps this host from answering for the group's address; nil where the gate does.
func (a *Agent) bare(g *groupWork) error {
	four := slices.ContainsFunc(g.conf.Addresses(), netip.Addr.Is4)
	if !a.gated(g) || !four {
		return nil
	}
	return a.gate.ARP()
}

// addressFence says whether the gate covers the group's address: its server may be behind it all the same.
func (a *Agent) addressFence(g *groupWork) fence {
	err := a.bare(g)
	if err == nil {
		return fence{level: words.FenceHard}
	}
	return fence{level: words.FencePartial, why: fmt.Sprintf(
		"no gate keeps this host from answering for the virtual address: %v; use a kernel with CONFIG_NF_TABLES_ARP", err)}
}

// covered says whether what a server listens on is all behind the gate.
func covered(g config.Group, l redis.Listeners, here func(pid int, port uint16) (bool, error)) fence {
	partial := func(format string, args ...any) fence {
		return fence{level: words.FencePartial, why: fmt.Sprintf(format, args...)}
	}
	if p, open := uncovered(g, l); open && p == l.TLSPort {
		return partial("the server also listens for TLS on port %d, which no gate is in front of; add tls: %[1]d to redis of group %s in redkeep.yaml, on every node", p, g.Name)
	} else if open {
		return partial("the server also listens on port %d, which no gate is in front of; turn that off in its file", p)
	}
	for _, p := range g.Server.Ports() {
		if !slices.Contains(l.Ports, p) {
			return fence{level: words.FenceSoft, why: fmt.Sprintf("the server does not listen on port %d itself, something hands its connections on; let it listen on this host", p)}
		}
	}
	shares, err := shared(g, l, here)
	switch {
	case l.SocketOpen:
		return partial("others may connect to the server's unix socket %s; set unixsocketperm 700 in its file, or take it out", l.Socket)
	case !l.ReadOnly:
		return partial("the server takes writes as a replica; set replica-read-only yes in its file, and by CONFIG SET")
	case l.PID == 0:
		f := partial("the server's process can't be seen from here, so that its network can't be told either; run the agent in its PID namespace")
		f.unsure = true
		return f
	case err != nil:
		return partial("where the server's process listens can't be seen: %v", err)
	case !shares:
		return fence{level: words.FenceSoft, why: "the server is in another network namespace, where the gate does not judge; start it with the host's network"}
	case len(g.GateExempt) > 0:
		return partial("gate_exempt lets users of this host through; leave it out")
	default:
		return fence{level: words.FenceHard}
	}
}

// uncovered returns a port that the server listens on and the file does not know.
func uncovered(g config.Group, l redis.Listeners) (port uint16, found bool) {
	for _, p := range l.Ports {
		if !slices.Contains(g.Server.Ports(), p) {
			return p, true
		}
	}
	return 0, false
}

// shared reports whether the server's process listens in this host's network, on every port that the file has.
func shared(g config.Group, l redis.Listeners, here func(pid int, port uint16) (bool, error)) (bool, error) {
	if l.PID == 0 {
		return true, nil
	}
	for _, p := range g.Server.Ports() {
		if is, err := here(l.PID, p); err != nil || !is {
			return false, err
		}
	}
	return true, nil
}
