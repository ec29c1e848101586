package gate

import (
	"errors"
	"fmt"
	"time"
)

// adopt makes the table ours and its structure right, with all that is in force in it staying in force.
func (h *Hand) adopt() error {
	existed, err := h.claim()
	if err != nil {
		return err
	}
	var right bool
	if existed {
		h.bound()
		if right, err = h.shape.standing(h.conn); err != nil {
			h.log.Warn("gate structure cannot be read", "err", err)
		}
	}
	if !right {
		h.log.Info("gate structure is written", "existed", existed)
		if err := h.writeShape(); err != nil {
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

// writeShape makes the structure right in one transaction, which leaves the sets' elements alone.
func (h *Hand) writeShape() error {
	h.bound()
	if err := h.shape.write(h.conn); err != nil {
		return err
	}
	if err := h.conn.Flush(); err != nil {
		return fmt.Errorf("write table: %w", errors.Join(err, drain(h.raw)))
	}
	return nil
}

// restoreWithin is how long a restoration may take to tell the kernel of slots. It is taken off what is left of them.
const restoreWithin = 30 * time.Millisecond

// restore makes the kernel what this Hand last told it, whatever is there now: the structure, then all elements, each in
// one transaction, so that what still stood is never out of force.
//
// What is left of a slot is a time that is reckoned here and applied later: told by a process that was stopped in between, it
// would lengthen a lease (rule arm-before-send). So slots are armed again while nothing points at them, and are pointed at only
// where the kernel is known to have had them in time.
func (h *Hand) restore() error {
	if err := h.reconnect(); err != nil {
		return err
	}
	h.unsure = true
	existed, err := h.claim()
	if err != nil {
		return err
	}
	if err := h.writeShape(); err != nil {
		return err
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

// retellAll tells the kernel all elements but those that point at slots.
func (h *Hand) retellAll(at boottime, existed bool) error {
	var b batch
	for _, set := range h.shape.told() {
		b.empty(set)
	}
	for name, g := range h.groups {
		for n, end := range g.ends {
			h.shape.retell(&b, n, g.want.Ports, end.left(at)-restoreWithin)
		}
		if left := g.lentUntil.left(at); left > 0 {
			renew(&b, h.shape.lent, g.want.Ports, left)
		}
		h.shape.change(&b, name, Want{}, g.meanwhile(existed))
	}
	return h.send(&b)
}

// repoint leads leased groups to their slots again; or shuts them, where those were armed too late to be trusted.
func (h *Hand) repoint(existed, inTime bool) error {
	var b batch
	for name, g := range h.groups {
		if g.want.Mode != Leased {
			continue
		}
		to := g.want
		if !inTime {
			to.Mode = Shut
		}
		h.shape.change(&b, name, g.meanwhile(existed), to)
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

// retell arms a slot again for what is left of it.
func (s *structure) retell(b *batch, slot int, ports []uint16, left time.Duration) {
	if left > 0 {
		renew(b, s.armed[slot], ports, left)
	}
}
