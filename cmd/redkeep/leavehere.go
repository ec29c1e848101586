package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"redkeep/internal/act/gate"
	"redkeep/internal/act/store"
	"redkeep/internal/speak/record"
	"redkeep/internal/words"
)

// hereFlags are those of `redkeep leave --here`.
type hereFlags struct {
	asked, force bool
	dir          string
}

func (h *hereFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&h.asked, "here", false, "ask no agent: take away what one has left in this host's kernel")
	cmd.Flags().BoolVar(&h.force, "force", false, "with --here: also where the gate is shut, and its server would take writes")
	cmd.Flags().StringVar(&h.dir, "state-dir", defaultStateDir, "with --here: the agent's state is in this `DIR`")
}

// leave takes the gate out of the kernel, and says what remains for the person to do. It reads the kernel and not the file
// for what is there, since the file may be gone already; virtual addresses end by themselves, seconds after their agent.
func (h *hereFlags) leave(ctx context.Context, s streams, flags *configFlags) error {
	v, err := gate.Show(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("leave: %w; or run this as root", err)
	case v.Owned:
		return withCode(exitRefused, errors.New("leave: an agent runs here, and holds the gate; stop it first: systemctl stop redkeep"))
	}
	if shut := shutGroups(v); len(shut) > 0 && !h.force {
		return withCode(exitRefused, fmt.Errorf("leave: the gate is shut in front of %s, whose server here may be a second master; "+
			"start the agents and leave with them, or make sure that no client writes here and add --force", list(shut)))
	}
	what := "there is no gate"
	if v.Exists {
		if err := withdraw(ctx, v); err != nil {
			return fmt.Errorf("leave: %w", err)
		}
		what = "the gate is gone"
	}
	_, err = fmt.Fprintln(s.out, what)
	return errors.Join(err, h.sayFenced(s, flags))
}

// shutGroups are those whose clients are refused now, or will be when a lease has run out that nobody renews.
func shutGroups(v gate.View) []words.Group {
	var shut []words.Group
	for _, st := range v.States {
		if !st.Want.Watch && (!st.Open || st.Left > 0) {
			shut = append(shut, st.Group)
		}
	}
	return shut
}

// withdraw opens every group's ports for good, and takes the table away.
func withdraw(ctx context.Context, v gate.View) error {
	hand, err := gate.Open(ctx, gate.Config{})
	if err != nil {
		return err
	}
	var failed error
	for _, st := range v.States {
		failed = errors.Join(failed, hand.Set(st.Group, gate.Want{Ports: st.Want.Ports, Mode: gate.Absent}))
	}
	if failed == nil {
		_, failed = hand.Withdraw()
	}
	return errors.Join(failed, hand.Close())
}

// sayFenced names the groups that go on without this host: their server's own file names a dead end as its master, which
// only an agent, or now a person, can change.
func (h *hereFlags) sayFenced(s streams, flags *configFlags) error {
	c, err := flags.load()
	if err != nil {
		return nil //nolint:nilerr // without the file there is nobody to speak of
	}
	var fenced []words.Group
	for _, g := range c.Groups {
		raw, err := store.Peek(h.dir, g.Name)
		if err != nil {
			continue
		}
		if r, err := record.Parse(raw); err == nil && r.Leased() && !r.Left && r.Record.RunID != "" {
			fenced = append(fenced, g.Name)
		}
	}
	if len(fenced) == 0 {
		return nil
	}
	slices.Sort(fenced)
	_, err = fmt.Fprintf(s.out, "%s: not left, so this host's server still starts as a replica of nothing; "+
		"before its next restart, give the replicaof line of its own file the master that you want, or take the line out\n", list(fenced))
	return err
}
