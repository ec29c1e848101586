package gate

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

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

// take makes a table ours, or makes it. It reports whether the table was there before.
//
// Measured on Linux 6.18: adding an orphan again with both flags adopts it, elements and all; while an owner lives, it
// fails, and so does every change by another process. One-shot commands therefore work exactly when no agent does, and
// become owners for their moment. A kernel that lacks one of the flags gets a table without any.
func (h *Hand) take(t *table) (existed bool, err error) {
	flags, existed, err := h.tableFlags(t)
	if err != nil {
		return false, err
	}
	if t.flags = flags & (flagOwner | flagPersist); existed && t.flags == 0 {
		return true, nil // Made by a kernel, or a person, without the flags: they cannot be added later.
	}
	both := flagOwner | flagPersist
	if h.cfg.unowned {
		both = 0
	}
	err = h.addTable(t, both)
	switch {
	case err == nil:
		t.flags = both
		return existed, nil
	case existed && flags&flagOwner != 0:
		return true, fmt.Errorf("take table: %w (%w)", ErrOwned, err)
	case existed:
		return true, fmt.Errorf("take table: %w", err)
	case errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EINVAL):
		h.log.Info("gate table without owner", "reason", "kernel before 6.9")
		t.flags = 0
		return false, h.addTable(t, 0)
	default:
		return false, fmt.Errorf("make table: %w", err)
	}
}

// tableFlags returns the flags of a table in the kernel.
func (h *Hand) tableFlags(t *table) (flags uint32, exists bool, err error) {
	h.bound()
	tables, err := h.conn.ListTablesOfFamily(t.Family)
	if err != nil {
		return 0, false, fmt.Errorf("list tables: %w", err)
	}
	for _, have := range tables {
		if have.Name == t.Name {
			return bigEndian(have.Flags), true, nil
		}
	}
	return 0, false, nil
}

// addTable adds a table with its flags, in a transaction of its own: nftables.Conn always writes flags as zero. An
// empty table refuses nobody, so nothing is lost by the gap between this and the rest.
func (h *Hand) addTable(t *table, flags uint32) error {
	if h.cfg.arpless && t.Family == nftables.TableFamilyARP {
		return unix.EOPNOTSUPP
	}
	var b batch
	b.table(t, flags)
	return h.send(&b)
}

// tables are those that are in use: the one for ports, and one for ARP as soon as a group has an address to claim by it.
func (h *Hand) tables() []*table {
	if h.withARP {
		return []*table{h.shape.table, h.shape.arp}
	}
	return []*table{h.shape.table}
}

// needTables makes the table that a group's addresses need. A kernel that can't have it does without: the ports are covered all the
// same, and ARP says what is not.
func (h *Hand) needTables(w Want) error {
	if h.withARP || h.noARP != nil || len(h.shape.claims4.of(w)) == 0 {
		return nil
	}
	if err := h.standARP(); err != nil || h.noARP != nil {
		return err
	}
	h.withARP = true
	return h.follow()
}

// standARP makes the table for ARP ours, or takes note of why there is none.
func (h *Hand) standARP() error {
	existed, err := h.stand(h.shape.arp)
	switch {
	case err == nil:
		return nil
	case lacksFamily(existed, err):
		h.noARP = fmt.Errorf("nf_tables has no family arp here: %w", err)
		h.log.Warn("no gate in front of IPv4 virtual addresses", "err", h.noARP)
		return nil
	default:
		return fmt.Errorf("make table for arp: %w", err)
	}
}

// lacksFamily reports whether an error says that the kernel can't have a table for ARP, which counts for as long as this process lives. Of
// a table that was there, ENOENT says that somebody else has just changed it: that is an error to be told, and what it was for is tried again.
func lacksFamily(existed bool, err error) bool {
	return errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.ENOENT) && !existed
}

// ARP returns why this host can't be kept from answering for an IPv4 address; nil where it can, and where no group has had one.
func (h *Hand) ARP() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.noARP
}

// covered leaves out the addresses that the kernel has no table for.
func (h *Hand) covered(w Want) Want {
	if h.noARP != nil {
		w.Addresses = slices.DeleteFunc(slices.Clone(w.Addresses), netip.Addr.Is4)
	}
	return w
}

// Withdraw takes the tables out of the kernel where no group has anything in them any more, and reports whether it did.
// The hand is good for Close alone afterwards.
func (h *Hand) Withdraw() (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, g := range h.groups {
		if g.want.Mode != Absent {
			return false, nil
		}
	}
	var b batch
	for _, t := range h.tables() {
		b.dropTable(t)
	}
	if err := h.send(&b); err != nil {
		return false, fmt.Errorf("remove table: %w", err)
	}
	return true, nil
}
