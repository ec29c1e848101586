package gate

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/userdata"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// batch is one transaction: all of it happens, or nothing. It writes what nftables.Conn cannot (a table's flags), and
// elements, with one acknowledgement for the whole transaction where nftables.Conn waits for one of each message: a
// lease is renewed ten times in its length, so these are the calls that count.
type batch struct {
	messages []netlink.Message
	err      error
	// only has what is written about other tables left out, as long as it is set.
	only *table
}

// answerWithin bounds the wait for an acknowledgement. The kernel has it ready when the send returns.
const answerWithin = 2 * time.Second

// body writes the attributes of one message.
type body func(*netlink.AttributeEncoder) error

func (b *batch) add(t *nftables.Table, kind netlink.HeaderType, flags netlink.HeaderFlags, write body) {
	if b.only != nil && b.only.Table != t {
		return
	}
	attrs := netlink.NewAttributeEncoder()
	attrs.ByteOrder = networkOrder
	err := write(attrs)
	data, failed := attrs.Encode()
	b.err = errors.Join(b.err, err, failed)
	b.messages = append(b.messages, netlink.Message{
		Header: netlink.Header{Type: unix.NFNL_SUBSYS_NFTABLES<<8 | kind, Flags: netlink.Request | flags},
		Data:   append(generic(byte(t.Family), 0), data...),
	})
}

// generic is the header that each message of the subsystem begins with.
func generic(family byte, resource uint16) []byte {
	return networkOrder.AppendUint16([]byte{family, unix.NFNETLINK_V0}, resource)
}

func (b *batch) table(t *table, flags uint32) {
	b.add(t.Table, unix.NFT_MSG_NEWTABLE, netlink.Create, func(a *netlink.AttributeEncoder) error {
		a.String(unix.NFTA_TABLE_NAME, t.Name)
		a.Uint32(unix.NFTA_TABLE_FLAGS, flags)
		return nil
	})
}

// dropTable removes the table with all that is in it.
func (b *batch) dropTable(t *table) {
	b.add(t.Table, unix.NFT_MSG_DELTABLE, 0, func(a *netlink.AttributeEncoder) error {
		a.String(unix.NFTA_TABLE_NAME, t.Name)
		return nil
	})
}

// put adds elements to a set, take takes them out by their keys, empty takes all out.
func (b *batch) put(set *nftables.Set, elements []nftables.SetElement) {
	if len(elements) > 0 {
		b.elements(unix.NFT_MSG_NEWSETELEM, netlink.Create, set, elements, writeElement)
	}
}

func (b *batch) take(set *nftables.Set, elements []nftables.SetElement) {
	if len(elements) > 0 {
		b.elements(unix.NFT_MSG_DELSETELEM, 0, set, elements, writeKey)
	}
}

func (b *batch) empty(set *nftables.Set) { b.elements(unix.NFT_MSG_DELSETELEM, 0, set, nil, nil) }

func (b *batch) elements(kind netlink.HeaderType, flags netlink.HeaderFlags, set *nftables.Set, elements []nftables.SetElement,
	write func(*netlink.AttributeEncoder, nftables.SetElement) error,
) {
	b.add(set.Table, kind, flags, func(a *netlink.AttributeEncoder) error {
		a.String(unix.NFTA_SET_ELEM_LIST_TABLE, set.Table.Name)
		a.String(unix.NFTA_SET_ELEM_LIST_SET, set.Name)
		if elements == nil {
			return nil
		}
		a.Nested(unix.NFTA_SET_ELEM_LIST_ELEMENTS, func(list *netlink.AttributeEncoder) error {
			for _, e := range elements {
				list.Nested(unix.NFTA_LIST_ELEM, func(one *netlink.AttributeEncoder) error { return write(one, e) })
			}
			return nil
		})
		return nil
	})
}

func writeKey(a *netlink.AttributeEncoder, e nftables.SetElement) error {
	a.Nested(unix.NFTA_SET_ELEM_KEY, func(key *netlink.AttributeEncoder) error {
		key.Bytes(unix.NFTA_DATA_VALUE, e.Key)
		return nil
	})
	return nil
}

func writeElement(a *netlink.AttributeEncoder, e nftables.SetElement) error {
	if err := writeKey(a, e); err != nil {
		return err
	}
	if e.Timeout > 0 {
		a.Uint64(unix.NFTA_SET_ELEM_TIMEOUT, uint64(e.Timeout.Milliseconds()))
	}
	if v := e.VerdictData; v != nil {
		a.Nested(unix.NFTA_SET_ELEM_DATA, func(data *netlink.AttributeEncoder) error {
			data.Nested(unix.NFTA_DATA_VERDICT, func(verdict *netlink.AttributeEncoder) error {
				verdict.Uint32(unix.NFTA_VERDICT_CODE, uint32(v.Kind))
				if v.Chain != "" {
					verdict.String(unix.NFTA_VERDICT_CHAIN, v.Chain)
				}
				return nil
			})
			return nil
		})
	}
	if e.Comment != "" {
		a.Bytes(unix.NFTA_SET_ELEM_USERDATA, userdata.AppendString(nil, userdata.NFTNL_UDATA_SET_ELEM_COMMENT, e.Comment))
	}
	return nil
}

// commit sends the transaction and waits until the kernel has acknowledged it.
func (b *batch) commit(c *netlink.Conn) error {
	if b.err != nil || len(b.messages) == 0 {
		return b.err
	}
	// Only the last message asks for an answer; those that fail answer unasked, and before it.
	b.messages[len(b.messages)-1].Header.Flags |= netlink.Acknowledge
	fence := func(kind netlink.HeaderType) netlink.Message {
		return netlink.Message{
			Header: netlink.Header{Type: kind, Flags: netlink.Request},
			Data:   generic(unix.AF_UNSPEC, unix.NFNL_SUBSYS_NFTABLES),
		}
	}
	all := make([]netlink.Message, 0, len(b.messages)+2)
	all = append(append(append(all, fence(unix.NFNL_MSG_BATCH_BEGIN)), b.messages...), fence(unix.NFNL_MSG_BATCH_END))
	if err := c.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return fmt.Errorf("limit wait: %w", err)
	}
	if _, err := c.SendMessages(all); err != nil {
		return fmt.Errorf("send transaction: %w", err)
	}
	if _, err := c.Receive(); err != nil {
		return errors.Join(fmt.Errorf("commit transaction: %w", err), drain(c))
	}
	return nil
}

// drain takes the answers behind an error off the socket, so that they are not taken for those of the next transaction.
// The kernel has answered everything by the time the send returns: what is not there now does not come.
func drain(c *netlink.Conn) error {
	sc, err := c.SyscallConn()
	if err != nil {
		return fmt.Errorf("reach netlink socket: %w", err)
	}
	err = sc.Control(func(fd uintptr) {
		var rest [1]byte // Datagrams are taken whole, whatever fits.
		for {
			_, _, err := unix.Recvfrom(int(fd), rest[:], unix.MSG_DONTWAIT)
			if err != nil && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.ENOBUFS) {
				return
			}
		}
	})
	if err != nil {
		return fmt.Errorf("drain netlink socket: %w", err)
	}
	return nil
}
