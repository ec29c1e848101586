package gate

import (
	"errors"
	"fmt"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
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
	attrs := netlink.NewAttributeEncoder()
	attrs.ByteOrder = networkOrder
	attrs.String(unix.NFTA_TABLE_NAME, tableName)
	attrs.Uint32(unix.NFTA_TABLE_FLAGS, flags)
	body, err := attrs.Encode()
	if err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	header := func(family byte, resource uint16) []byte {
		return []byte{family, unix.NFNETLINK_V0, byte(resource >> 8), byte(resource)}
	}
	h.bound()
	_, err = h.raw.SendMessages([]netlink.Message{
		{Header: netlink.Header{Type: unix.NFNL_MSG_BATCH_BEGIN, Flags: netlink.Request}, Data: header(0, unix.NFNL_SUBSYS_NFTABLES)},
		{
			Header: netlink.Header{
				Type:  unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_NEWTABLE,
				Flags: netlink.Request | netlink.Acknowledge | netlink.Create,
			},
			Data: append(header(byte(nftables.TableFamilyINet), 0), body...),
		},
		{Header: netlink.Header{Type: unix.NFNL_MSG_BATCH_END, Flags: netlink.Request}, Data: header(0, unix.NFNL_SUBSYS_NFTABLES)},
	})
	if err == nil {
		_, err = h.raw.Receive()
	}
	return err
}
