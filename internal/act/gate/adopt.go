package gate

import (
	"fmt"
	"time"

	"github.com/google/nftables"
)

// adopt makes the table ours and its structure right, with all that is in force in it staying in force.
func (h *Hand) adopt() error {
	existed, err := h.claim()
	if err != nil {
		return err
	}
	if existed {
		right, err := h.shape.standing(h.conn)
		if err == nil && right {
			return h.reread()
		}
		h.log.Info("gate structure differs", "err", err)
	}
	// Another version's rules, or none: replaced in one transaction that leaves the sets' elements alone.
	h.bound()
	if err := h.shape.write(h.conn); err != nil {
		return err
	}
	if err := h.commit(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return h.reread()
}

// restore makes the kernel what this Hand last told it, whatever is there now, in one transaction. Slots get what is
// left of them by a clock that was read before they were armed: they can only run out earlier than before.
func (h *Hand) restore() error {
	if _, err := h.claim(); err != nil {
		return err
	}
	s, c := h.shape, h.conn
	if err := s.write(c); err != nil {
		return err
	}
	for _, set := range s.sets() {
		c.FlushSet(set)
	}
	at := now()
	for name, g := range h.groups {
		if err := h.retell(at, g); err != nil {
			return fmt.Errorf("restore gate of %s: %w", name, err)
		}
		if err := h.change(name, Want{}, g.untimed()); err != nil {
			return fmt.Errorf("restore gate of %s: %w", name, err)
		}
	}
	if err := h.commit(); err != nil {
		return fmt.Errorf("restore gate: %w", err)
	}
	return nil
}

// retell adds the elements with timeouts that have not run out.
func (h *Hand) retell(at boottime, g *held) error {
	timed := func(set *nftables.Set, left time.Duration) error {
		if left < time.Millisecond {
			return nil
		}
		return renew(h.conn, set, g.want.Ports, left)
	}
	for n, end := range g.ends {
		if err := timed(h.shape.armed[n], end.left(at)); err != nil {
			return err
		}
	}
	return timed(h.shape.lent, g.lentUntil.left(at))
}
