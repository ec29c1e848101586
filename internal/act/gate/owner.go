package gate

import (
	"errors"
	"fmt"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// The table's flags. An owned table can be changed by its owner's socket alone: another program's `flush ruleset` passes
// it by, even while the owner is stopped. A persistent one outlives its owner as an orphan, which anyone may change, and
// which the next owner adopts. Owned and not persistent would be an open gate when the agent dies; that is never made.
const (
	flagOwner   uint32 = 0x2
	flagPersist uint32 = 0x4
)

// claim makes the table ours, or makes it. It reports whether the table was there before.
//
// Measured on Linux 6.18: adding an orphan again with both flags adopts it, elements and all; while an owner lives, it
// fails, and so does every change by another process. One-shot commands therefore work exactly when no agent does, and
// become owners for their moment. A kernel that lacks one of the flags gets a table without any.
func (h *Hand) claim() (existed bool, err error) {
	flags, existed, err := h.tableFlags()
	if err != nil {
		return false, err
	}
	if existed && flags&(flagOwner|flagPersist) == 0 {
		return true, nil // Made by a kernel, or a person, without the flags: they cannot be added later.
	}
	both := flagOwner | flagPersist
	if h.cfg.unowned {
		both = 0
	}
	err = h.newTable(both)
	switch {
	case err == nil:
		return existed, nil
	case existed && flags&flagOwner != 0:
		return true, fmt.Errorf("claim table: %w (%w)", ErrOwned, err)
	case existed:
		return true, fmt.Errorf("claim table: %w", err)
	case errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EINVAL):
		h.log.Info("gate table without owner", "reason", "kernel before 6.9")
		return false, h.newTable(0)
	default:
		return false, fmt.Errorf("make table: %w", err)
	}
}

// tableFlags returns the flags of the table in the kernel.
func (h *Hand) tableFlags() (flags uint32, exists bool, err error) {
	h.bound()
	tables, err := h.conn.ListTablesOfFamily(nftables.TableFamilyINet)
	if err != nil {
		return 0, false, fmt.Errorf("list tables: %w", err)
	}
	for _, t := range tables {
		if t.Name == tableName {
			return bigEndian(t.Flags), true, nil
		}
	}
	return 0, false, nil
}

// newTable adds the table with its flags, in a transaction of its own: nftables.Conn always writes flags as zero. An
// empty table refuses nobody, so nothing is lost by the gap between this and the rest.
func (h *Hand) newTable(flags uint32) error {
	var b batch
	b.table(flags)
	return h.send(&b)
}

// Withdraw takes the table out of the kernel where no group has anything in it any more, and reports whether it did. The
// hand is good for Close alone afterwards.
func (h *Hand) Withdraw() (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, g := range h.groups {
		if g.want.Mode != Absent {
			return false, nil
		}
	}
	var b batch
	b.dropTable()
	if err := h.send(&b); err != nil {
		return false, fmt.Errorf("remove table: %w", err)
	}
	return true, nil
}
