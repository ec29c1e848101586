package gate

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"redkeep/internal/words"
)

// State is what the kernel has for one group.
type State struct {
	Group words.Group
	// Want is what was asked for. For is not known of the kernel, and 0 unless this Hand set it.
	Want Want
	// Open says whether a client's request would be let through now.
	Open bool
	// Left is how long that lasts; 0 when it is shut, or open without a limit.
	Left time.Duration
	// Armed is what is left of each slot, 0 for one that is not armed.
	Armed [Slots]time.Duration
	// Refused counts the packets that were refused, or in mode watch would have been.
	Refused uint64
	// Claimable says whether this host may claim the group's addresses now; true where it has none.
	Claimable bool
	// Silenced counts the claims of the group's addresses that were dropped, or in mode watch would have been.
	Silenced uint64
}

// ErrUnknown says that the gate has nothing about a group.
var ErrUnknown = errors.New("the gate knows no such group")

// State reads what the kernel has for one group.
func (h *Hand) State(group words.Group) (State, error) {
	all, err := h.States()
	if err != nil {
		return State{}, err
	}
	for _, s := range all {
		if s.Group == group {
			return s, nil
		}
	}
	return State{}, fmt.Errorf("read gate of %s: %w", group, ErrUnknown)
}

// States reads what the kernel has for all groups, sorted by name.
func (h *Hand) States() ([]State, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all, err := h.read()
	if err != nil {
		return nil, err
	}
	for name, g := range h.groups {
		if g.want.Mode == Absent {
			all = append(all, State{Group: name, Want: g.want, Open: true, Claimable: true})
		}
	}
	slices.SortFunc(all, func(a, b State) int { return cmp.Compare(a.Group, b.Group) })
	return all, nil
}

// reread puts what the kernel has into groups, as a Hand that has just been opened needs it. Later the kernel is told,
// not asked: what stands there then may be somebody's damage.
func (h *Hand) reread() error {
	before := now()
	all, err := h.read()
	if err != nil {
		return err
	}
	for _, s := range all {
		g := &held{want: s.Want}
		for n, left := range s.Armed {
			if left > 0 {
				g.ends[n] = before + boottime(left)
			}
		}
		if s.Want.Mode == Opened && s.Want.For > 0 {
			g.lentUntil = before + boottime(s.Left)
		}
		h.groups[s.Group] = g
	}
	return nil
}

// read returns what the kernel has, in no order.
func (h *Hand) read() ([]State, error) {
	h.bound()
	states, err := readStates(h.conn, h.shape)
	if err != nil {
		return nil, fmt.Errorf("read gate: %w", err)
	}
	judging := []*claims{h.shape.claims6}
	if h.withARP {
		judging = append(judging, h.shape.claims4)
	}
	for _, c := range judging {
		if err := c.read(h.conn, states); err != nil {
			return nil, fmt.Errorf("read gate: %w", err)
		}
	}
	out := make([]State, 0, len(states))
	for _, s := range states {
		s.Want = s.Want.tidy()
		out = append(out, *s)
	}
	return out, nil
}

// contents is the table's elements by port, as read from the kernel.
type contents struct {
	armed   [Slots]map[uint16]time.Duration
	lent    map[uint16]time.Duration
	refused map[uint16]uint64
	watched []uint16
	peers   map[uint16][]netip.AddrPort
}

// readStates reads what the table has about ports.
func readStates(c *nftables.Conn, s *structure) (map[words.Group]*State, error) {
	pointers, err := c.GetSetElements(s.requests)
	if err != nil {
		return nil, fmt.Errorf("list map %s: %w", s.requests.Name, err)
	}
	have, err := readContents(c, s)
	if err != nil {
		return nil, err
	}
	states := map[words.Group]*State{}
	for _, e := range pointers {
		name, mode, slot, err := decodePointer(e)
		if err != nil {
			return nil, err
		}
		st := states[name]
		if st == nil {
			st = &State{Group: name, Want: Want{Mode: mode, Slot: slot}, Claimable: true}
			states[name] = st
		}
		st.addPort(networkOrder.Uint16(e.Key), have, e)
	}
	return states, nil
}

// addPort adds what the table has about one more port of the group.
func (s *State) addPort(p uint16, have *contents, e nftables.SetElement) {
	first := len(s.Want.Ports) == 0
	s.Want.Ports = append(s.Want.Ports, p)
	s.Want.Watch = s.Want.Watch || slices.Contains(have.watched, p)
	s.Want.Peers = append(s.Want.Peers, have.peers[p]...)
	s.Refused += have.refused[p]
	for n := range s.Armed {
		left := have.armed[n][p]
		// Ports of one group are armed together; if they differ, the shortest is what can be relied on.
		if first || left < s.Armed[n] {
			s.Armed[n] = left
		}
	}
	switch {
	case s.Want.Mode == Leased:
		s.Left = s.Armed[s.Want.Slot]
		s.Open = s.Left > 0
	case s.Want.Mode == Opened && strings.HasPrefix(chainOf(e), "lent_"):
		s.Left = have.lent[p]
		s.Want.For = max(s.Left, time.Millisecond)
		s.Open = s.Left > 0
	case s.Want.Mode == Opened:
		s.Open = true
	}
	s.Open = s.Open || s.Want.Watch
}

