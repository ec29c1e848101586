package gate

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"redkeep/internal/words"
)

// Set makes the gate of one group what want says, in one transaction that the kernel has acknowledged when Set returns.
// It may be repeated; told what it already did, it does nothing. After an error the old state is in force.
func (h *Hand) Set(group words.Group, want Want) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := want.check(group); err != nil {
		return fmt.Errorf("set gate of %s: %w", group, err)
	}
	if err := h.set(group, want.tidy()); err != nil {
		return fmt.Errorf("set gate of %s: %w", group, err)
	}
	return nil
}

// Activate points the gate of a group at a slot. It carries no time: done late, it points at a slot that has run out,
// and the gate is shut. The group must have been Set before.
func (h *Hand) Activate(group words.Group, slot int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	g, err := h.known(group)
	if err != nil {
		return fmt.Errorf("activate slot of %s: %w", group, err)
	}
	want := Want{Ports: g.want.Ports, Addresses: g.want.Addresses, Mode: Leased, Slot: slot, Watch: g.want.Watch}
	if err = checkSlot(slot); err == nil {
		err = h.set(group, want)
	}
	if err != nil {
		return fmt.Errorf("activate slot of %s: %w", group, err)
	}
	return nil
}

// Remove takes all rules of a group away and forgets it: its ports are open to everybody.
func (h *Hand) Remove(group words.Group) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	g := h.groups[group]
	if g == nil {
		return nil
	}
	if err := h.set(group, Want{Ports: g.want.Ports, Mode: Absent}); err != nil {
		return fmt.Errorf("remove gate of %s: %w", group, err)
	}
	delete(h.groups, group)
	return nil
}

func (h *Hand) set(group words.Group, want Want) error {
	for name, other := range h.groups {
		if p, ok := shared(other.want.Ports, want.Ports); ok && name != group {
			return fmt.Errorf("port %d belongs to %s", p, name)
		}
		if v, ok := shared(other.want.Addresses, want.Addresses); ok && name != group {
			return fmt.Errorf("address %s belongs to %s", v, name)
		}
	}
	if err := h.needTables(want); err != nil {
		return err
	}
	want = h.covered(want)
	g := h.groups[group]
	if g == nil {
		g = &held{}
		h.groups[group] = g
	}
	if g.want.same(want) && !h.unsure {
		return nil
	}
	var until boottime
	if want.For > 0 {
		until = now() + boottime(want.For)
	}
	if h.unsure {
		g.want, g.lentUntil = want, until
		return h.restore()
	}
	var b batch
	h.shape.change(&b, group, g.want, want)
	if err := h.send(&b); err != nil {
		return err
	}
	g.want, g.lentUntil = want, until
	return nil
}

// known returns a group whose ports are known.
func (h *Hand) known(group words.Group) (*held, error) {
	g := h.groups[group]
	if g == nil || len(g.want.Ports) == 0 {
		return nil, errPorts
	}
	return g, nil
}

// change adds to a transaction what leads a group from one state to another.
func (s *structure) change(b *batch, group words.Group, from, to Want) {
	if to.Mode == Opened && to.For > 0 && !to.lentElsewhere {
		renew(b, s.lent, timedPorts(to.Ports, to.For))
	}
	b.take(s.watched, portKeys(subtract(from.watchedPorts(), to.watchedPorts())))
	b.put(s.watched, portKeys(subtract(to.watchedPorts(), from.watchedPorts())))
	for _, set := range []*nftables.Set{s.peers4, s.peers6} {
		b.take(set, peerKeys(set == s.peers4, from))
		b.put(set, peerKeys(set == s.peers4, to))
	}
	b.take(s.requests, pointers(group, from, sideRequests))
	b.put(s.requests, pointers(group, to, sideRequests))
	b.take(s.replies, pointers(group, from, sideReplies))
	b.put(s.replies, pointers(group, to, sideReplies))
	s.claims4.change(b, group, from, to)
	s.claims6.change(b, group, from, to)
}

// renewSlot adds to a transaction what arms a slot of a group: of its ports and of its addresses alike.
func (s *structure) renewSlot(b *batch, slot int, w Want, d time.Duration) {
	renew(b, s.armed[slot], timedPorts(w.Ports, d))
	s.claims4.renew(b, slot, w, d)
	s.claims6.renew(b, slot, w, d)
}

// renew gives elements with a timeout a new one. They may be there, or have run out a moment ago: adding them first makes
// the deletion certain to succeed, and before Linux 6.12 adding alone keeps the old timeout.
func renew(b *batch, set *nftables.Set, timed []nftables.SetElement) {
	b.put(set, timed)
	b.take(set, timed)
	b.put(set, timed)
}

func timedPorts(ports []uint16, d time.Duration) []nftables.SetElement {
	timed := portKeys(ports)
	for i := range timed {
		timed[i].Timeout = d
	}
	return timed
}

// pointers are the elements of the two maps: where the packets of a group's ports go.
func pointers(group words.Group, w Want, side string) []nftables.SetElement {
	if w.Mode == Absent {
		return nil
	}
	verdict := &expr.Verdict{Kind: expr.VerdictGoto}
	switch {
	case w.Mode == Leased:
		verdict.Chain = slotChain(w.Slot, side)
	case w.Mode == Opened && w.For > 0:
		verdict.Chain = "lent_" + side
	case w.Mode == Opened:
		verdict.Kind = expr.VerdictAccept
	case w.Mode == ReplicationOnly:
		verdict.Chain = "replication_" + side
	default:
		verdict.Chain = "shut_" + side
	}
	out := portKeys(w.Ports)
	for i := range out {
		out[i].VerdictData, out[i].Comment = verdict, comment(group, w)
	}
	return out
}

// peerKeys are the connections that pass in mode ReplicationOnly, of one address family.
func peerKeys(four bool, w Want) []nftables.SetElement {
	var out []nftables.SetElement
	for _, own := range w.Ports {
		for _, p := range w.Peers {
			if p.Addr().Is4() == four {
				out = append(out, nftables.SetElement{Key: peerKey(own, p)})
			}
		}
	}
	return out
}

// peerKey joins the parts, each filled up to four bytes, as the kernel's registers hold them.
func peerKey(own uint16, p netip.AddrPort) []byte {
	key := append(networkOrder.AppendUint16(nil, own), 0, 0)
	key = append(key, p.Addr().AsSlice()...)
	return append(networkOrder.AppendUint16(key, p.Port()), 0, 0)
}

// untimed returns what the group wants with its timed opening's element left out: that is told by what is left of it.
func (g *held) untimed() Want {
	w := g.want
	w.lentElsewhere = w.For > 0
	return w
}
