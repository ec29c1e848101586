package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"

	"redkeep/internal/show/sentinel"
	"redkeep/internal/words"
)

// openFace listens for clients that speak Sentinel.
func (a *Agent) openFace(ctx context.Context) error {
	a.face = sentinel.New(sentinel.Config{
		Picture: a.newest, DownAfter: a.opt.Config.DownAfter, Log: a.log,
	})
	addr := netip.AddrPortFrom(a.opt.Self.Addr, a.opt.Config.ListenPort)
	var err error
	if a.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", addr.String()); err != nil {
		return fmt.Errorf("listen for clients: %w; %s", err, adviseListen(err))
	}
	return nil
}

func adviseListen(err error) string {
	if errors.Is(err, unix.EADDRNOTAVAIL) {
		return "this host does not have the address that nodes gives it; is it another node?"
	}
	return "stop what uses the port (a redis-sentinel?), or set listen_port on all nodes"
}

func (a *Agent) serveFace(ctx context.Context) error {
	if err := a.face.Serve(ctx, a.listener); err != nil {
		return fmt.Errorf("serve clients on port %d: %w", a.opt.Config.ListenPort, err)
	}
	return nil
}

// addrs are the nodes' addresses.
func (a *Agent) addrs() map[words.Node]netip.Addr {
	m := make(map[words.Node]netip.Addr, len(a.opt.Config.Nodes))
	for _, n := range a.opt.Config.Nodes {
		m[n.Name] = n.Addr
	}
	return m
}