func readContents(c *nftables.Conn, s *structure) (*contents, error) {
	out := &contents{refused: map[uint16]uint64{}, peers: map[uint16][]netip.AddrPort{}}
	var err error
	for n := range s.armed {
		if out.armed[n], err = readTimes(c, s.armed[n]); err != nil {
			return nil, err
		}
	}
	if out.lent, err = readTimes(c, s.lent); err != nil {
		return nil, err
	}
	err = eachElement(c, s.watched, func(e nftables.SetElement) { out.watched = append(out.watched, networkOrder.Uint16(e.Key)) })
	if err != nil {
		return nil, err
	}
	err = eachElement(c, s.refused, func(e nftables.SetElement) {
		if e.Counter != nil {
			out.refused[networkOrder.Uint16(e.Key)] += e.Counter.Packets
		}
	})
	if err != nil {
		return nil, err
	}
	for _, set := range []*nftables.Set{s.peers4, s.peers6} {
		err = eachElement(c, set, func(e nftables.SetElement) {
			if own, p, ok := splitPeerKey(e.Key); ok {
				out.peers[own] = append(out.peers[own], p)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func readTimes(c *nftables.Conn, set *nftables.Set) (map[uint16]time.Duration, error) {
	out := map[uint16]time.Duration{}
	return out, eachElement(c, set, func(e nftables.SetElement) { out[networkOrder.Uint16(e.Key)] = e.Expires })
}

func eachElement(c *nftables.Conn, set *nftables.Set, f func(nftables.SetElement)) error {
	all, err := c.GetSetElements(set)
	if err != nil {
		return fmt.Errorf("list set %s: %w", set.Name, err)
	}
	for _, e := range all {
		f(e)
	}
	return nil
}

// splitPeerKey is peerKey's inverse.
func splitPeerKey(key []byte) (own uint16, p netip.AddrPort, ok bool) {
	if len(key) < 12 {
		return 0, netip.AddrPort{}, false
	}
	last := len(key) - 4
	addr, ok := netip.AddrFromSlice(key[4:last])
	return networkOrder.Uint16(key), netip.AddrPortFrom(addr, networkOrder.Uint16(key[last:])), ok
}

// decodePointer reads group, mode and slot from an element of the map.
func decodePointer(e nftables.SetElement) (group words.Group, mode Mode, slot int, err error) {
	group, ok := groupOf(e.Comment)
	if !ok || len(e.Key) < 2 {
		return "", 0, 0, fmt.Errorf("element with the comment %q is none of redkeep's; remove it with nft", e.Comment)
	}
	chain := chainOf(e)
	switch {
	case chain == "":
		return group, Opened, 0, nil
	case strings.HasPrefix(chain, "lent_"):
		return group, Opened, 0, nil
	case strings.HasPrefix(chain, "replication_"):
		return group, ReplicationOnly, 0, nil
	}
	if _, err := fmt.Sscanf(chain, "slot%d_", &slot); err == nil && checkSlot(slot) == nil {
		return group, Leased, slot, nil
	}
	return group, Shut, 0, nil
}

// chainOf returns the chain that an element of a verdict map leads to, or nothing for a plain accept.
func chainOf(e nftables.SetElement) string {
	attrs, err := netlink.NewAttributeDecoder(e.Val)
	if err != nil {
		return ""
	}
	for attrs.Next() {
		if attrs.Type() == unix.NFTA_VERDICT_CHAIN {
			return attrs.String()
		}
	}
	return ""
}

// showCommand ends the comment of each element of the maps; the group's name comes after it. It is how a person, and
// the next agent, learns whose port this is.
const showCommand = "; run: redkeep gate show "

func comment(group words.Group, w Want) string {
	var why string
	switch {
	case w.Mode == Leased:
		why = "open while redkeep's lease runs for "
	case w.Mode == Opened:
		why = "opened by redkeep without a lease for "
	case w.Mode == ReplicationOnly:
		why = "shut by redkeep but for replication of "
	default:
		why = "shut by redkeep: no lease for "
	}
	return why + string(group) + showCommand + string(group)
}

func groupOf(comment string) (words.Group, bool) {
	i := strings.LastIndex(comment, showCommand)
	if i < 0 {
		return "", false
	}
	return words.Group(comment[i+len(showCommand):]), true
}
