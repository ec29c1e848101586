package gate

import (
	"fmt"
	"time"
)

// adopt makes the tables ours and their structure right, with all that is in force in them staying in force.
func (h *Hand) adopt() error {
	_, exists, err := h.tableFlags(h.shape.arp)
	if err != nil {
		return err
	}
	h.withARP = exists
	for _, t := range h.tables() {
		if _, err := h.stand(t); err != nil {
			return err
		}
	}
	if err := h.reread(); err != nil {
		return err
	}
	if g := h.groups[selfTestGroup]; g != nil { // Its process died in the middle.
		err = h.set(selfTestGroup, Want{Ports: g.want.Ports, Mode: Absent})
		delete(h.groups, selfTestGroup)
	}
	return err
}

// stand makes a table ours and writes its structure where that is not right. It reports whether the table was there.
func (h *Hand) stand(t *table) (existed bool, err error) {
	if existed, err = h.take(t); err != nil {
		return false, err
	}
	var right bool
	if existed {
		h.bound()
		if right, err = t.standing(h.conn); err != nil {
			h.log.Warn("gate structure cannot be read", "err", err)
		}
	}
	if right {
		return existed, nil
	}
	h.log.Info("gate structure is written", "family", t.Family, "existed", existed)
	return existed, h.write(t)
}

// write makes the structure of a table right in one transaction, which leaves the sets' elements alone.
func (h *Hand) write(t *table) error {
	var b batch
	b.definition(t, t.flags)
	if err := h.send(&b); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// restoreWithin is how long a restoration may take to tell the kernel of slots. It is taken off what is left of them.
const restoreWithin = 30 * time.Millisecond

// restore makes the kernel what this Hand last told it, whatever is there now: the structure, then all elements, each in
// one transaction, so that what still stood is never out of force. It restores the tables that are known to be damaged;
// all of them where none is named, or where a transaction failed.
//
// What is left of a slot is a time that is reckoned here and applied later: told by a process that was stopped in between, it
// would lengthen a lease (rule arm-before-send). So slots are armed again while nothing points at them, and are pointed at only
// where the kernel is known to have had them in time.
func (h *Hand) restore(tables ...*table) error {
	if err := h.reconnect(); err != nil {
		return err
	}
	if h.unsure || len(tables) == 0 {
		tables = h.tables()
	}
	h.unsure = true
	existed := map[*table]bool{}
	for _, t := range tables {
		var err error
		if existed[t], err = h.take(t); err != nil {
			return err
		}
	}
	for _, t := range tables {
		if err := h.write(t); err != nil {
			return err
		}
	}
	at := now()
	if h.cfg.pause != nil {
		h.cfg.pause()
	}
	if err := h.retellAll(at, existed); err != nil {
		return fmt.Errorf("restore elements: %w", err)
	}
	if err := h.repoint(existed, time.Duration(now()-at) <= restoreWithin); err != nil {
		return fmt.Errorf("restore slots: %w", err)
	}
	h.unsure = false
	return nil
}

// retellAll tells the kernel all elements of the tables but those that point at slots.
func (h *Hand) retellAll(at boottime, existed map[*table]bool) error {
	var b batch
	for t, had := range existed {
		b.only = t
		for _, set := range t.told {
			b.empty(set)
		}
		for name, g := range h.groups {
			for n, end := range g.ends {
				if left := end.left(at) - restoreWithin; left > 0 {
					h.shape.renewSlot(&b, n, g.want, left)
				}
			}
			if left := g.lentUntil.left(at); left > 0 {
				renew(&b, h.shape.lent, timedPorts(g.want.Ports, left))
			}
			h.shape.change(&b, name, Want{}, g.meanwhile(had))
		}
	}
	return h.send(&b)
}

// repoint leads leased groups to their slots again; or shuts them, where those were armed too late to be trusted.
func (h *Hand) repoint(existed map[*table]bool, inTime bool) error {
	var b batch
	for t, had := range existed {
		b.only = t
		for name, g := range h.groups {
			if g.want.Mode != Leased {
				continue
			}
			to := g.want
			if !inTime {
				to.Mode = Shut
			}
			h.shape.change(&b, name, g.meanwhile(had), to)
		}
	}
	return h.send(&b)
}

// meanwhile is what a group gets before its slots are known to be right: a leased one is shut; or left as open as the loss of
// the whole table has made it, for a millisecond more, which costs its clients nothing.
func (g *held) meanwhile(existed bool) Want {
	w := g.untimed()
	if w.Mode == Leased {
		if w.Mode = Absent; existed {
			w.Mode = Shut
		}
	}
	return w
}
