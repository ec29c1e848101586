package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"redkeep/internal/act/gate"
	"redkeep/internal/speak/config"
	"redkeep/internal/words"
)

// newGate builds `redkeep gate` and its commands, which speak with the kernel and with no agent.
func newGate(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "gate",
		Short: "Look at this host's gate in the kernel, shut it, or force it open",
		Long: `Look at this host's gate in the kernel, shut it, or force it open.
The gate is a packet filter in front of the groups' Redis ports: it lets clients through while
this host has the lease, or a replica that its agent knows. The commands work without an agent; they
need root, or CAP_NET_ADMIN. While an agent runs, the gate is the agent's and can only be looked at.`,
		Example: "  redkeep gate show\n  redkeep gate shut\n  redkeep gate open orders --force --for 10m",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newGateShow(s), newGateShut(s), newGateOpen(s))
	return cmd
}

// chosen returns the groups of the file that the arguments name; all of them without arguments.
func chosen(c *config.Config, args []string) ([]config.Group, error) {
	if len(args) == 0 {
		return c.Groups, nil
	}
	var groups []config.Group
	for _, name := range args {
		g, ok := c.Group(words.Group(name))
		if !ok {
			return nil, withCode(exitUsage, fmt.Errorf("gate: the file has no group %q; redkeep gate show lists what the kernel has", name))
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// state returns what the kernel has of a group. Without an element for it everything passes.
func state(v gate.View, g words.Group) (gate.State, bool) {
	for _, s := range v.States {
		if s.Group == g {
			return s, true
		}
	}
	return gate.State{Group: g, Open: true, Claimable: true}, false
}
