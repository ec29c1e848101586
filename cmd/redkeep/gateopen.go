package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"redkeep/internal/act/gate"
	"redkeep/internal/speak/config"
	"redkeep/internal/words"
)

// openLongest bounds what a person may ask for at once: an opening that is forgotten must end.
const openLongest = 24 * time.Hour

// openFlags are how a gate is forced open.
type openFlags struct {
	force, yes bool
	during     time.Duration
}

// newGateOpen builds `redkeep gate open`.
func newGateOpen(s streams) *cobra.Command {
	var o openFlags
	cmd := &cobra.Command{
		Use:   "open [GROUP] --force",
		Short: "Let clients through a shut gate without a lease, for a limited time",
		Long: `Let clients through a shut gate without a lease, for a limited time: the last resort on a host
whose agent can't run. Nothing then keeps its Redis from being a second master, whose writes are
lost when the nodes meet again. The kernel shuts the gate again when the time is over, and an agent
that starts sets it as its lease allows. It opens this host's own address: a virtual one is answered
for by the holder of the lease alone. While an agent runs the gate is the agent's; if there is no
master, "redkeep explain" says why.`,
		Example: "  redkeep gate open --force\n  redkeep gate open orders --force --for 1h --yes",
		Args:    cobra.MaximumNArgs(1),
	}
	flags := addConfigFlags(cmd)
	cmd.Flags().BoolVar(&o.force, "force", false, "open it although no lease says that this host may")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "don't ask")
	cmd.Flags().DurationVar(&o.during, "for", 10*time.Minute, "shut it again after this `TIME`, up to 24h")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := flags.load()
		if err != nil {
			return err
		}
		groups, err := chosen(c, args)
		if err != nil {
			return err
		}
		if len(groups) > 1 {
			return withCode(exitUsage, fmt.Errorf("gate open: name the group that is meant: %s", groupNames(groups)))
		}
		return o.open(cmd, s, c, groups[0])
	}
	return cmd
}

// open forces one group's gate open, if it is shut, nobody else's, and the person means it.
func (o openFlags) open(cmd *cobra.Command, s streams, c *config.Config, g config.Group) error {
	switch {
	case o.during < time.Millisecond || o.during > openLongest:
		return withCode(exitUsage, fmt.Errorf("gate open: --for must be a time up to %v, as in --for 10m", openLongest))
	case !o.force:
		return withCode(exitRefused, fmt.Errorf("gate open: %s; if that can't happen, add --force", danger(g.Name)))
	}
	v, err := gate.Show(cmd.Context())
	if err != nil {
		return fmt.Errorf("gate open: %w; or run this as root", err)
	}
	if st, _ := state(v, g.Name); st.Open && st.Left == 0 {
		// A limit would shut it later.
		_, err := fmt.Fprintf(s.out, "%s: not shut, everything passes already\n", g.Name)
		return err
	}
	if v.Owned {
		return owned()
	}
	if !o.yes {
		if err := confirm(s, g.Name); err != nil {
			return err
		}
	}
	err = gate.Apply(cmd.Context(), gate.Config{ExemptUIDs: exemptUsers(s, c)}, map[words.Group]gate.Want{
		g.Name: {
			Ports: g.Server.Ports(), Addresses: g.Addresses(), Mode: gate.Opened, For: o.during, Watch: g.Gate == config.GateWatch,
		},
	})
	if errors.Is(err, gate.ErrOwned) {
		return owned()
	}
	if err != nil {
		return fmt.Errorf("gate open: %w", err)
	}
	_, err = fmt.Fprintf(s.out, "%s: open for %v; to shut it before: redkeep gate shut %[1]s\n", g.Name, o.during)
	return err
}

// owned is the refusal beside a running agent.
func owned() error {
	return withCode(exitRefused, errors.New("gate open: the running agent holds the gate and opens it when the lease allows that; "+
		"redkeep explain says what is in the way; to open it by hand stop the agent first: systemctl stop redkeep"))
}

// danger names what may happen.
func danger(g words.Group) string {
	return fmt.Sprintf("clients can then write to this host's Redis of %s without a lease; "+
		"if another node is master, both take writes, and the writes of one side are lost", g)
}

// confirm asks the person at the terminal to type the group's name.
func confirm(s streams, g words.Group) error {
	if in, ok := s.in.(io.Writer); !ok || !terminal(in) {
		return withCode(exitRefused, fmt.Errorf("gate open: %s; nobody can be asked here, so add --yes", danger(g)))
	}
	_, _ = fmt.Fprintf(s.err, "%s.\nType the group's name to open its gate: ", capital(danger(g)))
	line, err := bufio.NewReader(s.in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the answer: %w", err)
	}
	if strings.TrimSpace(line) != string(g) {
		return withCode(exitRefused, errors.New("gate open: not confirmed; nothing was changed"))
	}
	return nil
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

func groupNames(groups []config.Group) string {
	var names []words.Group
	for _, g := range groups {
		names = append(names, g.Name)
	}
	return list(names)
}
