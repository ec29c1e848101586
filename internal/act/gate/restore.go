package gate

import (
	"fmt"
	"time"

	"redkeep/internal/words"
)

// restoreWithin is how long a restoration may take to tell the kernel of slots. It is taken off what is left of them.
const restoreWithin = 30 * time.Millisecond

// restore makes the kernel what this Hand last told it, whatever is there now: all tables that are known to be damaged, or
// all of them where none is named or where a transaction failed.
//
// What is left of a slot is a time that is reckoned here and applied later: told by a process that was stopped in between, it
// would lengthen a lease (rule arm-before-send). So slots are armed again while nothing points at them, and are pointed at only
// where the kernel is known to have had them in time.
func (h *Hand) restore(damaged ...damage) error {
	if err := h.reconnect(); err != nil {
		return err
	}
	if h.unsure || len(damaged) == 0 {
		var err error
		if damaged, err = h.assess(); err != nil {
			return err
		}
	}
	h.unsure = true
	inTime, err := h.retell(damaged, (*batch).definition)
	if err == nil && !inTime {
		// Another program had the kernel's lock, as for the grace period after a deleted table: it is free now.
		inTime, err = h.retell(damaged, nil)
	}
	if err != nil {
		return fmt.Errorf("restore tables: %w", err)
	}
	if err := h.repoint(damaged, inTime); err != nil {
		return fmt.Errorf("restore slots: %w", err)
	}
	h.unsure = false
	return nil
}

// damage is what is known of a table that has to be restored.
type damage struct {
	table *table
	// gone says that the whole table was.
	gone bool
}

// assess takes all tables for damaged, and looks which are there.
func (h *Hand) assess() ([]damage, error) {
	var all []damage
	for _, t := range h.tables() {
		_, exists, err := h.tableFlags(t)
		if err != nil {
			return nil, err
		}
		all = append(all, damage{table: t, gone: !exists})
	}
	return all, nil
}

// intact reports whether the kernel has what this Hand last told it, as far as packets would notice.
func (h *Hand) intact() bool {
	for _, t := range h.tables() {
		h.bound()
		if right, err := t.standing(h.conn); err != nil || !right {
			return false
		}
	}
	states, err := h.read()
	if err != nil {
		return false
	}
	have := map[words.Group]State{}
	for _, s := range states {
		have[s.Group] = s
	}
	for name, g := range h.groups {
		if g.want.Mode != Absent && !g.intact(have[name]) {
			return false
		}
		delete(have, name)
	}
	return len(have) == 0
}

// intact compares one group. Of a slot that is about to end nothing can be said.
func (g *held) intact(s State) bool {
	told, have := g.want, s.Want
	timed := told.For > 0
	if timed != (have.For > 0) {
		return false
	}
	told.For, have.For = 0, 0
	if !told.same(have) {
		return false
	}
	return told.Mode != Leased || s.Left > 0 || g.ends[told.Slot].left(now()) < restoreWithin
}

// retell tells the kernel all of the damaged tables but what points at slots, in one transaction, and reports whether the
// kernel had what is left of the slots in time. first is what comes before the elements; nil for nothing.
func (h *Hand) retell(damaged []damage, first func(*batch, *table)) (inTime bool, err error) {
	at := now()
	if h.cfg.pause != nil {
		h.cfg.pause()
	}
	var b batch
	for _, d := range damaged {
		b.only = d.table
		if first != nil {
			first(&b, d.table)
		}
		for _, set := range d.table.told {
			b.empty(set)
		}
		for name, g := range h.groups {
			h.shape.retell(&b, g, at)
			h.shape.change(&b, name, Want{}, g.meanwhile(d.gone))
		}
	}
	err = h.send(&b)
	return time.Duration(now()-at) <= restoreWithin, err
}

// retell arms a group's slots, and its timed opening, for what is left of them.
func (s *structure) retell(b *batch, g *held, at boottime) {
	for n, end := range g.ends {
		if left := end.left(at) - restoreWithin; left > 0 {
			s.renewSlot(b, n, g.want, left)
		}
	}
	if left := g.lentUntil.left(at); left > 0 {
		renew(b, s.lent, timedPorts(g.want.Ports, left))
	}
}

// repoint leads leased groups to their slots again; or shuts them, where those were armed too late to be trusted.
func (h *Hand) repoint(damaged []damage, inTime bool) error {
	var b batch
	for _, d := range damaged {
		b.only = d.table
		for name, g := range h.groups {
			if g.want.Mode != Leased {
				continue
			}
			to := g.want
			if !inTime {
				to.Mode = Shut
			}
			h.shape.change(&b, name, g.meanwhile(d.gone), to)
		}
	}
	return h.send(&b)
}

// meanwhile is what a group gets before its slots are known to be right: a leased one is shut; or left as open as the loss of
// the whole table has made it, for a millisecond more, which costs its clients nothing.
func (g *held) meanwhile(gone bool) Want {
	w := g.untimed()
	if w.Mode == Leased {
		if w.Mode = Shut; gone {
			w.Mode = Absent
		}
	}
	return w
}
