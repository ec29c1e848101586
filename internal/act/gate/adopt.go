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

// restore makes the kernel what this Hand last told it, whatever is there now: the structure, then all elements, each in
// one transaction, so that what still stood is never out of force. Slots get what is left of them by a clock that was
// read before they were armed: they can only run out earlier than before.
func (h *Hand) restore() error {
	if err := h.reconnect(); err != nil {
		return err
	}
	h.unsure = true
	if _, err := h.claim(); err != nil {
		return err
	}
	if err := h.writeShape(); err != nil {
		return err
	}
	var b batch
	for _, set := range h.shape.told() {
		b.empty(set)
	}
	at := now()
	for name, g := range h.groups {
		for n, end := range g.ends {
			h.shape.retell(&b, n, g.want.Ports, end.left(at))
		}
		if left := g.lentUntil.left(at); left > 0 {
			renew(&b, h.shape.lent, g.want.Ports, left)
		}
		h.shape.change(&b, name, Want{}, g.untimed())
	}
	if err := h.send(&b); err != nil {
		return fmt.Errorf("restore elements: %w", err)
	}
	h.unsure = false
	return nil
}

// retell arms a slot again for what is left of it.
func (s *structure) retell(b *batch, slot int, ports []uint16, left time.Duration) {
	if left > 0 {
		renew(b, s.armed[slot], ports, left)
	}
}
