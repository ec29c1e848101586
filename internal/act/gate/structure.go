package gate

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
	"golang.org/x/sys/unix"
)

// tableName is the name of our table, in the inet family: IPv6 is covered by the same rules.
const tableName = "redkeep"

// digestType marks our own entry in a rule's user data. nft skips types that it does not know.
const digestType userdata.Type = 0x52

// structure is the part of the table that is the same for all groups: chains, sets, and the rules that join them. It is
// written whole in one transaction, and compared by the user data that each rule carries.
type structure struct {
	table  *nftables.Table
	chains []*nftables.Chain
	rules  []*nftables.Rule

	// requests and replies lead from a group's port to the verdict on a packet to or from it.
	requests, replies *nftables.Set
	// armed has the living slots: armed[n] has the ports of the groups whose slot n is armed.
	armed [Slots]*nftables.Set
	// lent has the ports that are open for a time without a lease.
	lent *nftables.Set
	// peers4 and peers6 have the connections that replication-only lets through.
	peers4, peers6 *nftables.Set
	// watched has the ports that are counted and never refused.
	watched *nftables.Set
	// refused counts by port what was, or would have been, refused.
	refused *nftables.Set
	// admitted has the ports of exempt users' connections: the replies' way back, since a reply does not say who gets it.
	admitted *nftables.Set
}

// Two sides of a conversation are judged by chains of their own. One chain that looked for either port would let a
// client in whose own port happens to be one that is open.
const (
	sideRequests = "requests"
	sideReplies  = "replies"
)

func slotChain(slot int, side string) string { return fmt.Sprintf("slot%d_%s", slot, side) }

func newStructure(cfg Config) *structure {
	s := &structure{table: &nftables.Table{Name: tableName, Family: nftables.TableFamilyINet}}
	s.makeSets()
	s.makeHooks()
	for n := range s.armed {
		by := fmt.Sprintf("open while slot %d of redkeep's lease runs", n)
		s.makeOpening(s.armed[n], by, slotChain(n, sideRequests), slotChain(n, sideReplies))
	}
	s.makeOpening(s.lent, "open for a time", "lent_requests", "lent_replies")
	s.makeReplication()
	s.makeShutRequests(cfg)
	s.makeShutReplies(cfg)
	return s
}

func (s *structure) makeSets() {
	var id uint32
	port := func(name string) *nftables.Set {
		id++
		return &nftables.Set{Table: s.table, ID: id, Name: name, KeyType: nftables.TypeInetService, KeyByteOrder: binaryutil.BigEndian}
	}
	for n := range s.armed {
		s.armed[n] = port(fmt.Sprintf("armed%d", n))
		s.armed[n].HasTimeout = true
	}
	s.lent = port("lent")
	s.lent.HasTimeout = true
	s.watched = port("watched")
	s.refused = port("refused")
	s.refused.Dynamic, s.refused.Size = true, 1<<16
	s.admitted = port("admitted")
	s.admitted.Dynamic, s.admitted.HasTimeout, s.admitted.Size = true, true, 1<<16
	s.requests, s.replies = port(sideRequests), port(sideReplies)
	for _, m := range []*nftables.Set{s.requests, s.replies} {
		m.IsMap, m.DataType = true, nftables.TypeVerdict
	}
	joined := func(name string, address nftables.SetDatatype) *nftables.Set {
		set := port(name)
		set.KeyType = nftables.MustConcatSetType(nftables.TypeInetService, address, nftables.TypeInetService)
		set.Concatenation = true
		return set
	}
	s.peers4 = joined("peers4", nftables.TypeIPAddr)
	s.peers6 = joined("peers6", nftables.TypeIP6Addr)
}

// told returns the sets whose elements come from us and not from packets; a fresh list each time.
func (s *structure) told() []*nftables.Set {
	return append(slices.Clone(s.armed[:]), s.lent, s.watched, s.peers4, s.peers6, s.requests, s.replies)
}

// makeHooks sends each packet of a group to the map exactly once: what this host sends to itself is judged by its sender
// in the output hook (below every priority at which rules that set marks commonly run: one of those in between would
// lock the agent out), and its reply by the receiver in the input hook.
func (s *structure) makeHooks() {
	below := nftables.ChainPriorityRef(*nftables.ChainPriorityRaw - 10)
	accepting := nftables.ChainPolicyAccept
	hook := func(name string, at *nftables.ChainHook) *nftables.Chain {
		c := s.chain(name)
		c.Type, c.Hooknum, c.Priority, c.Policy = nftables.ChainTypeFilter, at, below, &accepting
		return c
	}
	input, output := hook("input", nftables.ChainHookInput), hook("output", nftables.ChainHookOutput)
	s.rule(input, "requests from other hosts", rule(isTCP(), fromElsewhere(), port(offDport), leadBy(s.requests)))
	s.rule(input, "replies to this host", rule(isTCP(), fromLoopback(), port(offSport), leadBy(s.replies)))
	s.rule(output, "requests from this host", rule(isTCP(), toLoopback(), port(offDport), leadBy(s.requests)))
	s.rule(output, "replies to other hosts", rule(isTCP(), toElsewhere(), port(offSport), leadBy(s.replies)))
}

