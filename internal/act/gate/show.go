package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"redkeep/internal/words"
)

// View is what the kernel has, as a person without an agent sees it.
type View struct {
	// Exists says that there is a table at all. Without one, everything is open.
	Exists bool
	// Owned says that a running agent holds it: Apply would be refused with ErrOwned.
	Owned bool
	// Lasting says that the table outlives its owner and, while it has one, another program's flush.
	Lasting bool
	// States has the groups, sorted by name.
	States []State
}

// Show reads the table without touching it. It needs CAP_NET_ADMIN, as all of nf_tables does.
func Show(ctx context.Context) (View, error) {
	if err := ctx.Err(); err != nil {
		return View{}, fmt.Errorf("show gate: %w", err)
	}
	h := &Hand{shape: newStructure(Config{}), groups: map[words.Group]*held{}}
	view, err := h.view()
	if err = errors.Join(err, h.Close()); err != nil {
		return View{}, fmt.Errorf("show gate: %w", unavailable(err))
	}
	return view, nil
}

func (h *Hand) view() (View, error) {
	if err := h.connect(); err != nil {
		return View{}, err
	}
	flags, exists, err := h.tableFlags(h.shape.table)
	if err != nil || !exists {
		return View{}, err
	}
	if _, h.withARP, err = h.tableFlags(h.shape.arp); err != nil {
		return View{}, err
	}
	view := View{Exists: true, Owned: flags&flagOwner != 0, Lasting: flags&flagPersist != 0}
	view.States, err = h.States()
	return view, err
}

// Apply sets some groups and leaves everything else as it is: for commands that run without an agent, and for the unit
// that shuts the gate at boot. Each group's change is one transaction; they are made in the order of their names, all of
// them even if one fails. ErrOwned says that an agent runs, which has to be asked instead.
func Apply(ctx context.Context, cfg Config, wants map[words.Group]Want) error {
	cfg.OnDamage = nil
	h, err := Open(ctx, cfg)
	if err != nil {
		return err
	}
	var failed error
	for _, group := range sortedGroups(wants) {
		failed = errors.Join(failed, h.Set(group, wants[group]))
	}
	return errors.Join(failed, h.Close())
}

func sortedGroups(wants map[words.Group]Want) []words.Group {
	names := make([]words.Group, 0, len(wants))
	for name := range wants {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
