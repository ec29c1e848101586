package gate

import (
	"errors"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
	"golang.org/x/sys/unix"
)

// Numbers that the system's constants lack.
const (
	setFieldLen   = 1 // NFTA_SET_FIELD_LEN
	bigEndianKeys = 2 // BYTEORDER_BIG_ENDIAN, as nft keeps it
)

// definition adds a whole table to a transaction. Sets and chains that are there stay with their elements; rules are
// replaced by the same transaction, so that no packet meets the table without them.
func (b *batch) definition(t *table) {
	b.table(t, t.flags)
	if b.err = errors.Join(b.err, t.unwritable); b.only == nil || b.only == t {
		b.last = len(b.text) + t.lastWritten
		b.text = append(b.text, t.written...)
	}
}

// prepare writes all of a table but its own line once: when it has to be restored there is no time for that.
func (t *table) prepare() {
	var b batch
	b.mark(unix.NFNL_MSG_BATCH_BEGIN)
	begun := len(b.text)
	for _, set := range t.sets {
		b.set(set)
	}
	for _, c := range t.chains {
		b.chain(c)
	}
	if b.about(t.Table, unix.NFT_MSG_DELRULE, 0) {
		b.string(unix.NFTA_RULE_TABLE, t.Name)
		b.end()
	}
	for _, r := range t.rules {
		b.rule(r)
	}
	t.written, t.lastWritten, t.unwritable = b.text[begun:], b.last-begun, b.err
}

func (b *batch) set(s *nftables.Set) {
	if !b.about(s.Table, unix.NFT_MSG_NEWSET, unix.NLM_F_CREATE) {
		return
	}
	b.string(unix.NFTA_SET_TABLE, s.Table.Name)
	b.string(unix.NFTA_SET_NAME, s.Name)
	b.uint32(unix.NFTA_SET_ID, s.ID)
	var flags uint32
	for flag, on := range map[uint32]bool{
		unix.NFT_SET_MAP: s.IsMap, unix.NFT_SET_TIMEOUT: s.HasTimeout, unix.NFT_SET_EVAL: s.Dynamic, nftables.NFT_SET_CONCAT: s.Concatenation,
	} {
		if on {
			flags |= flag
		}
	}
	b.uint32(unix.NFTA_SET_FLAGS, flags)
	b.uint32(unix.NFTA_SET_KEY_TYPE, s.KeyType.GetNFTMagic())
	b.uint32(unix.NFTA_SET_KEY_LEN, s.KeyType.Bytes)
	if s.IsMap { // All our maps lead to verdicts.
		b.uint32(unix.NFTA_SET_DATA_TYPE, unix.NFT_DATA_VERDICT)
		b.uint32(unix.NFTA_SET_DATA_LEN, s.DataType.Bytes)
	}
	b.description(s)
	b.bytes(unix.NFTA_SET_USERDATA, userdata.AppendUint32(nil, userdata.NFTNL_UDATA_SET_KEYBYTEORDER, bigEndianKeys))
	b.end()
}

// description has a set's size, and the parts of a joined key.
func (b *batch) description(s *nftables.Set) {
	if s.Size == 0 && !s.Concatenation {
		return
	}
	desc := b.nest(unix.NFTA_SET_DESC)
	if s.Size > 0 {
		b.uint32(unix.NFTA_SET_DESC_SIZE, s.Size)
	}
	if s.Concatenation {
		concat := b.nest(nftables.NFTA_SET_DESC_CONCAT)
		for _, part := range nftables.ConcatSetTypeElements(s.KeyType) {
			field := b.nest(unix.NFTA_LIST_ELEM)
			b.uint32(setFieldLen, part.Bytes)
			b.shut(field)
		}
		b.shut(concat)
	}
	b.shut(desc)
}

func (b *batch) chain(c *nftables.Chain) {
	if !b.about(c.Table, unix.NFT_MSG_NEWCHAIN, unix.NLM_F_CREATE) {
		return
	}
	b.string(unix.NFTA_CHAIN_TABLE, c.Table.Name)
	b.string(unix.NFTA_CHAIN_NAME, c.Name)
	if c.Hooknum != nil {
		hook := b.nest(unix.NFTA_CHAIN_HOOK)
		b.uint32(unix.NFTA_HOOK_HOOKNUM, uint32(*c.Hooknum))
		b.uint32(unix.NFTA_HOOK_PRIORITY, uint32(*c.Priority))
		b.shut(hook)
		b.uint32(unix.NFTA_CHAIN_POLICY, uint32(*c.Policy))
		b.string(unix.NFTA_CHAIN_TYPE, string(c.Type))
	}
	b.end()
}

func (b *batch) rule(r *nftables.Rule) {
	if !b.about(r.Table, unix.NFT_MSG_NEWRULE, unix.NLM_F_CREATE|unix.NLM_F_APPEND) {
		return
	}
	b.string(unix.NFTA_RULE_TABLE, r.Table.Name)
	b.string(unix.NFTA_RULE_CHAIN, r.Chain.Name)
	all := b.nest(unix.NFTA_RULE_EXPRESSIONS)
	for _, e := range r.Exprs {
		text, err := expr.Marshal(byte(r.Table.Family), e)
		if err != nil {
			b.err = err
		}
		b.bytes(unix.NLA_F_NESTED|unix.NFTA_LIST_ELEM, text)
	}
	b.shut(all)
	b.bytes(unix.NFTA_RULE_USERDATA, r.UserData)
	b.end()
}
