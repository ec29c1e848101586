package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"redkeep/internal/act/gate"
	"redkeep/internal/act/store"
	"redkeep/internal/speak/config"
	"redkeep/internal/speak/record"
	"redkeep/internal/words"
)

const (
	// agentShuts is how long a running agent may take to shut the gate of a server that is about to be started: it does
	// so when it sees the old one die.
	agentShuts = 3 * time.Second
	agentLook  = 20 * time.Millisecond
)

// newGateShut builds `redkeep gate shut`.
func newGateShut(s streams) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "shut [GROUP...]",
		Short: "Shut the gate of the groups that have been leased on this host",
		Long: `Shut the gate of the groups that have been leased on this host, as it must be before their
redis-server starts: at boot, and whenever no agent runs. The agent opens it again when it knows the
server's role. It needs neither the network nor an agent.

A group is left alone if it was never leased as far as this host's state directory says, if this
host is a witness of it, if Redkeep has left it, or if the file says "gate: off". Nothing is shut, and
nothing is wrong, where no agent has ever run, whatever the file says or lacks. While an agent runs
the gate is the agent's; then this command waits until the agent has shut it.`,
		Example: "  redkeep gate shut\n  redkeep gate shut orders -c /etc/redkeep/redkeep.yaml",
		Args:    cobra.ArbitraryArgs,
	}
	flags := addConfigFlags(cmd)
	cmd.Flags().StringVar(&dir, "state-dir", defaultStateDir, "the agent's state is in this `DIR`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if absent(flags.file) && absent(filepath.Join(dir, "node")) {
			// The package is installed and not set up: its drop-in must not keep the server from starting.
			_, err := fmt.Fprintf(s.out, "nothing to shut: there is no %s, and no agent has run here (%s)\n", flags.file, dir)
			return err
		}
		c, err := flags.load()
		if err != nil && absent(filepath.Join(dir, "node")) {
			// A file that was begun and not finished, as the package's own is: no group was ever leased by an agent that never ran.
			_, err = fmt.Fprintf(s.out, "nothing to shut: no agent has run here (%s); the file is not good yet, see: redkeep check\n", dir)
			return err
		}
		if err != nil {
			return err
		}
		groups, err := chosen(c, args)
		if err != nil {
			return err
		}
		guarded, err := flags.guarded(s, c, groups, dir)
		if err != nil || len(guarded) == 0 {
			return err
		}
		if err := shut(cmd.Context(), s, c, guarded); err != nil {
			return err
		}
		for _, g := range guarded {
			if _, err := fmt.Fprintf(s.out, "%s: shut\n", g.Name); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

// absent reports whether there surely is no such file.
func absent(name string) bool {
	_, err := os.Lstat(name)
	return errors.Is(err, fs.ErrNotExist)
}

// guarded returns the groups whose server must not be reached before an agent knows its role, and says of the others why
// they are left alone.
func (f *configFlags) guarded(s streams, c *config.Config, groups []config.Group, dir string) ([]config.Group, error) {
	var guarded []config.Group
	for _, g := range groups {
		why, err := f.leftAlone(c, g, dir)
		if err != nil {
			return nil, err
		}
		if why == "" {
			guarded = append(guarded, g)
			continue
		}
		if _, err := fmt.Fprintf(s.out, "%s: left alone, %s\n", g.Name, why); err != nil {
			return nil, err
		}
	}
	return guarded, nil
}

// leftAlone says why a group's gate is not to be shut; "" if it is. A record that can't be read counts as leased: what this
// host has promised is not known then.
func (f *configFlags) leftAlone(c *config.Config, g config.Group, dir string) (string, error) {
	if g.Gate == config.GateOff {
		return "gate: off in the file", nil
	}
	raw, err := store.Peek(dir, g.Name)
	switch {
	case errors.Is(err, store.ErrNone) && absent(filepath.Join(dir, "node")):
		return fmt.Sprintf("no agent has run with the state directory %s; if it has another, name that with --state-dir", dir), nil
	case errors.Is(err, store.ErrNone):
		return "it was never leased here", nil
	case errors.Is(err, store.ErrUnreadable):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("%w; run this as root, or name the right --state-dir", err)
	}
	r, err := record.Parse(raw)
	switch {
	case err != nil:
		return "", nil // of a later release, for one
	case r.Left:
		return "redkeep has left it", nil
	case !r.Leased():
		return "it was never leased here", nil
	case !f.hasData(c, g, r):
		return "this host is a witness", nil
	default:
		return "", nil
	}
}

// hasData reports whether this host has a server of the group. Before the network is up nothing but what was recorded of
// the server may tell; where that says nothing and some nodes are witnesses, the addresses do.
func (f *configFlags) hasData(c *config.Config, g config.Group, r words.Register) bool {
	if r.Record.RunID != "" || len(g.Data) == len(c.Nodes) {
		return true
	}
	self, err := f.self(c)
	return err == nil && g.HasData(self.Name)
}

// shut shuts the groups, or sees the running agent do it.
func shut(ctx context.Context, s streams, c *config.Config, groups []config.Group) error {
	wants := map[words.Group]gate.Want{}
	for _, g := range groups {
		wants[g.Name] = gate.Want{
			Ports: g.Server.Ports(), Addresses: g.Addresses(), Mode: gate.Shut, Watch: g.Gate == config.GateWatch,
		}
	}
	err := gate.Apply(ctx, gate.Config{ExemptUIDs: exemptUsers(s, c)}, wants)
	switch {
	case errors.Is(err, gate.ErrOwned):
		return while(s.err, "waiting for the running agent to shut the gate", func() error { return agentShut(ctx, groups) })
	case errors.Is(err, gate.ErrUnavailable):
		return fmt.Errorf("gate shut: %w; run this as root, or set gate: off where there can be none", err)
	case err != nil:
		return fmt.Errorf("gate shut: %w", err)
	default:
		return nil
	}
}

// agentShut waits until the running agent has shut the groups' gate. It does that by itself when their server dies; while
// a server runs that the agent trusts, it does not.
func agentShut(ctx context.Context, groups []config.Group) error {
	again := time.NewTicker(agentLook)
	defer again.Stop()
	limit := time.After(agentShuts)
	for {
		v, err := gate.Show(ctx)
		if err != nil {
			return err
		}
		var open []string
		for _, g := range groups {
			// A group that only watches passes everything, shut or not; one that the agent has no element for is not leased.
			if st, judged := state(v, g.Name); judged && st.Open && !st.Want.Watch {
				open = append(open, string(g.Name))
			}
		}
		if len(open) == 0 {
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-limit:
			slices.Sort(open)
			return withCode(exitRefused, fmt.Errorf("gate shut: the running agent holds the gate, and keeps %s open for a server that it knows; "+
				"move the master away with: redkeep switchover, or stop the agent first: systemctl stop redkeep", strings.Join(open, ", ")))
		}
	}
}
