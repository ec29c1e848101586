package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"redkeep/internal/act/peer"
	"redkeep/internal/client"
	"redkeep/internal/show/api"
	"redkeep/internal/speak/config"
	"redkeep/internal/speak/seal"
)

const (
	// reachLimit bounds the way to an agent, and an answer that takes no work.
	reachLimit = 5 * time.Second
	// changeLimit bounds what an agent has to work for. It is longer than the agent's own limit, so that its last word comes.
	changeLimit = api.DefaultLimit + 10*time.Second
)

// reachFlags are the flags of every command that asks an agent.
type reachFlags struct {
	*configFlags
	addr string
}

// addReachFlags gives a command -c, --node and --addr.
func addReachFlags(cmd *cobra.Command) *reachFlags {
	f := &reachFlags{configFlags: addConfigFlags(cmd)}
	cmd.Flags().Lookup("node").Usage = "ask the agent of this `NODE`, instead of the one whose address this host has"
	cmd.Flags().StringVar(&f.addr, "addr", "", "ask the agent at this `HOST:PORT`; without a port, peer_port")
	return f
}

// ask connects to the agent, proves that the file's secret is known, and lets do ask over the connection. Its errors begin
// with the command's name, but for those of the file, which begin with a place in it.
func (f *reachFlags) ask(cmd *cobra.Command, limit time.Duration, do func(context.Context, *client.Client) error) error {
	d, err := f.door(cmd)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), limit)
	defer cancel()
	conn, err := d.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := do(ctx, client.New(conn)); err != nil {
		return withCode(codeOfFault(api.FaultOf(err)), fmt.Errorf("%s: %w", cmd.Name(), err))
	}
	return nil
}

// door is what it takes to connect to the agent that is meant.
type door struct {
	command string
	addr    string
	secret  []byte
}

func (f *reachFlags) door(cmd *cobra.Command) (door, error) {
	c, err := f.load()
	if err != nil {
		return door{}, err
	}
	addr, err := f.target(c)
	return door{command: cmd.Name(), addr: addr, secret: []byte(c.Secret.Reveal())}, err
}

// dial connects, within reachLimit.
func (d door) dial(ctx context.Context) (*peer.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, reachLimit)
	defer cancel()
	conn, err := peer.Dial(ctx, d.addr, d.secret, peer.CommandLine)
	switch {
	case errors.Is(err, seal.ErrSecret):
		return nil, withCode(exitUsage, fmt.Errorf("%s: ask the agent: %w", d.command, err))
	case err != nil:
		return nil, withCode(exitNoAgent, fmt.Errorf("%s: ask the agent: %w", d.command, err))
	}
	return conn, nil
}

// target is where the agent listens: what --addr says, or the node's own address.
func (f *reachFlags) target(c *config.Config) (string, error) {
	if f.addr != "" {
		return withPort(f.addr, c.PeerPort)
	}
	self, err := f.self(c)
	if err != nil {
		return "", fmt.Errorf("%w, or name an agent with --addr HOST:PORT", err)
	}
	return netip.AddrPortFrom(self.Addr, c.PeerPort).String(), nil
}

// withPort gives an address that has no port the one at which agents listen.
func withPort(addr string, port uint16) (string, error) {
	if ip, err := netip.ParseAddr(strings.Trim(addr, "[]")); err == nil {
		return netip.AddrPortFrom(ip, port).String(), nil
	}
	if !strings.Contains(addr, ":") {
		addr = fmt.Sprintf("%s:%d", addr, port)
	}
	host, number, err := net.SplitHostPort(addr)
	if n, errPort := strconv.ParseUint(number, 10, 16); err != nil || errPort != nil || n == 0 || host == "" {
		return "", withCode(exitUsage, fmt.Errorf("--addr %q is no HOST:PORT; write it as in --addr 10.0.0.12:%d", addr, port))
	}
	return addr, nil
}

// codeOfFault is the exit code for what an agent said.
func codeOfFault(f api.Fault) code {
	switch f {
	case api.Usage:
		return exitUsage
	case api.Refused:
		return exitRefused
	case api.NoMajority:
		return exitNoMajority
	case api.Timeout, api.Unreachable:
		return exitNoAgent
	default:
		return exitFailed
	}
}

// addGroup gives a command --group.
func addGroup(cmd *cobra.Command) *string {
	return cmd.Flags().StringP("group", "g", "", "the `GROUP` that is meant; not needed where there is only one")
}
