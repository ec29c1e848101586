package keepalived

import (
	"maps"

	"redkeep/internal/decide/vrrp"
	"redkeep/internal/speak/keepalivedconf"
)

// next is a configuration with all of its that could go wrong done, and nothing of the one before it undone.
type next struct {
	conf    *keepalivedconf.Config
	setup   vrrp.Setup
	claims  map[string]*claim
	sockets map[segment]*socket
	routers []*router
	// follower is nil where the present one goes on.
	follower *follower
}

// prepare opens what a configuration needs beside what is open already; claims is how its routers are claimed. On an error nothing has changed.
func (p *process) prepare(c *keepalivedconf.Config, claims func(*vrrp.Setup) (map[string]*claim, error)) (*next, error) {
	n := &next{conf: c, setup: setupOf(c)}
	var err error
	if n.claims, err = claims(&n.setup); err != nil {
		return nil, err
	}
	p.needGate(c)
	n.sockets, err = p.newSockets(&n.setup)
	if err == nil {
		n.routers, err = p.newRouters(c)
	}
	if err == nil {
		n.follower, err = p.newFollower(c)
	}
	if err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// close gives back what was opened for a configuration that is not taken over.
func (n *next) close() {
	for _, s := range n.sockets {
		_ = s.hand.Close()
	}
	for _, r := range n.routers {
		r.close()
	}
	releaseAll(n.claims)
}

// take puts what was prepared in the place of what there was. Sockets that are not needed any more stay for the last words.
func (p *process) take(n *next) {
	p.conf, p.surplus = n.conf, true
	maps.Copy(p.claims, n.claims)
	p.takeSockets(n.sockets)
	p.takeRouters(n.conf, n.routers)
	if n.follower != nil {
		p.follow(n.follower)
	}
	p.openPipes(n.conf)
}

// reload takes a configuration over. The routers that stay keep their state and their addresses, and the checks what they know.
func (p *process) reload(c *keepalivedconf.Config) {
	n, err := p.prepare(c, p.moreClaims)
	if err != nil {
		p.log.Error("reload: the configuration before stays", "err", err)
		return
	}
	p.take(n)
	p.step(vrrp.Configured{Setup: n.setup})
	p.introduce(n.follower == nil)
	p.track()
	p.log.Info("reloaded", "instances", len(c.Instances))
}
