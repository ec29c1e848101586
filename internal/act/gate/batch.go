package gate

import (
	"github.com/google/nftables"
	"github.com/google/nftables/userdata"
	"golang.org/x/sys/unix"
)

// batch is one transaction: all of it happens, or nothing. It writes what nftables.Conn cannot (a table's flags), and has
// one acknowledgement for the whole transaction where nftables.Conn waits for one of each message.
type batch struct {
	message
	// only has what is written about other tables left out, as long as it is set.
	only *table
}

// about begins a message about a table, unless it is left out.
func (b *batch) about(t *nftables.Table, kind, flags uint16) bool {
	if b.only != nil && b.only.Table != t {
		return false
	}
	if len(b.text) == 0 {
		b.mark(unix.NFNL_MSG_BATCH_BEGIN)
	}
	b.begin(unix.NFNL_SUBSYS_NFTABLES<<8|kind, flags, byte(t.Family), 0)
	return true
}

// mark begins and ends the transaction.
func (b *batch) mark(kind uint16) {
	last := b.last
	b.begin(kind, 0, unix.AF_UNSPEC, unix.NFNL_SUBSYS_NFTABLES)
	b.end()
	b.last = last // It is not one that is answered.
}

func (b *batch) table(t *table, flags uint32) {
	if b.about(t.Table, unix.NFT_MSG_NEWTABLE, unix.NLM_F_CREATE) {
		b.string(unix.NFTA_TABLE_NAME, t.Name)
		b.uint32(unix.NFTA_TABLE_FLAGS, flags)
		b.end()
	}
}

// dropTable removes the table with all that is in it.
func (b *batch) dropTable(t *table) {
	if b.about(t.Table, unix.NFT_MSG_DELTABLE, 0) {
		b.string(unix.NFTA_TABLE_NAME, t.Name)
		b.end()
	}
}

// put adds elements to a set, take takes them out by their keys, empty takes all out.
func (b *batch) put(set *nftables.Set, elements []nftables.SetElement) {
	if len(elements) > 0 && b.elements(set, unix.NFT_MSG_NEWSETELEM, unix.NLM_F_CREATE) {
		b.list(elements, b.element)
		b.end()
	}
}

func (b *batch) take(set *nftables.Set, elements []nftables.SetElement) {
	if len(elements) > 0 && b.elements(set, unix.NFT_MSG_DELSETELEM, 0) {
		b.list(elements, b.key)
		b.end()
	}
}

func (b *batch) empty(set *nftables.Set) {
	if b.elements(set, unix.NFT_MSG_DELSETELEM, 0) {
		b.end()
	}
}

// elements begins a message about a set's elements.
func (b *batch) elements(set *nftables.Set, kind, flags uint16) bool {
	if !b.about(set.Table, kind, flags) {
		return false
	}
	b.string(unix.NFTA_SET_ELEM_LIST_TABLE, set.Table.Name)
	b.string(unix.NFTA_SET_ELEM_LIST_SET, set.Name)
	return true
}

func (b *batch) list(elements []nftables.SetElement, write func(*nftables.SetElement)) {
	all := b.nest(unix.NFTA_SET_ELEM_LIST_ELEMENTS)
	for i := range elements {
		one := b.nest(unix.NFTA_LIST_ELEM)
		write(&elements[i])
		b.shut(one)
	}
	b.shut(all)
}

func (b *batch) key(e *nftables.SetElement) {
	key := b.nest(unix.NFTA_SET_ELEM_KEY)
	b.bytes(unix.NFTA_DATA_VALUE, e.Key)
	b.shut(key)
}

func (b *batch) element(e *nftables.SetElement) {
	b.key(e)
	if e.Timeout > 0 {
		b.uint64(unix.NFTA_SET_ELEM_TIMEOUT, uint64(e.Timeout.Milliseconds()))
	}
	if v := e.VerdictData; v != nil {
		data := b.nest(unix.NFTA_SET_ELEM_DATA)
		verdict := b.nest(unix.NFTA_DATA_VERDICT)
		b.uint32(unix.NFTA_VERDICT_CODE, uint32(v.Kind))
		if v.Chain != "" {
			b.string(unix.NFTA_VERDICT_CHAIN, v.Chain)
		}
		b.shut(verdict)
		b.shut(data)
	}
	if e.Comment != "" {
		b.bytes(unix.NFTA_SET_ELEM_USERDATA, userdata.AppendString(nil, userdata.NFTNL_UDATA_SET_ELEM_COMMENT, e.Comment))
	}
}
