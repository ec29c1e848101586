package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"redkeep/internal/act/gate"
	"redkeep/internal/words"
)

// A probe is how the gate is proved and not assumed (rule fence-proved): another agent tries a spare port of this node from
// outside, while the gate in front of it is shut and while it is not.

// probeRequest asks an agent to try an address; it travels between agents only.
type probeRequest struct {
	Probe netip.AddrPort `json:"probe"`
}

// found is what a stranger found behind an address.
type found string

const (
	foundServed  found = "served"
	foundRefused found = "refused"
	foundSilent  found = "silent"
)

const (
	probeGroup = words.Group("redkeep probe") // no user's group has a blank in its name
	probeLimit = time.Second
)

// errUnproved says that no other agent could be asked.
var errUnproved = errors.New("no other agent has tried the gate from outside yet")

// proveGate has another agent try the gate, and says what leaks.
func (a *Agent) proveGate(ctx context.Context) error {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", netip.AddrPortFrom(a.opt.Self.Addr, 0).String())
	if err != nil {
		return fmt.Errorf("listen for a probe: %w", err)
	}
	done := greetUntilClosed(ln)
	defer func() {
		_ = ln.Close()
		<-done
		_ = a.gate.Remove(probeGroup)
	}()
	addr, err := netip.ParseAddrPort(ln.Addr().String())
	if err != nil {
		return fmt.Errorf("listen for a probe: %w", err)
	}
	for _, n := range a.opt.Config.Nodes {
		if n.Name == a.opt.Self.Name {
			continue
		}
		if err = a.probeFrom(ctx, n.Name, addr); !errors.Is(err, errUnproved) {
			return err
		}
	}
	return errUnproved
}

// probeFrom has one agent try the address twice.
func (a *Agent) probeFrom(ctx context.Context, n words.Node, addr netip.AddrPort) error {
	ctx, cancel := context.WithTimeout(ctx, 3*probeLimit)
	defer cancel()
	conn, err := a.peer.Dial(ctx, n)
	if err != nil {
		return errUnproved
	}
	defer func() { _ = conn.Close() }()
	request, err := json.Marshal(probeRequest{Probe: addr})
	if err != nil {
		return fmt.Errorf("ask %s for a probe: %w", n, err)
	}
	for _, try := range []struct {
		mode gate.Mode
		want found
	}{{gate.Shut, foundRefused}, {gate.Absent, foundServed}} {
		if err := a.gate.Set(probeGroup, gate.Want{Ports: []uint16{addr.Port()}, Mode: try.mode}); err != nil {
			return fmt.Errorf("set the gate for a probe: %w", err)
		}
		answer, err := conn.Ask(ctx, request)
		if err != nil {
			return errUnproved
		}
		if got := found(answer); got != try.want {
			return fmt.Errorf("%w: %s found a port %s that was %s; look for a firewall or a proxy between them", gate.ErrLeaks, n, got, try.mode)
		}
	}
	return nil
}

// greetUntilClosed greets whoever connects. The channel closes when the listener has.
func greetUntilClosed(ln net.Listener) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(probeLimit))
			_, _ = conn.Write([]byte("!"))
			_ = conn.Close()
		}
	}()
	return done
}

// probe answers another agent's request: it tries an address of that agent's own node, and no other.
func (a *Agent) probe(ctx context.Context, who string, request []byte, reply func([]byte) error) (bool, error) {
	var r probeRequest
	if json.Unmarshal(request, &r) != nil || !r.Probe.IsValid() {
		return false, nil
	}
	if a.addrs()[words.Node(who)] != r.Probe.Addr() {
		return true, errors.New("an agent can only have its own node tried")
	}
	return true, reply([]byte(try(ctx, r.Probe)))
}

// try connects as a stranger and looks whether anybody is there.
func try(ctx context.Context, addr netip.AddrPort) found {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr.String())
	if err == nil {
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(probeLimit))
		_, err = conn.Read(make([]byte, 1))
	}
	switch timeout := net.Error(nil); {
	case err == nil:
		return foundServed
	case errors.As(err, &timeout) && timeout.Timeout():
		return foundSilent
	default:
		return foundRefused
	}
}