// makeOpening makes the two chains of a set of ports that are open for a time.
func (s *structure) makeOpening(set *nftables.Set, why, requests, replies string) {
	c := s.chain(requests)
	s.rule(c, why, rule(port(offDport), in(set), accept()))
	s.rule(c, "run out, or never armed", rule(goTo("shut_requests")))
	c = s.chain(replies)
	s.rule(c, why, rule(port(offSport), in(set), accept()))
	s.rule(c, "run out, or never armed", rule(goTo("shut_replies")))
}

// makeReplication makes the chains of replication-only. The other end is the source of a request.
func (s *structure) makeReplication() {
	const why = "replication goes on while clients are shut out"
	c := s.chain("replication_requests")
	s.rule(c, why, rule(peer(unix.NFPROTO_IPV4, 12, 4, offDport, offSport), in(s.peers4), accept()))
	s.rule(c, why, rule(peer(unix.NFPROTO_IPV6, 8, 16, offDport, offSport), in(s.peers6), accept()))
	s.rule(c, "everybody else", rule(goTo("shut_requests")))
	c = s.chain("replication_replies")
	s.rule(c, why, rule(peer(unix.NFPROTO_IPV4, 16, 4, offSport, offDport), in(s.peers4), accept()))
	s.rule(c, why, rule(peer(unix.NFPROTO_IPV6, 24, 16, offSport, offDport), in(s.peers6), accept()))
	s.rule(c, "everybody else", rule(goTo("shut_replies")))
}

func (s *structure) makeShutRequests(cfg Config) {
	c := s.chain("shut_requests")
	s.rule(c, "resets always pass", rule(isReset(), accept()))
	s.rule(c, "the agent's own connections", rule(toLoopback(), sentWithMark(cfg.Mark, cfg.Mask), accept()))
	for _, uid := range cfg.ExemptUIDs {
		s.rule(c, fmt.Sprintf("gate_exempt: user %d", uid), rule(toLoopback(), sentByUser(uid), port(offSport), remember(s.admitted), accept()))
	}
	if len(cfg.ExemptUIDs) > 0 {
		s.rule(c, "a port that somebody else has now", rule(toLoopback(), port(offSport), forget(s.admitted)))
	}
	s.rule(c, "how much", rule(port(offDport), tally(s.refused)))
	s.rule(c, "at most a line a second", rule(port(offDport), in(s.watched), logRarely("redkeep: gate would refuse ")))
	s.rule(c, "gate: watch, nothing is refused", rule(port(offDport), in(s.watched), count(), accept()))
	s.rule(c, "at most a line a second", rule(logRarely("redkeep: gate refuses ")))
	s.rule(c, "shut by redkeep: no lease; run: redkeep gate show", rule(count(), sendReset()))
}

func (s *structure) makeShutReplies(cfg Config) {
	c := s.chain("shut_replies")
	s.rule(c, "resets always pass", rule(isReset(), accept()))
	s.rule(c, "the agent's own connections", rule(fromLoopback(), forSocketWithMark(cfg.Mark, cfg.Mask), accept()))
	if len(cfg.ExemptUIDs) > 0 {
		s.rule(c, "gate_exempt", rule(fromLoopback(), port(offDport), in(s.admitted), accept()))
	}
	s.rule(c, "gate: watch, nothing is refused", rule(port(offSport), in(s.watched), count(), accept()))
	s.rule(c, "shut by redkeep: the answer leaves as a reset; run: redkeep gate show", rule(count(), becomeReset()))
}

// chain adds a chain; it is a plain one until hooked.
func (s *structure) chain(name string) *nftables.Chain {
	c := &nftables.Chain{Table: s.table, Name: name}
	s.chains = append(s.chains, c)
	return c
}

// rule adds a rule with a comment for people and a digest by which another process recognises it.
func (s *structure) rule(c *nftables.Chain, comment string, exprs []expr.Any) {
	digest := fnv.New64a()
	for _, e := range exprs {
		// An expression that cannot be written fails again, and is reported, in the transaction.
		if b, err := expr.Marshal(byte(s.table.Family), e); err == nil {
			digest.Write(b)
		}
	}
	data := userdata.AppendString(nil, userdata.TypeComment, comment)
	data = userdata.Append(data, digestType, digest.Sum(nil))
	s.rules = append(s.rules, &nftables.Rule{Table: s.table, Chain: c, Exprs: exprs, UserData: data})
}

// write adds the whole structure to a transaction. Sets and chains that are there stay with their elements; rules are
// replaced by the same transaction, so that no packet meets the table without them.
func (s *structure) write(c *nftables.Conn) error {
	for _, set := range append(s.told(), s.refused, s.admitted) {
		if err := c.AddSet(set, nil); err != nil {
			return fmt.Errorf("describe set %s: %w", set.Name, err)
		}
	}
	for _, ch := range s.chains {
		c.AddChain(ch)
	}
	c.FlushTable(s.table)
	for _, r := range s.rules {
		c.AddRule(r)
	}
	return nil
}

// standing reports whether the kernel has exactly the rules of this structure.
func (s *structure) standing(c *nftables.Conn) (bool, error) {
	for _, ch := range s.chains {
		have, err := c.GetRules(s.table, ch)
		if err != nil {
			return false, fmt.Errorf("list chain %s: %w", ch.Name, err)
		}
		for _, r := range s.rules {
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
