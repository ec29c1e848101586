package agent

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
	"time"

	"redkeep/internal/act/flows"
	"redkeep/internal/act/gate"
	"redkeep/internal/act/process"
	"redkeep/internal/act/redis"
	"redkeep/internal/act/store"
	"redkeep/internal/act/vip"
	"redkeep/internal/decide"
	"redkeep/internal/speak/config"
	"redkeep/internal/speak/record"
	"redkeep/internal/words"
)

// groupWork is one group on this node: its machine and its hands' queues.
type groupWork struct {
	conf    config.Group
	machine machine
	wake    words.Instant
	disk    *queue
	// server, orders and resets are nil on a witness.
	server *redis.Hand
	orders *queue
	resets *queue
	// vip, vips and probes are nil where the group has no virtual address that this node may come to have.
	vip          *vip.Hand
	vips, probes *queue
	// holdEnds is until when the lease is held here, for what must not be done by a hand that was frozen until after that.
	holdEnds atomic.Int64
	// vipState is what the hand last said of them.
	vipState atomic.Pointer[[]vip.Status]
	// kept are ports that the kernel's gate was found in front of; once the gates are told, those that no group has any more.
	kept []uint16
	// segment is a pair's; windowOpen says that the hours are there in which the group may go back to its preferred node.
	segment    *segment
	windowOpen bool
	// addrs are the addresses under which the data nodes' servers find each other.
	addrs map[words.Node]netip.AddrPort
}

// openGroups reads what the store knows of each group, and makes its machine.
func (a *Agent) openGroups() error {
	gates := map[words.Group]decide.GateState{}
	for _, conf := range a.opt.Config.Groups {
		reg, lost, err := a.load(conf.Name)
		if err != nil {
			return err
		}
		g := &groupWork{conf: conf, disk: newQueue(), addrs: map[words.Node]netip.AddrPort{}}
		for _, n := range a.opt.Config.Nodes {
			if conf.HasData(n.Name) {
				g.addrs[n.Name] = netip.AddrPortFrom(n.Addr, conf.Server.LinkPort())
			}
		}
		if err := a.openAddress(g); err != nil {
			return err
		}
		found, running := a.gateFound(g)
		gates[conf.Name] = found
		if err := a.openSegment(g); err != nil {
			return err
		}
		g.machine = a.newMachine(g, decide.Boot{
			Session: a.store.Session(), Register: reg, Lost: lost,
			SameBoot: reg.BootID == a.store.BootID(), Gate: found, Running: running,
		})
		if conf.HasData(a.opt.Self.Name) {
			g.server, g.orders, g.resets = a.newServer(g), newQueue(), newQueue()
		}
		a.groups[conf.Name] = g
		a.order = append(a.order, conf.Name)
	}
	return a.tellGates(gates)
}

// load returns a group's register. One that was there and can't be read costs this voter its vote until the others have
// readmitted it.
func (a *Agent) load(name words.Group) (reg words.Register, lost bool, err error) {
	b, err := a.store.Load(name)
	switch {
	case errors.Is(err, store.ErrNone):
		return reg, false, nil
	case errors.Is(err, store.ErrUnreadable):
		a.log.Error("the store of a group can't be read; this node does not vote in it until the others have readmitted it", "group", name, "err", err)
		return reg, true, a.store.Discard(name)
	case err != nil:
		return reg, false, fmt.Errorf("read what is stored of group %s: %w", name, err)
	}
	reg, err = record.Parse(b)
	if err != nil {
		return reg, false, fmt.Errorf("read what is stored of group %s: %w", name, err)
	}
	return reg, false, nil
}

func (a *Agent) setup(g *groupWork) decide.Setup {
	c := a.opt.Config
	s := decide.Setup{
		Group: g.conf.Name, Self: a.opt.Self.Name, Data: g.conf.Data, Servers: g.addrs,
		Lease: c.Lease, DownAfter: c.DownAfter, BusyAfter: c.BusyAfter, ColdStartWait: c.ColdStartWait, Patience: c.Patience,
		Jiffy: jiffy(), Ungated: g.conf.Gate != config.GateOn, Version: a.opt.Version,
		VIP: len(g.conf.VIPs) > 0, Prefer: g.conf.Prefer, FailBack: g.conf.Failback == config.FailbackSynced,
		Random: rand.Uint64,
	}
	for _, n := range c.Nodes {
		s.Voters = append(s.Voters, n.Name)
	}
	d := c.Definition(g.conf).Digest()
	s.Digest = binary.BigEndian.Uint64(d[:8])
	d = c.Settings(g.conf).Digest()
	s.Settings = binary.BigEndian.Uint64(d[:8])
	return s
}

// newServer returns the hand of the group's server on this node.
func (a *Agent) newServer(g *groupWork) *redis.Hand {
	conf := g.conf.Server
	return redis.New(redis.Config{
		Addr: conf.Addr(a.opt.Self), TLS: secured(conf, a.opt.Self), TLSReplication: conf.TLS.Replication,
		Mark: a.mark(), User: conf.User, Password: conf.Password.Reveal(), Rename: conf.Rename,
		Poll: min(max(a.opt.Config.Lease/5, 20*time.Millisecond), 200*time.Millisecond, a.opt.Config.DownAfter/4),
		Prove: func(pid int, uptime time.Duration) (redis.Process, error) {
			p, err := process.Prove(pid, uptime)
			if err != nil {
				return nil, err
			}
			return p, nil
		},
		Report: func(ev decide.Event) { a.post(g.conf.Name, ev) },
		Remark: func(text string) { a.log.Info("server", "group", g.conf.Name, "remark", text) },
	})
}

// reset ends the connections of the server's clients in the kernel.
func (a *Agent) reset(ctx context.Context, g *groupWork, act decide.ResetClients) error {
	keep := flows.Keep{Remotes: act.Keep, Mark: gate.DefaultMark, Mask: gate.DefaultMask}
	n, err := flows.Destroy(ctx, g.conf.Server.Ports(), keep)
	if err == nil && n > 0 {
		a.log.Info("connections reset", "group", g.conf.Name, "count", n)
	}
	return err
}
