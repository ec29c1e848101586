package gate

import (
	"errors"
	"fmt"
	"time"

	"redkeep/internal/words"
)

// ErrActive says that a slot cannot be armed because the gate points at it: that would lengthen what is in force.
var ErrActive = errors.New("the gate points at this slot")

// Arm sets the element of one slot of a group, to run out after d (whole milliseconds, at least one), and returns when
// the kernel has acknowledged it; the countdown began before that. The gate does not change by it. The group must have
// been Set before, if only as Absent, so that its ports are known. ErrActive refuses the slot that the gate points at.
func (h *Hand) Arm(group words.Group, slot int, d time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.arm(group, slot, d); err != nil {
		return fmt.Errorf("arm slot %d of %s: %w", slot, group, err)
	}
	return nil
}

func (h *Hand) arm(group words.Group, slot int, d time.Duration) error {
	if err := checkSlot(slot); err != nil {
		return err
	}
	if d < time.Millisecond {
		return fmt.Errorf("%s is less than a millisecond", d)
	}
	g, err := h.known(group)
	if err != nil {
		return err
	}
	if g.want.Mode == Leased && g.want.Slot == slot {
		return ErrActive
	}
	end := now() + boottime(d)
	if h.unsure {
		g.ends[slot] = end
		return h.restore()
	}
	var b batch
	h.shape.renewSlot(&b, slot, g.want, d)
	if err := h.send(&b); err != nil {
		return err
	}
	g.ends[slot] = end
	return nil
}
