package gate

import (
	"fmt"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// structure is what is the same for all groups: two tables, in which groups are only elements.
type structure struct {
	// table is in the inet family: IPv6 is covered by the same rules. It has all but arp's claims.
	*table
	// arp is made when a group has an IPv4 address to claim.
	arp *table
	// claims4 and claims6 judge how this host claims virtual addresses: by ARP, and by neighbour discovery.
	claims4, claims6 *claims

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
	s := &structure{table: newTable(nftables.TableFamilyINet), arp: newTable(nftables.TableFamilyARP)}
	s.makeSets()
	output := s.makeHooks()
	s.makeClaims(output)
	for n := range s.armed {
		by := fmt.Sprintf("open while slot %d of redkeep's lease runs", n)
		s.makeOpening(s.armed[n], by, slotChain(n, sideRequests), slotChain(n, sideReplies))
	}
	s.makeOpening(s.lent, "open for a time", "lent_requests", "lent_replies")
	s.makeReplication()
	s.makeShutRequests(cfg)
	s.makeShutReplies(cfg)
	s.prepare()
	s.arp.prepare()
	return s
}

func (s *structure) makeSets() {
	port := nftables.TypeInetService
	for n := range s.armed {
		s.armed[n] = s.set(fmt.Sprintf("armed%d", n), port)
		s.armed[n].HasTimeout = true
	}
	s.lent = s.set("lent", port)
	s.lent.HasTimeout = true
	s.watched = s.set("watched", port)
	s.refused = s.counted("refused", port)
	s.admitted = s.counted("admitted", port)
	s.admitted.HasTimeout = true
	s.requests, s.replies = s.set(sideRequests, port), s.set(sideReplies, port)
	for _, m := range []*nftables.Set{s.requests, s.replies} {
		m.IsMap, m.DataType = true, nftables.TypeVerdict
	}
	s.peers4 = s.set("peers4", nftables.MustConcatSetType(port, nftables.TypeIPAddr, port))
	s.peers6 = s.set("peers6", nftables.MustConcatSetType(port, nftables.TypeIP6Addr, port))
	s.peers4.Concatenation, s.peers6.Concatenation = true, true
}

// makeHooks sends each packet of a group to the map exactly once: what this host sends to itself is judged by its sender
// in the output hook (below every priority at which rules that set marks commonly run: one of those in between would
// lock the agent out), and its reply by the receiver in the input hook. It returns the output hook's chain.
func (s *structure) makeHooks() (out *nftables.Chain) {
	below := *nftables.ChainPriorityRaw - 10
	input := s.hook("input", *nftables.ChainHookInput, below)
	output := s.hook("output", *nftables.ChainHookOutput, below)
	s.rule(input, "requests from other hosts", rule(isTCP(), fromElsewhere(), port(offDport), leadBy(s.requests)))
	s.rule(input, "replies to this host", rule(isTCP(), fromLoopback(), port(offSport), leadBy(s.replies)))
	// Most clients are on other hosts: what concerns them comes first, and has its verdict by one rule of each hook.
	s.rule(output, "replies to other hosts", rule(isTCP(), toElsewhere(), port(offSport), leadBy(s.replies)))
	s.rule(output, "requests from this host", rule(isTCP(), toLoopback(), port(offDport), leadBy(s.requests)))
	return output
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
