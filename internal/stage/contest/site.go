package contest

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/wire"
)

const (
	// pollPause is how often the state of a site is looked at: seldom enough not to be in the way of what is measured.
	pollPause = 20 * time.Millisecond
	// askLimit bounds one question to a server or an agent.
	askLimit = 300 * time.Millisecond
)

// Site is a stage with a server on each host. The first host's is the master, and the one that is struck.
type Site struct {
	*stage.Stage
	// Servers are in the order of the hosts.
	Servers []*stage.Redis
	// preferred says that the first host shall get the master back whenever it can.
	preferred bool
}

// open starts the servers, as replicas of the first.
func open(ctx context.Context, st *stage.Stage) (*Site, error) {
	s := &Site{Stage: st}
	for i, h := range st.Hosts() {
		c := stage.RedisConfig{}
		if i > 0 {
			c.ReplicaOf = s.Servers[0].Addr()
		}
		r, err := h.StartRedis(ctx, c)
		if err != nil {
			return nil, err
		}
		s.Servers = append(s.Servers, r)
	}
	return s, nil
}

// Victim is the server that is struck.
func (s *Site) Victim() *stage.Redis { return s.Servers[0] }

// role is what a server says of itself.
type role struct {
	// name is "master", "slave", or empty for a server that does not answer.
	name string
	// linked says that a replica's link to its master is up.
	linked bool
}

// roles asks the servers on their own hosts, but for the first skip of them.
func (s *Site) roles(ctx context.Context, skip int) []role {
	var found []role
	for _, r := range s.Servers[skip:] {
		found = append(found, ask(ctx, r))
	}
	return found
}

func ask(ctx context.Context, r *stage.Redis) role {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	answer, err := r.Do(ctx, "ROLE")
	if err != nil || len(answer.Elems) == 0 {
		return role{}
	}
	name := answer.Elems[0].Text
	return role{name: name, linked: name == "slave" && len(answer.Elems) > 3 && answer.Elems[3].Text == "connected"}
}

// oneMaster reports whether exactly one of the servers is a master.
func oneMaster(roles []role) bool {
	masters := 0
	for _, r := range roles {
		if r.name == "master" {
			masters++
		}
	}
	return masters == 1
}

// replicating reports whether the first server is the master and all others follow.
func (s *Site) replicating(ctx context.Context) bool {
	for i, r := range s.roles(ctx, 0) {
		if (r.name == "master") != (i == 0) || i > 0 && !r.linked {
			return false
		}
	}
	return true
}

// caughtUp reports whether all replicas have a write of now. That their links are up says nothing: after a full copy Redis
// holds back what is written until the replica's next word, for up to a second.
func (s *Site) caughtUp(ctx context.Context) bool {
	conn, err := dialHost(ctx, s.Victim().Host(), stage.DefaultPort)
	if err != nil {
		return false
	}
	defer conn.Close()
	if _, err := conn.Do(askLimit, "SET", "bench-ready", "1"); err != nil {
		return false
	}
	replicas := len(s.Servers) - 1
	answer, err := conn.Do(askLimit, "WAIT", fmt.Sprint(replicas), fmt.Sprint((askLimit / 2).Milliseconds()))
	return err == nil && answer.Int == int64(replicas)
}

// await polls until something holds, and reports whether it did in time.
func await(ctx context.Context, within time.Duration, holds func() bool) bool {
	limit := time.NewTimer(within)
	defer limit.Stop()
	again := time.NewTicker(pollPause)
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-limit.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// pause waits, or returns with the context.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// script writes a shell script into a host's directory and returns its path.
func script(h *stage.Host, name, text string) (string, error) {
	path := filepath.Join(h.Dir(), name)
	return path, os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700)
}

// dialHost opens a connection from a host to a port of its own.
func dialHost(ctx context.Context, h *stage.Host, port uint16) (*wire.Conn, error) {
	return wire.Dial(ctx, h.Dial, netip.AddrPortFrom(h.Addr(), port), askLimit)
}
