package gate

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"redkeep/internal/words"
)

// claims judges the packets by which this host says that a virtual address is here: a host whose lease is over must not
// answer for it, whether its agent is frozen or dead, and whatever address has been left on a device. Only what says so is
// judged: a probe, which asks without an address of its own, passes always.
type claims struct {
	table *table
	kinds []kind
	// pointers leads from an address to the verdict on who claims it.
	pointers *nftables.Set
	// living has the slots that are armed: living[n] has the addresses of the groups whose slot n is armed.
	living [Slots]*nftables.Set
	// watched has the addresses that are counted and never silenced; silenced counts by address what was, or would have been.
	watched, silenced *nftables.Set
	four              bool
}

// kind is a packet that claims an address: what it is known by, and where the address lies.
type kind struct{ is, address match }

// Where the messages of address resolution have what they say, in bytes: in ARP for Ethernet the sender's address; in a
// neighbour advertisement the target; in a solicitation the source, which the receiver learns from it as well.
const (
	arpSender         = 14
	advertisedTarget  = 8
	solicitingAddress = 8
)

// arpOutput is NF_ARP_OUT, which the system's constants lack.
const arpOutput nftables.ChainHook = 1

const silentChain = "silent"

func claimChain(slot int) string { return fmt.Sprintf("slot%d_claims", slot) }

// makeClaims makes what judges claims. That of neighbour discovery is not on the way of the groups' own packets: those have
// got their verdict by the rules before.
func (s *structure) makeClaims(output *nftables.Chain) {
	s.claims4 = newClaims(s.arp, nftables.TypeIPAddr, kind{nil, field(expr.PayloadBaseNetworkHeader, arpSender, 4)})
	s.claims4.four = true
	s.claims4.judge(s.arp.hook("output", arpOutput, *nftables.ChainPriorityFilter))
	s.claims6 = newClaims(s.table, nftables.TypeIP6Addr,
		kind{isNeighbour(neighbourAdvertisement), field(expr.PayloadBaseTransportHeader, advertisedTarget, 16)},
		kind{isNeighbour(neighbourSolicitation), field(expr.PayloadBaseNetworkHeader, solicitingAddress, 16)})
	c := s.chain("neighbours")
	s.rule(output, "who finds neighbours", rule(isICMPv6(), goTo(c.Name)))
	s.claims6.judge(c)
}

func newClaims(t *table, address nftables.SetDatatype, kinds ...kind) *claims {
	c := &claims{table: t, kinds: kinds}
	for n := range c.living {
		c.living[n] = t.set(fmt.Sprintf("living%d", n), address)
		c.living[n].HasTimeout = true
	}
	c.watched, c.silenced = t.set("watched_claims", address), t.counted("silenced", address)
	c.pointers = t.set("claims", address)
	c.pointers.IsMap, c.pointers.DataType = true, nftables.TypeVerdict
	return c
}

// judge adds the rules to a hook's chain. An address that is no group's passes.
func (c *claims) judge(hook *nftables.Chain) {
	t := c.table
	each := func(chain *nftables.Chain, comment string, then ...match) {
		for _, k := range c.kinds {
			t.rule(chain, comment, append(rule(k.is, k.address), rule(then...)...))
		}
	}
	each(hook, "who says that an address is here", leadBy(c.pointers))
	for n := range c.living {
		chain := t.chain(claimChain(n))
		each(chain, fmt.Sprintf("claimed while slot %d of redkeep's lease runs", n), in(c.living[n]), accept())
		t.rule(chain, "run out, or never armed", rule(goTo(silentChain)))
	}
	chain := t.chain(silentChain)
	each(chain, "how much", tally(c.silenced))
	each(chain, "gate: watch, nothing is silenced", in(c.watched), count(), accept())
	t.rule(chain, "silenced by redkeep: no lease; run: redkeep gate show", rule(count(), drop()))
}

// change adds to a transaction what leads a group's address from one state to another.
func (c *claims) change(b *batch, group words.Group, from, to Want) {
	gone, fresh := subtract(c.watchedOf(from), c.watchedOf(to)), subtract(c.watchedOf(to), c.watchedOf(from))
	b.take(c.watched, addressKeys(gone))
	b.put(c.watched, addressKeys(fresh))
	b.take(c.pointers, c.pointing(group, from))
	b.put(c.pointers, c.pointing(group, to))
}

// renew arms a slot of a group's address.
func (c *claims) renew(b *batch, slot int, w Want, d time.Duration) {
	renew(b, c.living[slot], timedAddresses(c.of(w), d))
}

func (c *claims) pointing(group words.Group, w Want) []nftables.SetElement {
	if w.Mode == Absent {
		return nil
	}
	verdict := &expr.Verdict{Kind: expr.VerdictGoto, Chain: silentChain}
	if w.Mode == Leased {
		verdict.Chain = claimChain(w.Slot)
	}
	out := addressKeys(c.of(w))
	for i := range out {
		out[i].VerdictData, out[i].Comment = verdict, comment(group, w)
	}
	return out
}

// of returns the group's addresses of this family: one, or none.
func (c *claims) of(w Want) []netip.Addr {
	for i, a := range w.Addresses {
		if a.Is4() == c.four {
			return w.Addresses[i : i+1]
		}
	}
	return nil
}

func (c *claims) watchedOf(w Want) []netip.Addr {
	if !w.Watch {
		return nil
	}
	return c.of(w)
}

// addressKeys are the elements of a set of addresses.
func addressKeys(addresses []netip.Addr) []nftables.SetElement {
	out := make([]nftables.SetElement, len(addresses))
	for i, a := range addresses {
		out[i].Key = a.AsSlice()
	}
	return out
}

// timedAddresses are elements of a set of addresses that end after a time.
func timedAddresses(addrs []netip.Addr, d time.Duration) []nftables.SetElement {
	timed := addressKeys(addrs)
	for i := range timed {
		timed[i].Timeout = d
	}
	return timed
}

// read adds to the states what the kernel has about the groups' addresses of this family.
func (c *claims) read(conn *nftables.Conn, states map[words.Group]*State) error {
	pointers, err := conn.GetSetElements(c.pointers)
	if err != nil {
		return fmt.Errorf("list map %s: %w", c.pointers.Name, err)
	}
	for _, e := range pointers {
		group, _ := groupOf(e.Comment)
		addr, ok := netip.AddrFromSlice(e.Key)
		s := states[group]
		if s == nil || !ok {
			continue // Its ports are gone: somebody's damage, which tells nothing of a group.
		}
		s.Want.Addresses = append(s.Want.Addresses, addr)
		if err := c.readOne(conn, s, e); err != nil {
			return err
		}
	}
	return nil
}

// readOne reads what becomes of claims of one address.
func (c *claims) readOne(conn *nftables.Conn, s *State, pointer nftables.SetElement) error {
	var slot int
	var watched, living bool
	err := errors.Join(
		eachElement(conn, c.watched, func(e nftables.SetElement) { watched = watched || bytes.Equal(e.Key, pointer.Key) }),
		eachElement(conn, c.silenced, func(e nftables.SetElement) {
			if e.Counter != nil && bytes.Equal(e.Key, pointer.Key) {
				s.Silenced += e.Counter.Packets
			}
		}))
	if _, failed := fmt.Sscanf(chainOf(pointer), "slot%d_", &slot); failed == nil && checkSlot(slot) == nil {
		err = errors.Join(err, eachElement(conn, c.living[slot], func(e nftables.SetElement) {
			living = living || e.Expires > 0 && bytes.Equal(e.Key, pointer.Key)
		}))
	}
	s.Claimable = s.Claimable && (watched || living)
	return err
}
