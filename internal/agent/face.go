package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/act/peer"
	"redkeep/internal/show/api"
	"redkeep/internal/show/sentinel"
	"redkeep/internal/words"
)

// openFace listens for clients that speak Sentinel.
func (a *Agent) openFace(ctx context.Context) error {
	a.face = sentinel.New(sentinel.Config{
		Picture: a.newest, DownAfter: a.opt.Config.DownAfter, Log: a.log,
		Clients:  faceClients(openFiles()),
		Failover: func(g words.Group) error { return a.failover(ctx, g) },
	})
	addr := netip.AddrPortFrom(a.opt.Self.Addr, a.opt.Config.ListenPort)
	var err error
	if a.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", addr.String()); err != nil {
		return fmt.Errorf("listen for clients: %w; %s", err, adviseListen(err))
	}
	return nil
}

// spareFiles are the descriptors that clients leave to the rest of the agent: its sockets, its store, the processes it watches.
const spareFiles = 512

// faceClients is how many clients the face serves where the process may open so many files: what they need is never taken from
// what the lease needs.
func faceClients(files uint64) int {
	if files >= sentinel.DefaultClients+spareFiles {
		return sentinel.DefaultClients
	}
	return max(16, int(files)-spareFiles)
}

// openFiles is the limit that the Go runtime has raised as far as it may.
func openFiles() uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return limit.Cur
}

// failoverWait is how long a client of SENTINEL FAILOVER waits for the end of its switchover. Sentinel's OK says no more than
// that a failover has begun, so one that takes longer is answered with that, too, and goes on.
const failoverWait = time.Second

// failover asks the group's holder for a switchover to its best replica, as the command line does.
func (a *Agent) failover(ctx context.Context, g words.Group) error {
	ctx, cancel := context.WithTimeout(ctx, failoverWait)
	defer cancel()
	request, err := json.Marshal(api.Request{Version: api.Version, Verb: api.Switchover, Group: g})
	if err != nil {
		return fmt.Errorf("ask for a switchover: %w", err)
	}
	var told *api.Error
	err = a.onAsk(ctx, peer.CommandLine, request, func(answer []byte) error {
		p, err := api.ParsePart(answer)
		told = p.Error
		return err
	})
	switch {
	case told != nil && told.Fault == api.Refused:
		return &sentinel.Refused{Text: told.Text}
	case told != nil && told.Fault != api.Timeout:
		return told
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("ask for a switchover of %s: %w", g, err)
	default:
		return nil
	}
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
