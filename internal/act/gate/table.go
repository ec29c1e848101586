package gate

import (
	"bytes"
	"fmt"
	"hash/fnv"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
)

// tableName is the name of our tables.
const tableName = "redkeep"

// digestType marks our own entry in a rule's user data. nft skips types that it does not know.
const digestType userdata.Type = 0x52

// table is one of our tables: chains, sets, and the rules that join them. It is written whole in one transaction, and
// compared by the user data that each rule carries.
type table struct {
	*nftables.Table

	// sets are all of them; told those whose elements come from us and not from packets.
	sets, told []*nftables.Set
	chains     []*nftables.Chain
	rules      []*nftables.Rule
	// written is all of that as the kernel is told it; lastWritten is where its last message begins, as message has it.
	written     []byte
	lastWritten int
	unwritable  error
	// flags are those that the kernel has it with.
	flags uint32
}

func newTable(family nftables.TableFamily) *table {
	return &table{Table: &nftables.Table{Name: tableName, Family: family}}
}

// set adds a set whose elements come from us; counted one that packets fill.
func (t *table) set(name string, key nftables.SetDatatype) *nftables.Set {
	s := t.anySet(name, key)
	t.told = append(t.told, s)
	return s
}

func (t *table) counted(name string, key nftables.SetDatatype) *nftables.Set {
	s := t.anySet(name, key)
	s.Dynamic, s.Size = true, 1<<16
	return s
}

func (t *table) anySet(name string, key nftables.SetDatatype) *nftables.Set {
	// A number is the set's name within a transaction, which may write several tables.
	id := uint32(t.Family)<<16 | uint32(len(t.sets)+1)
	s := &nftables.Set{Table: t.Table, ID: id, Name: name, KeyType: key, KeyByteOrder: binaryutil.BigEndian}
	t.sets = append(t.sets, s)
	return s
}

// chain adds a chain; it is a plain one until hooked.
func (t *table) chain(name string) *nftables.Chain {
	c := &nftables.Chain{Table: t.Table, Name: name}
	t.chains = append(t.chains, c)
	return c
}

// hook adds a chain that the kernel asks about each packet at a point of its way.
func (t *table) hook(name string, at nftables.ChainHook, priority nftables.ChainPriority) *nftables.Chain {
	accepting := nftables.ChainPolicyAccept
	c := t.chain(name)
	c.Type, c.Hooknum, c.Priority, c.Policy = nftables.ChainTypeFilter, &at, &priority, &accepting
	return c
}

// rule adds a rule with a comment for people and a digest by which another process recognises it.
func (t *table) rule(c *nftables.Chain, comment string, exprs []expr.Any) {
	digest := fnv.New64a()
	for _, e := range exprs {
		// An expression that cannot be written fails again, and is reported, in the transaction.
		if b, err := expr.Marshal(byte(t.Family), e); err == nil {
			digest.Write(b)
		}
	}
	data := userdata.AppendString(nil, userdata.TypeComment, comment)
	data = userdata.Append(data, digestType, digest.Sum(nil))
	t.rules = append(t.rules, &nftables.Rule{Table: t.Table, Chain: c, Exprs: exprs, UserData: data})
}

// standing reports whether the kernel has exactly the rules of this table.
func (t *table) standing(c *nftables.Conn) (bool, error) {
	for _, ch := range t.chains {
		have, err := c.GetRules(t.Table, ch)
		if err != nil {
			return false, fmt.Errorf("list chain %s: %w", ch.Name, err)
		}
		for _, r := range t.rules {
			if r.Chain != ch {
				continue
			}
			if len(have) == 0 || !bytes.Equal(have[0].UserData, r.UserData) {
				return false, nil
			}
			have = have[1:]
		}
		if len(have) > 0 {
			return false, nil
		}
	}
	return true, nil
}
