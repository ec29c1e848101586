package gate

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// addressTable is the name of the tables of an Addresses, which says to a person whose they are.
const addressTable = "redkeep_keepalived"

// Where an IP packet has its receiver, in bytes.
const (
	offDestination4 = 16
	offDestination6 = 24
)

// addressRules are the tables of an Addresses, with the sets of each family in each table.
type addressRules struct {
	inet, arp *table
	all       []*addressSets
}

// addressSets are the sets of one family's addresses in one table.
type addressSets struct {
	four bool
	// judged has the addresses that are silent without a lease, pointed[n] those whose slot in force is n, and living[n] those whose slot n runs. The
	// elements of all end by themselves.
	judged          *nftables.Set
	pointed, living [AddressSlots]*nftables.Set
}

// newAddressRules makes what is the same for all addresses. What goes to one is judged when it arrives; what says by ARP or neighbour discovery that it
// is here, when it leaves.
func newAddressRules() *addressRules {
	r := &addressRules{inet: newTable(nftables.TableFamilyINet), arp: newTable(nftables.TableFamilyARP)}
	r.inet.Name, r.arp.Name = addressTable, addressTable
	family := func(one byte) match { return metaIs(expr.MetaKeyNFPROTO, expr.CmpOpEq, []byte{one}) }
	below := *nftables.ChainPriorityRaw - 10
	input := r.inet.hook("input", *nftables.ChainHookInput, below)
	output := r.inet.hook("output", *nftables.ChainHookOutput, below)
	claimed := r.arp.hook("output", arpOutput, *nftables.ChainPriorityFilter)

	four, six, byARP := r.sets(r.inet, "4", true), r.sets(r.inet, "6", false), r.sets(r.arp, "", true)
	four.judge(r.inet, input, "to4", kind{family(unix.NFPROTO_IPV4), field(expr.PayloadBaseNetworkHeader, offDestination4, 4)})
	six.judge(r.inet, input, "to6", kind{family(unix.NFPROTO_IPV6), field(expr.PayloadBaseNetworkHeader, offDestination6, 16)})
	six.judge(r.inet, output, "advertised",
		kind{isNeighbour(neighbourAdvertisement), field(expr.PayloadBaseTransportHeader, advertisedTarget, 16)})
	six.judge(r.inet, output, "soliciting",
		kind{isNeighbour(neighbourSolicitation), field(expr.PayloadBaseNetworkHeader, solicitingAddress, 16)})
	byARP.judge(r.arp, claimed, "claimed", kind{nil, field(expr.PayloadBaseNetworkHeader, arpSender, 4)})
	r.inet.prepare()
	r.arp.prepare()
	return r
}

func (r *addressRules) tables() []*table { return []*table{r.inet, r.arp} }

// sets makes those of one family in one table.
func (r *addressRules) sets(t *table, suffix string, four bool) *addressSets {
	key := nftables.TypeIP6Addr
	if four {
		key = nftables.TypeIPAddr
	}
	timed := func(name string) *nftables.Set {
		set := t.set(name+suffix, key)
		set.HasTimeout = true
		return set
	}
	s := &addressSets{four: four, judged: timed("judged")}
	for n := range AddressSlots {
		s.pointed[n], s.living[n] = timed(fmt.Sprintf("pointed%d_", n)), timed(fmt.Sprintf("living%d_", n))
	}
	r.all = append(r.all, s)
	return s
}

// judge adds what judges one kind of packet, in a chain of its own, to a hook's.
func (s *addressSets) judge(t *table, hook *nftables.Chain, name string, k kind) {
	c := t.chain(name)
	t.rule(hook, "a virtual address of redkeep keepalived", rule(k.is, k.address, in(s.judged), goTo(name)))
	for n := range AddressSlots {
		t.rule(c, "an advertisement was sent not long ago", rule(k.address, in(s.pointed[n]), k.address, in(s.living[n]), accept()))
	}
	t.rule(c, "silenced by redkeep keepalived: no advertisement was sent; for good: nft delete table "+t.familyName()+" "+addressTable,
		rule(count(), drop()))
}

// familyName is what nft calls the family.
func (t *table) familyName() string {
	if t.Family == nftables.TableFamilyARP {
		return "arp"
	}
	return "inet"
}

// arm adds to a transaction that a slot runs for d.
func (r *addressRules) arm(b *batch, addrs []netip.Addr, slot int, d time.Duration) {
	for _, s := range r.all {
		renew(b, s.living[slot], timedAddresses(ofFamily(addrs, s.four), d))
	}
}

// point adds that addresses are judged for hold, and by a slot.
func (r *addressRules) point(b *batch, addrs []netip.Addr, slot int, hold time.Duration) {
	for _, s := range r.all {
		timed := timedAddresses(ofFamily(addrs, s.four), hold)
		renew(b, s.judged, timed)
		for n, set := range s.pointed {
			if n == slot {
				renew(b, set, timed)
			} else {
				vanish(b, set, timed)
			}
		}
	}
}

// release adds that addresses are not judged any more.
func (r *addressRules) release(b *batch, addrs []netip.Addr) {
	for _, s := range r.all {
		timed := timedAddresses(ofFamily(addrs, s.four), time.Second)
		vanish(b, s.judged, timed)
		for n := range AddressSlots {
			vanish(b, s.pointed[n], timed)
			vanish(b, s.living[n], timed)
		}
	}
}

// vanish takes elements out of a set that may lack them: to take out what is not there fails.
func vanish(b *batch, set *nftables.Set, timed []nftables.SetElement) {
	b.put(set, timed)
	b.take(set, timed)
}
