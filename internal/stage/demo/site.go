package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/stage"
	"redkeep/internal/stage/agents"
	"redkeep/internal/stage/writer"
	"redkeep/internal/words"
)

const (
	group  = "orders"
	secret = "only-for-the-demo"
)

// errGone says that something which has to run has ended.
var errGone = errors.New("ended by itself")

// site is three hosts as a user would set them up.
type site struct {
	*stage.Stage
	program, file string
	journal       *journal
	servers       map[words.Node]*stage.Redis
	agents        map[words.Node]*stage.Process
}

// open starts servers, the first as master of the others, and then an agent beside each.
func open(ctx context.Context, st *stage.Stage, program string) (*site, error) {
	s := &site{
		Stage: st, program: program, file: filepath.Join(st.Dir(), "redkeep.yaml"),
		journal: newJournal(), servers: map[words.Node]*stage.Redis{}, agents: map[words.Node]*stage.Process{},
	}
	if err := os.WriteFile(s.file, []byte(s.config()), 0o600); err != nil {
		return nil, fmt.Errorf("write the demo's configuration: %w", err)
	}
	for i, h := range st.Hosts() {
		c := stage.RedisConfig{}
		if i > 0 {
			c.ReplicaOf = st.Hosts()[0].Port(stage.DefaultPort)
		}
		r, err := h.StartRedis(ctx, c)
		if err != nil {
			return nil, err
		}
		s.servers[words.Node(h.Name())] = r
	}
	for _, h := range st.Hosts() {
		if err := s.startAgent(h); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// startAgent starts a host's agent as a unit file does.
func (s *site) startAgent(h *stage.Host) error {
	node := words.Node(h.Name())
	p, err := agents.Start(h, s.program, s.file, s.journal.of(node))
	if err != nil {
		return err
	}
	s.agents[node] = p
	return nil
}

// config is the file that every host has.
func (s *site) config() string {
	var nodes []string
	for _, h := range s.Hosts() {
		nodes = append(nodes, fmt.Sprintf("%s: %s", h.Name(), h.Addr()))
	}
	return fmt.Sprintf("secret: %s\nlease: %v\ndown_after: %v\nnodes: {%s}\ngroups: {%s: {redis: %d, vip: %s}}\n",
		secret, lease, lease, strings.Join(nodes, ", "), group, stage.DefaultPort, stage.VIP)
}

// status asks a host's agent, from its own host, what it sees.
func (s *site) status(ctx context.Context, n words.Node) (picture.Group, error) {
	return agents.Status(ctx, s.Host(string(n)), secret, group)
}

// settled waits until a master takes writes and every other server is in sync with it, and returns the master's picture.
func (s *site) settled(ctx context.Context) (picture.Group, error) {
	var whole picture.Group
	err := s.await(ctx, "the group to be whole", settleLimit, func() bool {
		for _, h := range s.Hosts() {
			if g, err := s.status(ctx, words.Node(h.Name())); err == nil && agents.Whole(g) {
				whole = g
				return true
			}
		}
		return false
	})
	return whole, err
}

// measured is settled that gives each agent the time to measure its gate. A gate that is not hard then is shown as it is.
func (s *site) measured(ctx context.Context) (picture.Group, error) {
	begun := time.Now()
	for {
		g, err := s.settled(ctx)
		soft := slices.ContainsFunc(g.Members, func(m picture.Member) bool { return m.Fence != words.FenceHard })
		if err != nil || !soft || time.Since(begun) > measureLimit {
			return g, err
		}
		if err := pause(ctx, measureLimit/50); err != nil {
			return g, err
		}
	}
}

// await waits for what nothing announces; while it does, agents must live.
func (s *site) await(ctx context.Context, what string, limit time.Duration, ok func() bool) error {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	end := time.Now().Add(limit)
	for !ok() {
		for _, p := range s.agents {
			if p.Ended() && ctx.Err() == nil {
				_, err := p.End()
				return fmt.Errorf("the agent on %s %w (%v); its last lines:\n%s", p.Host().Name(), errGone, err, s.journal.tail(words.Node(p.Host().Name())))
			}
		}
		if time.Now().After(end) {
			return fmt.Errorf("wait for %s: not within %v; this machine may be too busy, or the demo has found a fault: redkeep demo --keep leaves the logs", what, limit)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// nameOf is the host of the server that took a write.
func (s *site) nameOf(w writer.Write) string {
	for _, h := range s.Hosts() {
		if h.Addr() == w.Node.Addr() {
			return h.Name()
		}
	}
	return w.Node.String()
}
